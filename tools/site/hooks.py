"""Makes a site of the repository's pages: those in `docs`, and those beside it, whose links lead to places of the repository.

A link to another page stays a link. A link to a source becomes its path, because the site does not hold sources. A link to
nothing stays as it is, and the build fails at it.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
DOCS = "docs"
#: Pages beside `docs`, by the name that they have on the site.
BESIDE = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security-policy.md": "SECURITY.md",
}
#: Folders of pages: each gets a page that lists them.
FOLDERS = {"reference": "Reference", "decisions": "Decisions", "runbooks": "Runbooks"}
#: Where the menu begins; every other page follows by name.
FIRST = ["index.md", "tour.md", "architecture.md", "states.md", "deploy.md", "operations.md", "security.md"]

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files, config):
    """Adds the pages beside `docs` and the lists of folders, and puts all into the menu."""
    for name, source in BESIDE.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    for folder, title in FOLDERS.items():
        pages = sorted((ROOT / DOCS / folder).glob("*.md"))
        lines = "\n".join(f"- [{heading(page)}]({page.name})" for page in pages)
        files.append(File.generated(config, f"{folder}/index.md", content=f"# {title}\n\n{lines}\n"))
    names = [file.src_uri for file in files.documentation_pages()]
    top = [name for name in names if "/" not in name]
    ordered = [*FIRST, *sorted(name for name in top if name not in FIRST)]
    config.nav = [
        *ordered,
        *({title: sorted_in(names, folder)} for folder, title in FOLDERS.items()),
    ]
    return files


def sorted_in(names, folder):
    """Pages of a folder, the list first."""
    return sorted(
        (name for name in names if name.startswith(f"{folder}/")),
        key=lambda n: (n != f"{folder}/index.md", n),
    )


def heading(page):
    """Text of the first heading."""
    return next(line[2:] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("# "))


def on_page_markdown(markdown, page, config, files):
    """Rewrites links from places of the repository to places of the site."""
    here = page.file.src_uri
    listed = here in {f"{folder}/index.md" for folder in FOLDERS}
    in_repository = BESIDE.get(here, posixpath.join(DOCS, here))
    outside_code = re.split(r"(^```.*?^```$)", markdown, flags=re.M | re.S)
    return "".join(
        part
        if listed or part.startswith("```")
        else LINK.sub(lambda link: rewritten(link, here, in_repository), part)
        for part in outside_code
    )


def rewritten(link, here, in_repository):
    """A link as the site has it."""
    image, text, target, anchor = link.groups()
    place = posixpath.normpath(posixpath.join(posixpath.dirname(in_repository), target))
    page = page_of(place)
    if page is not None:
        return f"{image}[{text}]({posixpath.relpath(page, posixpath.dirname(here) or '.')}{anchor or ''})"
    if (ROOT / place).exists():
        return text if place in text.replace("`", "") else f"{text} (`{place}`)"
    return link.group(0)


def page_of(place):
    """Name on the site of a place of the repository; None if the site does not hold it."""
    for name, source in BESIDE.items():
        if source == place:
            return name
    if not place.startswith(f"{DOCS}/"):
        return None
    name = place.removeprefix(f"{DOCS}/")
    if name in FOLDERS:
        return f"{name}/index.md"
    return name if (ROOT / place).is_file() else None
