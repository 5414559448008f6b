"""A dataset of Kedro's that is a table in DuckDB: it is saved by the query that makes it, and loaded as its name."""

import duckdb
from kedro.io import AbstractDataset


class Table(AbstractDataset[str, str]):
    """A table."""

    def __init__(self, table: str) -> None:
        self._table = table

    def load(self) -> str:
        """Its name, for other queries."""
        return self._table

    def save(self, data: str) -> None:
        """Make it."""
        with duckdb.connect("bench.duckdb") as connection:
            connection.execute(f"CREATE OR REPLACE TABLE {self._table} AS {data}")

    def _exists(self) -> bool:
        with duckdb.connect("bench.duckdb") as connection:
            found = connection.execute("FROM duckdb_tables() WHERE table_name = ?", [self._table])
            return found.fetchone() is not None

    def _describe(self) -> dict[str, str]:
        return {"table": self._table}
