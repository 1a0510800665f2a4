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


def main() -> None:
    """Runs the plans one after another; a plan that fails does not stop the others."""
    script, *plans = sys.argv[1:]
    specification = importlib.util.spec_from_file_location("step", script)
    step = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(step)
    shared = SparkSession.builder.appName(f"harness {step.STEP}").getOrCreate()
    for path in plans:
        with open(path, encoding="utf-8") as file:
            plan = json.load(file)
        session = shared.newSession()
        # A catalog is configured with the settings of the active session, which on the cluster is the step's own.
        shared._jvm.org.apache.spark.sql.SparkSession.setActiveSession(session._jsparkSession)
        session.conf.set("spark.sql.catalog.lake.warehouse", plan["lakeRoot"] + "/warehouse")
        before = pathlib.Path(path).with_name("before.sql")
        for statement in before.read_text(encoding="utf-8").split(";") if before.exists() else []:
            session.sql(statement)
        if before.exists():
            read_current_features(step, session, plan)
        files = step.Files(session)
        outputs = plan["outputs"]
        try:
            files.write_json(outputs["results"][step.STEP], step.run(session, plan))
        except Exception as error:
            files.write_json(outputs["errors"][step.STEP], step.explain(step.STEP, error))


if __name__ == "__main__":
    main()
