"""Checks champions that cannot score with the generated train-models.py; no Spark is needed to find out.

python champion_reference.py <train-models.py>  Prints one JSON document: by what was done to the champion, its test.
"""

import datetime
import json
import sys

from evaluation_reference import load

PLAN = {
    "champion": {"runId": "run-0", "modelUri": "file:///model", "testCutoff": "2018-11-06"},
    "training": {"horizonDays": 14},
}
CUTOFF = datetime.date(2018, 11, 19)


class StoredFiles:
    """Files of which there is one: the description of a model."""

    def __init__(self, text: str | None) -> None:
        """Takes its text; none where it is gone."""
        self._text = text

    def exists(self, uri: str) -> bool:
        """Whether it is there."""
        return self._text is not None

    def read_json(self, uri: str):
        """The description."""
        return json.loads(self._text)


def main() -> None:
    """Prints what was found."""
    step = load(sys.argv[1])
    inputs = [{"name": name, "definition": definition} for name, definition in step.DEFINITIONS.items()][:3]
    whole = {"kind": "boosted_trees", "inputs": inputs, "horizonDays": 14, "testCutoff": "2018-11-06"}
    changed = {"name": inputs[0]["name"], "definition": "0123"}
    texts = {
        "gone": None,
        "damaged": json.dumps(whole)[:40],
        "horizon": json.dumps({**whole, "horizonDays": 7}),
        "catalogue": json.dumps({**whole, "inputs": [changed, *inputs[1:]]}),
        "segments": json.dumps({**whole, "segmentDefinitions": {changed["name"]: "0123"}}),
        "older release": json.dumps({**whole, "inputs": [{"name": "songs"}]}),
        "kind": json.dumps({**whole, "kind": "oracle"}),
    }
    tests = {
        why: step.check_champion(StoredFiles(text), PLAN, None, CUTOFF, None).test for why, text in texts.items()
    }
    none = step.check_champion(StoredFiles(None), {**PLAN, "champion": None}, None, CUTOFF, None)
    tests["none"] = none.test
    print(json.dumps(tests))


if __name__ == "__main__":
    main()
