"""What a query of people's may name: datasets, and functions that do nothing but compute.

DuckDB itself says what a query names, since it serialises what it has parsed. Its settings keep a sealed connection
off other files and off the network, but not off the lake's own folder and catalogue: functions list them, read files
that no snapshot has, and clean up.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from backbone.errors import QueryError, did_you_mean
from backbone.model.names import literal

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree"})
"""Functions that may stand after FROM; all others read files, settings or the catalogue, or change something."""
REFUSED_FUNCTIONS = frozenset({
    "current_setting", "getenv", "getvariable", "json_execute_serialized_sql", "nextval", "currval", "which_secret",
    "write_log", "sleep_ms", "setseed", "txid_current",
})  # fmt: skip
_CATALOGUES = ("", "memory")
_HIDDEN_SCHEMAS = ("lake", "__ducklake_metadata_lake", "information_schema", "pg_catalog", "system", "temp")
_HIDDEN_TABLES = re.compile(r"(duckdb|pragma|pg|sqlite)_\w+", re.IGNORECASE)
_PLAIN = re.compile(r"\w+")
_OWN = re.compile(r"[\w -]+")
"""Names of subqueries. Where one isn't in scope, DuckDB must find no file and no table of its own by that name."""
_COMMENT = r"(?>(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*)"
_EXPLAIN = re.compile(
    rf"{_COMMENT}explain\b{_COMMENT}(?:analyze\b{_COMMENT})?(?:\([^)]*\))?", re.IGNORECASE | re.DOTALL
)
_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
_ONE_SELECT = "`sql` runs one SELECT and changes nothing. To make a dataset, write exploitation/NAME.sql"


def check_sealed(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Make sure that a query is one SELECT (or EXPLAIN, or DESCRIBE) over datasets.

    Raises:
        QueryError: it isn't, or can't be read.
    """
    try:
        statements = connection.extract_statements(query)
        if len(statements) != 1 or statements[0].type not in _READING:
            raise QueryError(_ONE_SELECT)
        explained = statements[0].type == duckdb.StatementType.EXPLAIN
        found = _serialised(connection, _EXPLAIN.sub("", query, count=1) if explained else query)
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from error
    except RecursionError as error:
        raise QueryError("The query is nested too deeply") from error
    nodes = list(_nodes(found))
    named = {entry["key"].lower() for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
    own = {name for name in named if _OWN.fullmatch(name) and not _HIDDEN_TABLES.fullmatch(name)}
    if odd := sorted(named - own):
        raise QueryError(f"A subquery can't be called '{odd[0]}' in `sql`: so may files, or what is the lake's own")
    for node in nodes:
        _check_table(node, own)
        _check_function(node)


def _serialised(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    # Not as a parameter: to convert one, DuckDB would import pandas, which is most of what a question costs.
    row = connection.execute(f"SELECT json_serialize_sql({literal(query)}::VARCHAR)").fetchone()
    found = json.loads(row[0]) if row else {"error": True}
    if found.get("error"):
        raise QueryError(_ONE_SELECT)
    return found


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects in a tree. No recursion: people's queries may be deep."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _check_table(node: dict[str, Any], own: set[str]) -> None:
    if node.get("type") == "SHOW_REF" and node.get("table_name"):
        raise QueryError("`sql` lists nothing. What there is: backbone status, backbone show DATASET")
    if node.get("type") != "BASE_TABLE":
        return
    catalogue, schema, table = (node[f"{part}_name"] for part in ("catalog", "schema", "table"))
    if not catalogue and not schema and table.lower() in own:
        return
    if catalogue.lower() not in _CATALOGUES or schema.lower() in _HIDDEN_SCHEMAS or _HIDDEN_TABLES.fullmatch(table):
        name = ".".join(part for part in (catalogue, schema, table) if part)
        raise QueryError(f"'{name}' is no dataset but the lake's own, which queries don't see. All: backbone status")
    if not _PLAIN.fullmatch(table):
        raise QueryError(f"'{table}' is no dataset, and `sql` reads no files. To have one read: backbone add FILE")


def _check_function(node: dict[str, Any]) -> None:
    function = node.get("function", {}) if node.get("type") == "TABLE_FUNCTION" else None
    name = str((function or node).get("function_name", "")).lower()
    if function is not None and name not in TABLE_FUNCTIONS:
        near = did_you_mean(name, TABLE_FUNCTIONS) or f" After FROM there may be {', '.join(sorted(TABLE_FUNCTIONS))}"
        raise QueryError(f"{name}() can't be used in `sql`, which sees datasets and nothing else.{near}")
    if name in REFUSED_FUNCTIONS:
        raise QueryError(
            f"{name}() can't be used in `sql`, which sees datasets and nothing else. Functions of values can"
        )
