"""Runs one step's script for several plans in one Spark session, each plan with its own lake.

python step_harness.py <script> <plan.json> ...  The script's own run() does the work; its result or its
explained error is written where the plan says, as its main() would do. Statements in before.sql beside a plan change
the tables before its run, as another process would.
"""

import importlib.util
import json
import pathlib
import sys

from pyspark.sql import SparkSession


def read_current_features(step, session: SparkSession, plan) -> None:
    """Names the features as they are now in the result of build-features, which its readers go by, if there is one."""
    uri = plan["outputs"]["results"]["build-features"]
    files = step.Files(session)
    if not files.exists(uri):
        return
    built = files.read_json(uri)
    table = step.iceberg_table(session, step.table_name(plan, "features"))
    snapshots = {**built["snapshots"], "features": str(table.currentSnapshot().snapshotId())}
    files.write_json(uri, {**built, "snapshots": snapshots})


def load(script: str):
    """The script as a module; its main() does not run."""
    specification = importlib.util.spec_from_file_location(pathlib.Path(script).stem.replace("-", "_"), script)
    step = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(step)
    return step


def session_of(shared: SparkSession, plan) -> SparkSession:
    """A session for the plan's lake."""
    session = shared.newSession()
    # A catalog is configured with the settings of the active session, which on the cluster is the step's own.
    shared._jvm.org.apache.spark.sql.SparkSession.setActiveSession(session._jsparkSession)
    session.conf.set("spark.sql.catalog.lake.warehouse", plan["lakeRoot"] + "/warehouse")
    return session


def change_tables(step, session: SparkSession, plan, path: str) -> None:
    """Runs the statements in before.sql beside the plan, if there are any."""
    before = pathlib.Path(path).with_name("before.sql")
    if not before.exists():
        return
    for statement in before.read_text(encoding="utf-8").split(";"):
        session.sql(statement)
    read_current_features(step, session, plan)


def main() -> None:
    """Runs the plans one after another; a plan that fails does not stop the others."""
    script, *plans = sys.argv[1:]
    step = load(script)
    shared = SparkSession.builder.appName(f"harness {step.STEP}").getOrCreate()
    for path in plans:
        plan = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        session = session_of(shared, plan)
        change_tables(step, session, plan, path)
        files = step.Files(session)
        outputs = plan["outputs"]
        try:
            files.write_json(outputs["results"][step.STEP], step.run(session, plan))
        except Exception as error:
            files.write_json(outputs["errors"][step.STEP], step.explain(step.STEP, error))


if __name__ == "__main__":
    main()
