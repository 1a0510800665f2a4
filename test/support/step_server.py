"""Runs steps in one Spark session, one after another, as requests ask for it, and kills a step after one of its commits.

python step_server.py <folder> <script> ...  Takes <folder>/<n>.request.json: {"script", "plan", "dieAfter"}; answers with
<folder>/<n>.reply.json: {"outcome": "done", "dead" or "failed", "commits", "error"}. Ends when the file <folder>/stop is there,
or the process that started it is gone.
"""

import json
import os
import pathlib
import re
import sys
import time
import traceback

import step_harness
from pyspark.sql import SparkSession
from pyspark.sql.readwriter import DataFrameWriterV2

COMMITTING = re.compile(r"\s*(ALTER|CALL|CREATE|DELETE)\b")


class Killed(BaseException):
    """The process would be gone here: nothing in a step catches it."""


class Commits:
    """What a step has committed, and after which commit it dies."""

    def __init__(self) -> None:
        """No step is running."""
        self.made = []
        self.die_after = None

    def begin(self, die_after) -> None:
        """A step begins."""
        self.made, self.die_after = [], die_after

    def count(self, what: str) -> None:
        """Counts a commit."""
        self.made.append(what)
        if self.die_after is not None and len(self.made) >= self.die_after:
            raise Killed

    def counted(self, function, what):
        """The function, whose calls are commits if there is a name for them."""

        def call(*args, **kwargs):
            value = function(*args, **kwargs)
            name = what(*args) if callable(what) else what
            if name is not None:
                self.count(name)
            return value

        return call


def load(script: str, commits: Commits):
    """The script as a module, its commits counted."""
    step = step_harness.load(script)
    step.Files.write_text = commits.counted(step.Files.write_text, lambda _, uri, text: uri)
    for function in ("unstage_days", "expire_snapshots"):
        if hasattr(step, function):
            setattr(step, function, commits.counted(getattr(step, function), function))
    return step


def run(shared: SparkSession, step, plan_path: str, commits: Commits, die_after):
    """Runs the step for a plan; what fails leaves its explanation where the plan says."""
    plan = json.loads(pathlib.Path(plan_path).read_text(encoding="utf-8"))
    session = step_harness.session_of(shared, plan)
    commits.begin(None)
    step_harness.change_tables(step, session, plan, plan_path)
    commits.begin(die_after)
    files, outputs = step.Files(session), plan["outputs"]
    try:
        files.write_json(outputs["results"][step.STEP], step.run(session, plan))
    except Exception as error:
        commits.die_after = None
        files.write_json(outputs["errors"][step.STEP], step.explain(step.STEP, error))
        raise


def answer(shared: SparkSession, scripts, commits: Commits, request) -> dict:
    """What became of a request."""
    try:
        run(shared, scripts[request["script"]], request["plan"], commits, request["dieAfter"])
        return {"outcome": "done", "commits": commits.made, "error": None}
    except Killed:
        return {"outcome": "dead", "commits": commits.made, "error": None}
    except Exception as error:
        traceback.print_exc()
        return {"outcome": "failed", "commits": commits.made, "error": str(error)[:2000]}


def main() -> None:
    """Answers requests."""
    folder = pathlib.Path(sys.argv[1])
    shared = SparkSession.builder.appName("step server").getOrCreate()
    commits = Commits()
    for method in ("append", "overwrite", "overwritePartitions", "createOrReplace"):
        setattr(DataFrameWriterV2, method, commits.counted(getattr(DataFrameWriterV2, method), method))
    SparkSession.sql = commits.counted(
        SparkSession.sql, lambda _, text, *__: text.strip()[:60] if COMMITTING.match(text) else None
    )
    scripts = {pathlib.Path(script).name: load(script, commits) for script in sys.argv[2:]}
    parent, number = os.getppid(), 0
    while os.getppid() == parent and not (folder / "stop").exists():
        request = folder / f"{number}.request.json"
        if not request.exists():
            time.sleep(0.01)
            continue
        reply = answer(shared, scripts, commits, json.loads(request.read_text(encoding="utf-8")))
        draft = folder / f"{number}.draft"
        draft.write_text(json.dumps(reply), encoding="utf-8")
        draft.rename(folder / f"{number}.reply.json")
        number += 1
    shared.stop()


if __name__ == "__main__":
    main()
