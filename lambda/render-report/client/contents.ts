/** The table of contents marks the chapter that is being read. */

export function followContents(): void {
  const links = new Map(
    [...document.querySelectorAll<HTMLAnchorElement>('nav.contents a')].map((link) => [
      link.hash.slice(1),
      link,
    ]),
  );
  const chapters = [...links.keys()].flatMap((id) => document.getElementById(id) ?? []);
  let scheduled = false;
  const mark = (): void => {
    scheduled = false;
    const line = window.innerHeight / 3;
    const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 2;
    const passed = chapters.filter((chapter) => chapter.getBoundingClientRect().top <= line);
    const current = atEnd ? chapters.at(-1) : (passed.at(-1) ?? chapters[0]);
    for (const [id, link] of links) {
      if (id !== current?.id) link.removeAttribute('aria-current');
      else if (!link.hasAttribute('aria-current')) {
        link.setAttribute('aria-current', 'true');
        const bar = link.closest('nav');
        if (bar !== null && bar.scrollWidth > bar.clientWidth) bar.scrollTo({ left: link.offsetLeft - 16 });
      }
    }
  };
  window.addEventListener(
    'scroll',
    () => {
      if (!scheduled) requestAnimationFrame(mark);
      scheduled = true;
    },
    { passive: true },
  );
  mark();
}
