"""Prints the survival curve that the generated train-models.py makes of users: no Spark needed.

python survival_reference.py <train-models.py> <users.json> <least at risk>  Users are entry, end, and 1 for a cancellation.
"""

import collections
import json
import pathlib
import sys

from evaluation_reference import load

if __name__ == "__main__":
    script = load(sys.argv[1])
    script.LEAST_AT_RISK = int(sys.argv[3])
    changes = collections.defaultdict(lambda: [0, 0, 0])
    for entered, ended, cancelled in json.loads(pathlib.Path(sys.argv[2]).read_text()):
        changes[entered][0] += 1
        changes[ended][1] += cancelled
        changes[ended][2] += 1
    print(json.dumps(script.survival_points(script.Change(day, *of_day) for day, of_day in changes.items())))
