"""The DuckDB engine: one in-memory database in this process, sessions as catalogues in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import duckdb

from backbone.engine.duckdb.session import DuckDBSession


class DuckDBEngine:
    """Runs steps in DuckDB. `connection` is shared with the lake, which attaches itself as `lake`."""

    def __init__(self, *, memory_limit: str = "4GB", scratch: Path | None = None) -> None:
        config = {"memory_limit": memory_limit, "temp_directory": str(scratch or "")}
        self.connection = duckdb.connect(":memory:", config={**config})
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'; SET enable_progress_bar = false")
        self._scratch = scratch or Path.cwd()
        self._numbers = count(1)

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        """A session in which nothing is shown yet."""
        cursor = self.connection.cursor()
        catalogue = f"step_{next(self._numbers)}"
        cursor.execute(f"ATTACH ':memory:' AS {catalogue}")
        cursor.execute(f"USE {catalogue}")
        session = DuckDBSession(cursor, catalogue, self._scratch)
        try:
            yield session
        finally:
            session.close()

    def close(self) -> None:
        """Release the database and its memory."""
        self.connection.close()
