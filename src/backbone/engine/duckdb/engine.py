"""The DuckDB engine: one in-memory database in this process, sessions as catalogues in it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path

import duckdb

from backbone.engine.duckdb.extensions import CONFIG, silence
from backbone.engine.duckdb.session import DuckDBSession
from backbone.engine.protocol import Each, one_by_one
from backbone.model.memory import DEFAULT_LIMIT

FEW_ROWS = 10_000
"""Up to this many rows one thread is enough, even if a query joins each of them with each: others only wait busily."""


class DuckDBEngine:
    """Runs steps in DuckDB. `connection` is shared with the lake, which attaches itself as `lake`."""

    translates = False

    def __init__(self, *, memory_limit: str = DEFAULT_LIMIT, scratch: Path | None = None) -> None:
        config = {**CONFIG, "memory_limit": memory_limit, "temp_directory": str(scratch or "")}
        self.connection = duckdb.connect(":memory:", config={**config})
        silence(self.connection)
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._scratch = scratch or Path.cwd()
        self._numbers = count(1)
        self._few = False

    def expect(self, rows: int | None) -> None:
        """See `Engine`."""
        few = rows is not None and rows <= FEW_ROWS
        if few != self._few:
            self.connection.execute("SET threads = 1" if few else "RESET threads")
            self._few = few

    @contextmanager
    def session(self) -> Iterator[DuckDBSession]:
        """A session in which nothing is shown yet."""
        cursor = self.connection.cursor()
        catalogue = f"step_{next(self._numbers)}"
        silence(cursor)
        cursor.execute(f"ATTACH ':memory:' AS {catalogue}; USE {catalogue}")
        try:
            yield DuckDBSession(cursor, self._scratch)
        except BaseException:
            with suppress(duckdb.Error):  # the block's own error is the one to tell
                self._end(cursor, catalogue)
            raise
        self._end(cursor, catalogue)

    def _end(self, cursor: duckdb.DuckDBPyConnection, catalogue: str) -> None:
        cursor.close()
        self.connection.execute(f"DETACH {catalogue}")

    def local(self) -> AbstractContextManager[DuckDBSession]:
        """See `Engine`: every session of DuckDB's works in this process."""
        return self.session()

    @property
    def each(self) -> Each:
        """See `Engine`: DuckDB's own threads share what there is to do, so that one thing at a time is done."""
        return one_by_one

    def close(self) -> None:
        """Release the database and its memory."""
        self.connection.close()
