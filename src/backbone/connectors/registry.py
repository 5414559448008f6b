"""The registry of landed files: append-only, shared by all environments, allocating file ids."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backbone.model.files import LandedFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, origin TEXT NOT NULL, arrived_at TEXT NOT NULL,
    UNIQUE (source, sha256));
CREATE TABLE IF NOT EXISTS arrival (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL REFERENCES file (id), source TEXT NOT NULL,
    origin TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, arrived_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS arrival_origin ON arrival (source, origin);
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file seen at its origin: what tells, without reading it, whether it is the one that landed before."""

    source: str
    origin: Path
    size: int
    mtime_ns: int


class Registry:
    """Landed files and arrivals, in SQLite. `folder` is the landing zone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "registry.sqlite"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + _SCHEMA)
            with connection:
                yield connection

    def files(self, source: str | None = None) -> tuple[LandedFile, ...]:
        """The landed files of one source, or of all, by id."""
        query = "SELECT id, source, name, path, sha256, size, origin, arrived_at FROM file"
        rows = self._read(f"{query} WHERE ? IS NULL OR source = ? ORDER BY id", (source, source))
        return tuple(self._file(row) for row in rows)

    def _read(self, query: str, values: tuple[str | None, ...]) -> list[Any]:
        if not self._path.exists():
            return []
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            try:
                return connection.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # made by a run that was killed before it could fill it
                    return []
                raise

    def _file(self, row: tuple[int, str, str, str, str, int, str, str]) -> LandedFile:
        file_id, source, name, path, sha256, size, origin, arrived_at = row
        at = datetime.fromisoformat(arrived_at)
        return LandedFile(file_id, source, name, self._folder / path, sha256, size, origin, at)

    def seen(self, source: str) -> dict[str, tuple[int, int]]:
        """Size and modification time (ns) of the last arrival from each origin."""
        query = "SELECT origin, size, mtime_ns FROM arrival WHERE source = ? ORDER BY id"
        return {origin: (size, mtime) for origin, size, mtime in self._read(query, (source,))}

    def register(self, arrival: Arrival, *, path: Path, sha256: str, size: int) -> LandedFile:
        """Record a new landed file, and its arrival."""
        now = datetime.now(UTC)
        values = (
            arrival.source, arrival.origin.name, str(path.relative_to(self._folder)), sha256, size,
            str(arrival.origin), now.isoformat(),
        )  # fmt: skip
        with self._open() as connection:
            cursor = connection.execute(
                "INSERT INTO file (source, name, path, sha256, size, origin, arrived_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            file_id = cursor.lastrowid or 0
            _record_arrival(connection, file_id, arrival, now)
        return self._file((file_id, *values))

    def find(self, source: str, sha256: str) -> LandedFile | None:
        """The landed file of a source that has this content."""
        return next((f for f in self.files(source) if f.sha256 == sha256), None)

    def register_repeat(self, arrival: Arrival, file: LandedFile) -> None:
        """Record that a content which has landed arrived again."""
        with self._open() as connection:
            _record_arrival(connection, file.id, arrival, datetime.now(UTC))


def _record_arrival(connection: sqlite3.Connection, file_id: int, arrival: Arrival, now: datetime) -> None:
    connection.execute(
        "INSERT INTO arrival (file_id, source, origin, size, mtime_ns, arrived_at) VALUES (?, ?, ?, ?, ?, ?)",
        (file_id, arrival.source, str(arrival.origin), arrival.size, arrival.mtime_ns, now.isoformat()),
    )
