/**
 * A limit to the time in which Spark may start. On YARN it waits for its application for ever: without this a step whose
 * application master finds no place would end with the time-out of its state, hours later and without a reason.
 */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';
import { explanation } from './explanation.ts';
import { files } from './files.ts';
import { javaErrors, jvm, yarnApplications } from './jvm.ts';
import { stepError } from './step-error.ts';
import { planTypes } from './types.ts';

export const startWatch = fragment({
  file: import.meta.url,
  needs: [planTypes, jvm, javaErrors, yarnApplications, files, stepError, explanation],
  imports: [
    'import json',
    'import os',
    'import sys',
    'import threading',
    'import traceback',
    'from collections.abc import Iterator, Sequence',
    'from contextlib import contextmanager',
  ],
  constants: python`
    START_SECONDS = 600
  `,
  code: python`
    def application_name(step: StepName) -> str:
        """Name of a step's Spark application."""
        return f"churn {step}"


    def yarn_reports(waiting: Sequence[YarnApplication]) -> str:
        """What YARN says about applications that wait."""
        reports = [
            f"{application.getApplicationId()} is {application.getYarnApplicationState()}: "
            f"{(application.getDiagnostics() or '').strip() or 'no reason given'}"
            for application in waiting
        ]
        if not reports:
            return "YARN knows of no waiting application of this step"
        return f"YARN reports: {'; '.join(reports)}"


    def not_started(seconds: float, cause: str) -> StepError:
        """The failure of a step that Spark did not start for."""
        return StepError(
            f"Spark did not start within {seconds / 60:g} minutes: YARN is not running its application",
            cause,
            "check that the cluster's core nodes are running and have the label CORE, or switch labels off "
            "(churn:nodeLabels=false) and deploy; then resume the run",
        )


    def report_failed_start(driver: StartingDriver, step: StepName, plan_uri: str, error: BaseException) -> None:
        """Prints why a step could not start, and writes it, which takes no session."""
        failure = explain(step, error)
        print(json.dumps(failure, indent=2), file=sys.stderr, flush=True)
        files = Files(driver)
        plan: Plan = files.read_json(plan_uri)
        files.write_json(plan["outputs"]["errors"][step], failure)


    def give_up(driver: StartingDriver, step: StepName, plan_uri: str, seconds: float) -> None:
        """Reports what YARN says of the application that waits, and cancels it."""
        try:
            client = yarn_client(driver)
            waiting = waiting_applications(client, application_name(step))
        except Exception as error:
            root = [error, *java_throwables(error)][-1]
            report_failed_start(driver, step, plan_uri, not_started(seconds, f"YARN does not answer: {root}"))
            return
        report_failed_start(driver, step, plan_uri, not_started(seconds, yarn_reports(waiting)))
        for application in waiting:
            client.killApplication(application.getApplicationId())


    @contextmanager
    def limited_start(driver: StartingDriver, step: StepName, plan_uri: str, seconds: float) -> Iterator[None]:
        """Ends the process when what is done within takes longer: only YARN lets Spark wait."""
        given_up = threading.Event()

        def end() -> None:
            given_up.set()
            try:
                give_up(driver, step, plan_uri, seconds)
            except Exception:
                traceback.print_exc()
            # The main thread waits in the JVM, where no exception of Python reaches it.
            sys.stderr.flush()
            os._exit(1)

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        if runs_on_yarn(driver):
            timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if given_up.is_set():
                # What is raised now comes from giving up; the reason is being written.
                timer.join()
  `,
});
