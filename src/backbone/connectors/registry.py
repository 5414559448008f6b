"""The registry of landed files: append-only, shared by all environments, allocating file ids."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath
from typing import Any

from backbone.engine.sqlite import reading
from backbone.model.files import LandedFile

_FILE = """(
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, origin TEXT NOT NULL, arrived_at TEXT NOT NULL)"""
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS file {_FILE};
CREATE TABLE IF NOT EXISTS arrival (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL REFERENCES file (id), source TEXT NOT NULL,
    origin TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, arrived_at TEXT NOT NULL);
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
_LAST = "SELECT arrived_at FROM arrival ORDER BY id DESC LIMIT 1"
_FILES = "SELECT id, source, name, path, sha256, size, origin, arrived_at FROM file"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file seen at its origin: what tells, without reading it, whether it is the one that landed before.

    `place` is the origin as it is written down: relative to the project if it is inside, without secrets. `problem`
    says why it can't be read.
    """

    source: str
    origin: Path
    place: str
    size: int = 0
    mtime_ns: int = 0
    problem: str = ""

    @property
    def name(self) -> str:
        """The name that the landed file will have."""
        return PurePath(self.place).name


class Registry:
    """Landed files and arrivals, in SQLite. `folder` is the landing zone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "registry.sqlite"

    @property
    def place(self) -> str:
        """Where it is, as people are told."""
        return str(self.path)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
            if connection.execute(_FORMER).fetchone():
                connection.executescript(_RENEW)
            connection.executescript(_SCHEMA)
            with connection:
                yield connection

    def files(self, source: str | None = None) -> tuple[LandedFile, ...]:
        """The landed files of one source, or of all, by id."""
        rows = self._read(f"{_FILES} WHERE ? IS NULL OR source = ? ORDER BY id", (source, source))
        return tuple(self._file(row) for row in rows)

    def newest(self, source: str | None = None) -> LandedFile | None:
        """The landed file that arrived last, of one source or of all."""
        where = "" if source is None else " WHERE source = ?"
        values = () if source is None else (source,)
        return self._first(f"{_FILES}{where} ORDER BY id DESC LIMIT 1", values)

    def newest_by_source(self) -> dict[str, int]:
        """The id of the newest landed file of each source."""
        return dict(self._read("SELECT source, max(id) FROM file GROUP BY source", ()))

    def with_content(self, source: str, sha256: str) -> LandedFile | None:
        """The first landed file of a source that has this content."""
        return self._first(f"{_FILES} WHERE source = ? AND sha256 = ? ORDER BY id LIMIT 1", (source, sha256))

    def last_from(self, source: str, place: str) -> LandedFile | None:
        """The landed file whose content came last from an origin."""
        last = "SELECT file_id FROM arrival WHERE source = ? AND origin = ? ORDER BY id DESC LIMIT 1"
        return self._first(f"{_FILES} WHERE id = ({last})", (source, place))

    def came_as(self, arrival: Arrival, sha256: str) -> bool:
        """Whether this content has arrived with the very same modification time: it was moved, or copied with it."""
        query = (
            "SELECT 1 FROM arrival a JOIN file f ON f.id = a.file_id "
            "WHERE f.source = ? AND f.sha256 = ? AND a.mtime_ns = ? LIMIT 1"
        )
        return bool(self._read(query, (arrival.source, sha256, arrival.mtime_ns)))

    def has_size(self, source: str, size: int) -> bool:
        """Whether a landed file of a source has this size in bytes: one of another size has a new content."""
        return bool(self._read("SELECT 1 FROM file WHERE source = ? AND size = ? LIMIT 1", (source, size)))

    def _first(self, query: str, values: tuple[object, ...]) -> LandedFile | None:
        rows = self._read(query, values)
        return self._file(rows[0]) if rows else None

    def _read(self, query: str, values: tuple[object, ...]) -> list[Any]:
        if not self.path.exists():
            return []
        with reading(self.path) as connection:
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

    def seen_at(self, source: str, place: str) -> tuple[int, int] | None:
        """Size and modification time (ns) of the last arrival from one origin, if there was any."""
        query = "SELECT size, mtime_ns FROM arrival WHERE source = ? AND origin = ? ORDER BY id DESC LIMIT 1"
        return next(iter(self._read(query, (source, place))), None)

    def next_moment(self) -> datetime:
        """The time at which the next file may arrive."""
        return _after(self._read(_LAST, ()))

    def register(self, arrival: Arrival, *, path: Path, sha256: str) -> LandedFile:
        """Record a new landed file, and its arrival."""
        with self._open() as connection:
            now = _after(connection.execute(_LAST).fetchall())
            values = (
                arrival.source, arrival.name, str(path.relative_to(self._folder)), sha256, arrival.size,
                arrival.place, now.isoformat(),
            )  # fmt: skip
            cursor = connection.execute(
                "INSERT INTO file (source, name, path, sha256, size, origin, arrived_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            file_id = cursor.lastrowid or 0
            _record_arrival(connection, file_id, arrival, now)
        return self._file((file_id, *values))

    def rewrite(self, files: Iterable[LandedFile], aside: str) -> None:
        """Write the registry anew, with each of these files as one arrival. The former one is kept, named `aside`."""
        for suffix in ("", "-wal", "-shm"):
            former = self.path.with_name(self.path.name + suffix)
            if former.exists():
                former.rename(former.with_name(f"{aside}{suffix}"))
        with self._open() as connection:
            for file in files:
                values = (file.id, file.source, file.name, str(file.path.relative_to(self._folder)), file.sha256)
                more = (file.size, file.origin, file.arrived_at.isoformat())
                connection.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, *more))
                written = file.path.stat().st_mtime_ns if file.path.exists() else 0
                arrival = Arrival(file.source, file.path, file.origin, file.size, written)
                _record_arrival(connection, file.id, arrival, file.arrived_at)

    def register_repeat(self, arrival: Arrival, file: LandedFile) -> None:
        """Record that a content which has landed arrived again."""
        with self._open() as connection:
            _record_arrival(connection, file.id, arrival, _after(connection.execute(_LAST).fetchall()))


def _after(rows: Sequence[tuple[str]]) -> datetime:
    """Now, and in any case after the last arrival: the clock may jump, the order of arrivals may not."""
    now = datetime.now(UTC)
    return max(now, datetime.fromisoformat(rows[0][0]) + timedelta(microseconds=1)) if rows else now


def _record_arrival(connection: sqlite3.Connection, file_id: int, arrival: Arrival, now: datetime) -> None:
    connection.execute(
        "INSERT INTO arrival (file_id, source, origin, size, mtime_ns, arrived_at) VALUES (?, ?, ?, ?, ?, ?)",
        (file_id, arrival.source, arrival.place, arrival.size, arrival.mtime_ns, now.isoformat()),
    )
