/** What every script does: read the plan, run the step once, and write its result or its error. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { explanation } from './explanation.ts';
import { files } from './files.ts';
import { javaErrors, yarnApplications } from './jvm.ts';
import { startWatch } from './start-watch.ts';
import { planTypes } from './types.ts';

export const main = fragment({
  file: import.meta.url,
  needs: [planTypes, files, javaErrors, yarnApplications, explanation, startWatch],
  imports: [
    'import argparse',
    'import sys',
    'import traceback',
    'from collections.abc import Callable, Mapping',
    'from pyspark import SparkContext',
    'from pyspark.sql import SparkSession',
  ],
  code: python`
    def start(step: StepName, plan_uri: str, seconds: float) -> SparkSession:
        """Spark's session, started in time; ends the step with a reason where that fails."""
        driver = StartingDriver()
        try:
            with limited_start(driver, step, plan_uri, seconds):
                return SparkSession.builder.appName(application_name(step)).getOrCreate()
        except Exception as error:
            traceback.print_exc()
            report_failed_start(driver, step, plan_uri, error)
            sys.exit(1)


    def main(
        step: StepName,
        run: Callable[[SparkSession, Plan], Mapping[str, object]],
        start_seconds: float = START_SECONDS,
    ) -> None:
        """Runs the step once for a plan; a step that has a result is not run again."""
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("--plan", required=True, help="URI of the run's plan.json")
        plan_uri: str = parser.parse_args().plan
        # On one machine several steps share an application, which none of them may end.
        is_own = SparkContext._active_spark_context is None
        spark = start(step, plan_uri, start_seconds)
        is_local = not runs_on_yarn(spark)
        files = Files(spark)
        plan: Plan = files.read_json(plan_uri)
        outputs = plan["outputs"]
        try:
            if files.exists(outputs["results"][step]):
                print(f"{step}: this plan has a result already, nothing to do", file=sys.stderr)
                return
            files.write_json(outputs["results"][step], run(spark, plan))
        except Exception as error:
            traceback.print_exc()
            failure = explain(step, error, lost_executors(spark), is_local=is_local)
            files.write_json(outputs["errors"][step], failure)
            sys.exit(1)
        finally:
            if is_own:
                spark.stop()
  `,
});
