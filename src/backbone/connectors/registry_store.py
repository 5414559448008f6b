"""Where the registry of landed files is kept: what its queries need of SQLite or of PostgreSQL."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from backbone.engine import sqlite

_FILE = """(
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, origin TEXT NOT NULL, arrived_at TEXT NOT NULL)"""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS file {_FILE};
CREATE TABLE IF NOT EXISTS arrival (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL REFERENCES file (id), source TEXT NOT NULL,
    origin TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, arrived_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS memory (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, origin TEXT NOT NULL, value TEXT NOT NULL,
    UNIQUE (source, origin));
CREATE INDEX IF NOT EXISTS file_content ON file (source, sha256);
CREATE INDEX IF NOT EXISTS file_size ON file (source, size);
CREATE INDEX IF NOT EXISTS arrival_origin ON arrival (source, origin);
CREATE INDEX IF NOT EXISTS arrival_file ON arrival (file_id);
"""
_FORMER = "SELECT 1 FROM sqlite_master WHERE name = 'file' AND sql LIKE '%UNIQUE%'"
"""Whether a registry was made when each content could land once; since then one that comes back is a new version."""
_RENEW = f"""
BEGIN IMMEDIATE;
CREATE TABLE renewed {_FILE};
INSERT INTO renewed SELECT id, source, name, path, sha256, size, origin, arrived_at FROM file;
DROP TABLE file;
ALTER TABLE renewed RENAME TO file;
COMMIT;
"""


class Rows(Protocol):
    """An open transaction."""

    def execute(self, query: str, values: Sequence[object] = (), /) -> Any:
        """Run one statement; values stand for `?`."""


class Store(Protocol):
    """The tables `file`, `arrival` and `memory` (what is to be known of an origin when it is asked again)."""

    @property
    def place(self) -> str:
        """Where they are, as people are told."""

    @property
    def name(self) -> str:
        """What they are called there."""

    def exists(self) -> bool:
        """Whether they were made, sound or not."""

    def damage(self) -> str | None:
        """What is wrong with them, whatever they say; None if they are sound."""

    def copy_to(self, path: Path) -> None:
        """Write them, as they are at one moment, to a new SQLite file."""

    def read(self, query: str, values: Sequence[object]) -> list[Any]:
        """The rows of a query; none where nothing has landed yet."""

    def take_over(self, other: "Store") -> None:
        """Have all rows of another registry, and no others. Only to be called under the landing lock."""

    def writing(self) -> AbstractContextManager[Rows]:
        """A transaction, committed at the end of the block."""

    def written_anew(self, aside: str) -> AbstractContextManager[Rows]:
        """A transaction that begins with empty tables; the former ones are kept under the name `aside`."""


class SqliteStore:
    """Implements `Store` in a file beside the landed ones."""

    def __init__(self, folder: Path, name: str = "registry.sqlite") -> None:
        self._folder = folder
        self.path = folder / name

    @property
    def place(self) -> str:
        """See `Store`."""
        return str(self.path)

    @property
    def name(self) -> str:
        """See `Store`."""
        return self.path.name

    def exists(self) -> bool:
        """See `Store`."""
        return self.path.exists()

    def damage(self) -> str | None:
        """See `Store`."""
        return sqlite.damage(self.path) if self.exists() else "it is not there"

    def copy_to(self, path: Path) -> None:
        """See `Store`."""
        sqlite.back_up(self.path, path)

    def read(self, query: str, values: Sequence[object]) -> list[Any]:
        """See `Store`."""
        if not self.path.exists():
            return []
        with sqlite.reading(self.path) as connection:
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # made by a run that was killed before it could fill it
                    return []
                raise

    def take_over(self, other: "Store") -> None:
        """See `Store`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        part.unlink(missing_ok=True)  # of one who was killed
        other.copy_to(part)
        sqlite.settle(part)
        sqlite.put_in_place(part, self.path)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """See `Store`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
            if connection.execute(_FORMER).fetchone():
                connection.executescript(_RENEW)
            connection.executescript(_SCHEMA)
            with connection:
                yield connection

    @contextmanager
    def written_anew(self, aside: str) -> Iterator[sqlite3.Connection]:
        """See `Store`."""
        if self.path.exists():
            with suppress(sqlite3.DatabaseError):  # damaged: then it is kept as it is, with its log
                sqlite.settle(self.path)
        for suffix in ("-wal", "-shm", ""):  # a log must not meet a new file
            former = self.path.with_name(self.path.name + suffix)
            if former.exists():
                former.rename(former.with_name(f"{aside}.sqlite{suffix}"))
        with self.writing() as connection:
            yield connection
