"""Statements in GoogleSQL to DuckDB's dialect, by sqlglot: one JSON text per line in, one JSON object per line out."""
import json
import sys

import sqlglot
from sqlglot import exp

for line in sys.stdin:
    try:
        trees = [tree for tree in sqlglot.parse(json.loads(line), read="bigquery") if tree is not None]
        kind = "SCRIPT" if len(trees) > 1 else "SELECT" if isinstance(trees[0], exp.Query) else trees[0].key.upper()
        sql = trees[0].sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)
        print(json.dumps({"kind": kind, "sql": sql}), flush=True)
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
