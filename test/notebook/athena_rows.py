"""Asks a client of Athena that answers in two pages, as boto3 gives them, and prints the rows and the types of the columns."""

import json
import sys

sys.path.insert(0, sys.argv[1])
from churn_lake import rows_from_athena

COLUMNS = [("user_id", "varchar"), ("hours", "double"), ("songs", "bigint"), ("cancelled", "boolean"), ("at", "timestamp")]
HEAD = [name for name, _ in COLUMNS]
ROWS = [["7", "1.5", "12", "true", "2018-10-01 10:00:00.000"], ["8", None, "3", "false", "2018-10-02 00:00:00.000"]]


class Client:
    def __init__(self):
        self.states = ["RUNNING", "SUCCEEDED"]
        self.asked = {}

    def start_query_execution(self, **asked):
        self.asked = asked
        return {"QueryExecutionId": "q-1"}

    def get_query_execution(self, QueryExecutionId):
        return {"QueryExecution": {"Status": {"State": self.states.pop(0)}}}

    def get_paginator(self, name):
        return self

    def paginate(self, QueryExecutionId):
        cells = [[{} if value is None else {"VarCharValue": value} for value in row] for row in [HEAD, *ROWS]]
        info = {"ColumnInfo": [{"Name": name, "Type": kind} for name, kind in COLUMNS]}
        for part in (cells[:2], cells[2:]):
            yield {"ResultSet": {"ResultSetMetadata": info, "Rows": [{"Data": data} for data in part]}}


client = Client()
frame = rows_from_athena(client, "SELECT 1", "churn_prod", "churn-prod")
rows = json.loads(frame.to_json(orient="records", date_format="iso"))
types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
print(json.dumps({"asked": client.asked, "rows": rows, "types": types}))
