"""Runs the steps of a local cluster one after another in one Spark application, each in a session of its own.

spark-submit engine.py <folder>: requests arrive there as 1.json, 2.json and so on, each with a script, its arguments and
a mark. After a step the mark follows its output: on standard output with the step's exit code, and on standard error.
"""

import contextlib
import gc
import itertools
import json
import pathlib
import runpy
import sys
import threading
import time
import traceback
from typing import NamedTuple

from pyspark.sql import SparkSession

POLL_SECONDS = 0.02
ROWS_EVERY_SECONDS = 1.0


class Request(NamedTuple):
    """A step to run; nothing that a step prints contains the mark."""

    script: str
    arguments: list[str]
    mark: str


def next_request(path: pathlib.Path) -> Request:
    """Waits for a request; it appears as a whole, since it is moved there."""
    while not path.exists():
        time.sleep(POLL_SECONDS)
    return Request(**json.loads(path.read_text(encoding="utf-8")))


def exit_code(ending: SystemExit) -> int:
    """What the process would exit with."""
    if ending.code is None or isinstance(ending.code, int):
        return ending.code or 0
    print(ending.code, file=sys.stderr)
    return 1


def run_script(script: str, arguments: list[str]) -> int:
    """Runs a script as Python would run it in a process of its own."""
    sys.argv = [script, *arguments]
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ending:
        return exit_code(ending)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def use(session: SparkSession) -> None:
    """Makes a session the one that a script gets when it asks for one."""
    SparkSession._instantiatedSession = session
    sessions = session._jvm.org.apache.spark.sql.SparkSession
    sessions.setDefaultSession(session._jsparkSession)
    # A catalog is configured with the settings of the active session.
    sessions.setActiveSession(session._jsparkSession)


def release_memory(session: SparkSession) -> None:
    """Gives back what a step kept: a process of its own would have ended."""
    session.catalog.clearCache()
    for rows in session.sparkContext._jsc.getPersistentRDDs().values():
        rows.unpersist()
    session.sparkContext._jsc.clearJobGroup()
    gc.collect()
    # Spark removes shuffled and broadcast data once Java has noticed that nothing refers to them.
    session._jvm.System.gc()


def count_rows(session: SparkSession) -> None:
    """Says, as long as the application lives, how many rows the newest stage has read: Spark's bar shows tasks only."""
    store = session.sparkContext._jsc.sc().statusStore()
    said: tuple[int, int] = (-1, 0)
    # Whatever fails here, the application is ending: a step without a count is no fault.
    with contextlib.suppress(Exception):
        while True:
            time.sleep(ROWS_EVERY_SECONDS)
            stages = store.activeStages()
            read = [(stages.apply(n).stageId(), stages.apply(n).inputRecords()) for n in range(stages.size())]
            newest = max(read, default=said)
            if newest != said and newest[1] > 0:
                said = newest
                # From Java, where Spark's bar is drawn: what Python prints all becomes standard output.
                session._jvm.System.err.print(f"\r[Rows of stage {newest[0]}: {newest[1]}]\r")


def main() -> None:
    """Runs steps until the process is ended."""
    folder = pathlib.Path(sys.argv[1])
    shared = SparkSession.builder.appName("churn").getOrCreate()
    threading.Thread(target=count_rows, args=(shared,), daemon=True).start()
    for number in itertools.count(1):
        request = next_request(folder / f"{number}.json")
        session = shared.newSession()
        use(session)
        code = run_script(request.script, request.arguments)
        use(shared)
        release_memory(session)
        sys.stderr.flush()
        shared._jvm.System.err.println(request.mark)
        print(f"{request.mark} {code}", flush=True)


if __name__ == "__main__":
    main()
