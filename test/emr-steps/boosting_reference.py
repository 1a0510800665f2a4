"""Boosts with a booster that loses executors: train-models.py is generated, and no Spark is needed to find out.

python boosting_reference.py <train-models.py>  Prints one JSON document: by what is lost, how often was fitted, and what came out.
"""

import json
import sys

from evaluation_reference import load
from py4j.protocol import Py4JJavaError

LOST = "Could not recover from a failed barrier ResultStage. Most recent failure reason: Executor Process Lost"


class Raised(Py4JJavaError):
    """What Spark raises, without a JVM."""

    def __init__(self, message: str) -> None:
        """Takes the message."""
        self._message = message

    def __str__(self) -> str:
        """The message."""
        return self._message


class Booster:
    """Fails a number of times, and then gives a model."""

    def __init__(self, failures: int, message: str) -> None:
        """Takes how often it fails, and with which message."""
        self.fits = 0
        self._failures = failures
        self._message = message

    def fit(self, rows: str) -> str:
        """A model of the rows."""
        self.fits += 1
        if self.fits <= self._failures:
            raise Raised(self._message)
        return f"model of {rows}"


def main() -> None:
    """Prints what happened."""
    step = load(sys.argv[1])
    boosters = {
        "nothing": Booster(0, LOST),
        "twice": Booster(2, LOST),
        "always": Booster(9, LOST),
        "another error": Booster(1, "Job aborted due to stage failure: out of memory"),
    }
    found = {}
    for name, booster in boosters.items():
        try:
            outcome = step.boost(booster, "rows")
        except Py4JJavaError as error:
            outcome = str(error)
        found[name] = {"fits": booster.fits, "outcome": outcome}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
