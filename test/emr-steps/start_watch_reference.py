"""Runs main() of a generated script with another limit to the time in which Spark may start.

start_watch_reference.py <script> <seconds> --plan <uri>
"""

import importlib.util
import sys


def load(path: str):
    """The generated script as a module; its main() does not run."""
    specification = importlib.util.spec_from_file_location("step", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Application:
    """What YARN reports about an application, by the methods that are called of it."""

    def __init__(self, number: int, name: str, state: str, diagnostics: str | None) -> None:
        """Takes what it answers."""
        self.getApplicationId = lambda: f"application_{number}"
        self.getName = lambda: name
        self.getYarnApplicationState = lambda: state
        self.getDiagnostics = lambda: diagnostics


class Client:
    """A ResourceManager with applications of this step and of another."""

    def getApplications(self) -> list[Application]:
        """All of them."""
        return [
            Application(1, "churn score-users", "FAILED", "an earlier attempt"),
            Application(2, "churn train-models", "ACCEPTED", "another step"),
            Application(3, "churn score-users", "ACCEPTED", " Queue's AM resource limit exceeded. \n"),
            Application(4, "churn score-users", "SUBMITTED", None),
            Application(5, "churn score-users", "RUNNING", "runs"),
        ]


def main() -> None:
    """Prints what is found out about waiting applications, or runs the step."""
    step = load(sys.argv.pop(1))
    seconds = float(sys.argv.pop(1))
    if sys.argv[1:] == ["--reports"]:
        print(step.yarn_reports(step.waiting_applications(Client(), "churn score-users")))
        print(step.yarn_reports([]))
        return
    step.main(step.STEP, lambda _spark, _plan: {}, seconds)


if __name__ == "__main__":
    main()
