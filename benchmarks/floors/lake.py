"""A DuckLake as one opens it by hand."""

from importlib import import_module
from pathlib import Path

import duckdb


def opened(
    catalogue: str = "catalogue.sqlite", tables: str = "tables", *, options: str = ""
) -> duckdb.DuckDBPyConnection:
    """A connection to a DuckLake with an SQLite catalogue, attached as `lake`."""
    connection = duckdb.connect()
    for name in ("sqlite_scanner", "ducklake"):
        folder = Path(import_module(f"duckdb_extension_{name}").__path__[0])
        connection.execute(f"LOAD '{next(folder.rglob(f'{name}.duckdb_extension'))}'")
    wal = "META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 5000"
    connection.execute(f"ATTACH 'ducklake:sqlite:{catalogue}' AS lake (DATA_PATH '{tables}', {wal}{options})")
    return connection
