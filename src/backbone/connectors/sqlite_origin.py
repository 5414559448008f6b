"""SQLite databases as origins: opened to be read, as they are at one moment."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from backbone.connectors.secrets import concealed
from backbone.errors import OriginError

_WAIT_SECONDS = 30


class SqliteReading:
    """Implements `Reading`."""

    mark = "?"
    binary = " COLLATE BINARY"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[list[str], Iterable[Any]]]:
        """See `Reading`."""
        with closing(self._connection.execute(query, values)) as found:
            yield [column[0] for column in found.description], found


@contextmanager
def reading_sqlite(path: Path, told: str) -> Iterator[SqliteReading]:
    """A database file at one moment.

    Raises:
        OriginError: it isn't there, or can't be read.
    """
    if not path.is_file():
        raise OriginError(f"{told} can't be read: there is no file '{concealed(str(path))}'")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_WAIT_SECONDS)) as connection:
            connection.execute("BEGIN")
            yield SqliteReading(connection)
    except sqlite3.Error as error:
        raise OriginError(f"{told} can't be read: {concealed(str(error))}") from None
