"""Checks queries in Athena's dialect against the columns of tables, and translates them to DuckDB's dialect.

Reads {"schema": {table: {column: type}}, "queries": {name: sql}} from standard input;
writes {name: {"sql": ...} or {"error": ...}} to standard output.
"""

import json
import sys

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify


def check(sql: str, schema: dict) -> dict:
    """The query in DuckDB's dialect, or what is wrong with it."""
    try:
        tree = parse_one(sql, read="athena")
        unknown = {table.name for table in tree.find_all(exp.Table)} - set(schema)
        if unknown:
            return {"error": f"unknown tables: {sorted(unknown)}"}
        qualify(tree.copy(), schema=schema, dialect="athena", validate_qualify_columns=True)
        return {"sql": tree.sql(dialect="duckdb")}
    except SqlglotError as error:
        return {"error": str(error)}


request = json.load(sys.stdin)
answer = {name: check(sql, request["schema"]) for name, sql in request["queries"].items()}
json.dump(answer, sys.stdout)
