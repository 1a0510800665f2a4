"""Where the lake is: `ask` returns the rows of a query as a pandas data frame, here and in EMR Studio.

On a machine DuckDB reads the folder of a local lake: the one in the variable CHURN_LAKE, or `.churn` in this folder or above.
In EMR Studio the kernel sets CHURN_DATABASE and CHURN_WORKGROUP, and Athena answers. Statements that both understand keep to
what Trino and DuckDB share.
"""

from __future__ import annotations

import importlib.util
import os
import re
import time
from pathlib import Path
from typing import Any

import pandas as pd

#: Folders of a lake, as `domain/lake.ts` defines them.
ICEBERG_FOLDER = "warehouse/churn"
JSON_FOLDER = "tables"

WAIT_SECONDS = 0.7


def ask(sql: str) -> pd.DataFrame:
    """Rows of one statement. Raises LookupError where there is no lake, RuntimeError where it cannot answer."""
    if "CHURN_DATABASE" in os.environ:
        return _ask_athena(sql, os.environ["CHURN_DATABASE"], os.environ["CHURN_WORKGROUP"])
    return _ask_duckdb(sql, find_lake())


def find_lake() -> Path:
    """Folder of the local lake."""
    named = os.environ.get("CHURN_LAKE")
    here = Path.cwd()
    candidates = [Path(named)] if named else [folder / ".churn" for folder in (here, *here.parents)]
    for folder in candidates:
        if (folder / ICEBERG_FOLDER).is_dir():
            return folder.resolve()
    raise LookupError(
        f"There is no lake in {candidates[0]}: run npm start first, or name the folder in CHURN_LAKE."
    )


def _ask_duckdb(sql: str, lake: Path) -> pd.DataFrame:
    import duckdb

    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        # Offline: the extensions are packages, and avro has to be there before iceberg.
        for name in ("avro", "iceberg"):
            connection.execute(f"LOAD '{_extension(name)}'")
        for view in _views(lake):
            connection.execute(view)
        try:
            return connection.execute(sql).df()
        except duckdb.Error as error:
            raise RuntimeError(f"The lake in {lake} could not answer: {error}") from error


def _extension(name: str) -> Path:
    spec = importlib.util.find_spec(f"duckdb_extension_{name}")
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    for folder in folders:
        for file in Path(folder).glob(f"extensions/*/{name}.duckdb_extension"):
            return file
    raise LookupError(f"The package duckdb-extension-{name} is missing: run npm run notebook again.")


def _views(lake: Path) -> list[str]:
    views = []
    for table in sorted((lake / ICEBERG_FOLDER).iterdir()):
        numbered = [
            (int(found[1]), file)
            for file in (table / "metadata").glob("*.metadata.json")
            if (found := re.match(r"v(\d+)(\.gz)?\.metadata\.json$", file.name))
        ]
        if numbered:
            views.append(_view(table.name, f"iceberg_scan({_text(max(numbered)[1])})"))
    for table in sorted((lake / JSON_FOLDER).glob("*")):
        if any(table.glob("[!._]*.json")):
            rows = _text(table / "[!._]*.json")
            views.append(
                _view(table.name, f"read_json({rows}, format = 'newline_delimited', union_by_name = true)")
            )
    return views


def _view(name: str, source: str) -> str:
    return f'CREATE VIEW "{name}" AS SELECT * FROM {source}'


def _text(value: Path) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _ask_athena(sql: str, database: str, workgroup: str) -> pd.DataFrame:
    import boto3

    return rows_from_athena(boto3.client("athena"), sql, database, workgroup)


def rows_from_athena(client: Any, sql: str, database: str, workgroup: str) -> pd.DataFrame:
    """Asks a client of Athena and waits for the answer."""
    started = client.start_query_execution(
        QueryString=sql, WorkGroup=workgroup, QueryExecutionContext={"Database": database}
    )
    query = started["QueryExecutionId"]
    while True:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            break
        if status["State"] in ("FAILED", "CANCELLED"):
            raise RuntimeError(f"Athena could not answer: {status.get('StateChangeReason', status['State'])}")
        time.sleep(WAIT_SECONDS)
    pages = list(client.get_paginator("get_query_results").paginate(QueryExecutionId=query))
    columns = pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    rows = [
        [cell.get("VarCharValue") for cell in row["Data"]]
        for page in pages
        for row in page["ResultSet"]["Rows"]
    ]
    # The first row repeats the names of the columns.
    frame = pd.DataFrame(rows[1:], columns=[column["Name"] for column in columns])
    for column in columns:
        frame[column["Name"]] = _typed(frame[column["Name"]], column["Type"])
    return frame


def _typed(values: pd.Series, athena_type: str) -> pd.Series:
    if athena_type in ("tinyint", "smallint", "integer", "bigint", "float", "double", "decimal"):
        return pd.to_numeric(values)
    if athena_type == "boolean":
        return values.map({"true": True, "false": False})
    if athena_type == "date" or athena_type.startswith("timestamp"):
        return pd.to_datetime(values)
    return values
