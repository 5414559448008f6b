"""Assets whose SQL runs in DuckDB: `views.json` says which views there are; without it, the floor's flights."""

import json
from pathlib import Path

import duckdb
from dagster import AssetsDefinition, Definitions, asset, in_process_executor

VIEWS = Path("views.json")


def view(name: str, read: str, query: str) -> AssetsDefinition:
    """An asset that is a table."""

    @asset(name=name, deps=[read] if read else [])
    def made() -> None:
        with duckdb.connect("bench.duckdb") as connection:
            connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")

    return made


def flights() -> AssetsDefinition:
    """The floor's statements as one asset: Dagster runs code, it doesn't transform."""
    import flights as floor

    work = floor.day if Path("floor.db").exists() else floor.full

    @asset(name="flights")
    def made() -> None:
        with duckdb.connect("floor.db") as connection:
            work(connection)

    return made


assets = [view(*one) for one in json.loads(VIEWS.read_text())] if VIEWS.exists() else [flights()]
defs = Definitions(assets=assets, executor=in_process_executor)
