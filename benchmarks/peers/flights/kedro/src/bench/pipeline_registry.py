"""Nodes whose SQL runs in DuckDB: `views.json` says which views there are; without it, the floor's flights."""

import json
from pathlib import Path

import duckdb
from kedro.pipeline import Pipeline, node

VIEWS = Path("views.json")


def view(name: str, read: str, query: str) -> object:
    """A node that gives the query of a table."""
    return node(lambda *_: query, [read] if read else None, name, name=name)


def flights() -> str:
    """The floor's statements as one node: Kedro runs code, it doesn't transform."""
    import flights as floor

    work = floor.day if Path("floor.db").exists() else floor.full
    with duckdb.connect("floor.db") as connection:
        work(connection)
    return "done"


def register_pipelines() -> dict[str, Pipeline]:
    """The only pipeline."""
    if VIEWS.exists():
        return {"__default__": Pipeline([view(*one) for one in json.loads(VIEWS.read_text())])}
    return {"__default__": Pipeline([node(flights, None, "done", name="flights")])}
