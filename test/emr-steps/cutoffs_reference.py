"""Prints the cutoffs that the generated build-features.py plans: no Spark needed.

python cutoffs_reference.py <build-features.py> <cases.json>  A JSON array: for each case its cutoffs, or the error.
"""

import datetime
import json
import pathlib
import sys

from evaluation_reference import load


def planned(step, case: dict):
    """Role and day of each cutoff."""
    period = step.Period(*(datetime.date.fromisoformat(case[name]) for name in ("firstDay", "observationEnd")))
    try:
        return [[cutoff.role, str(cutoff.cutoff)] for cutoff in step.plan_cutoffs(period, case["settings"])]
    except step.StepError as error:
        return str(error)


if __name__ == "__main__":
    script = load(sys.argv[1])
    print(json.dumps([planned(script, case) for case in json.loads(pathlib.Path(sys.argv[2]).read_text())]))
