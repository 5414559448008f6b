"""The registry of landed files: append-only, shared by all environments, allocating file ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from backbone.connectors.registry_store import Rows, SqliteStore, Store
from backbone.model.files import LandedFile

if TYPE_CHECKING:
    from backbone.engine.postgres import Database

_LAST = "SELECT arrived_at FROM arrival ORDER BY id DESC LIMIT 1"
_FILES = "SELECT id, source, name, path, sha256, size, origin, arrived_at FROM file"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file seen at its origin: what tells, without reading it, whether it is the one that landed before.

    `place` is the origin as it is written down: relative to the project if it is inside, without secrets. `problem`
    says why it can't be read. What was fetched has a name of its own, `named`, and a `memory`: what its connector must
    know when it asks there again.
    """

    source: str
    origin: Path
    place: str
    size: int = 0
    mtime_ns: int = 0
    problem: str = ""
    named: str = ""
    memory: str | None = None

    @property
    def name(self) -> str:
        """The name that the landed file will have."""
        return self.named or PurePath(self.place).name


class Registry:
    """Landed files and arrivals, in SQLite beside them or in a database. `folder` is the landing zone."""

    def __init__(self, folder: Path, database: "Database | None" = None) -> None:
        self._folder = folder
        self.store: Store = _store(folder, database)

    @property
    def place(self) -> str:
        """Where it is, as people are told."""
        return self.store.place

    def files(self, source: str | None = None) -> tuple[LandedFile, ...]:
        """The landed files of one source, or of all, by id."""
        where, values = ("", ()) if source is None else (" WHERE source = ?", (source,))
        rows = self._read(f"{_FILES}{where} ORDER BY id", values)
        return tuple(self._file(row) for row in rows)

    def folders(self) -> set[str]:
        """The folders of all landed files, by their names in the landing zone."""
        return {path.rpartition("/")[0] for (path,) in self._read("SELECT path FROM file", ())}

    def newest(self, source: str | None = None) -> LandedFile | None:
        """The landed file that arrived last, of one source or of all."""
        where, values = ("", ()) if source is None else (" WHERE source = ?", (source,))
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
        return self.store.read(query, values)

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

    def memory(self, source: str, place: str) -> str | None:
        """What a connector wanted to know when it asks there again; None if nothing has come from there."""
        rows = self._read("SELECT value FROM memory WHERE source = ? AND origin = ?", (source, place))
        return str(rows[0][0]) if rows else None

    def memories(self) -> list[tuple[str, str, str]]:
        """All of what connectors wanted to know: source, origin, what."""
        return [(row[0], row[1], row[2]) for row in self._read("SELECT source, origin, value FROM memory", ())]

    def next_moment(self) -> datetime:
        """The time at which the next file may arrive."""
        return _after(self._read(_LAST, ()))

    def register(self, arrival: Arrival, *, path: Path, sha256: str) -> LandedFile:
        """Record a new landed file, and its arrival."""
        with self.store.writing() as connection:
            now = _after(connection.execute(_LAST).fetchall())
            values = (
                arrival.source, arrival.name, str(path.relative_to(self._folder)), sha256, arrival.size,
                arrival.place, now.isoformat(),
            )  # fmt: skip
            (file_id,) = connection.execute(
                "INSERT INTO file (source, name, path, sha256, size, origin, arrived_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "RETURNING id",
                values,
            ).fetchone()
            _record_arrival(connection, file_id, arrival, now)
        return self._file((file_id, *values))

    def rewrite(self, files: Iterable[LandedFile], aside: str) -> None:
        """Write the registry anew, with each of these files as one arrival. The former one is kept, named `aside`.

        What connectors wanted to know is kept as far as it can be read: without it they would fetch all again.
        """
        memories = [] if self.store.damage() else self.memories()
        with self.store.written_anew(aside) as connection:
            for file in files:
                values = (file.id, file.source, file.name, str(file.path.relative_to(self._folder)), file.sha256)
                more = (file.size, file.origin, file.arrived_at.isoformat())
                connection.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*values, *more))
                written = file.path.stat().st_mtime_ns if file.path.exists() else 0
                arrival = Arrival(file.source, file.path, file.origin, file.size, written)
                _record_arrival(connection, file.id, arrival, file.arrived_at)
            for source, origin, value in memories:
                _remember(connection, source, origin, value)

    def register_repeat(self, arrival: Arrival, file: LandedFile) -> None:
        """Record that a content which has landed arrived again."""
        with self.store.writing() as connection:
            _record_arrival(connection, file.id, arrival, _after(connection.execute(_LAST).fetchall()))


def _after(rows: Sequence[tuple[str]]) -> datetime:
    """Now, and in any case after the last arrival: the clock may jump, the order of arrivals may not."""
    now = datetime.now(UTC)
    return max(now, datetime.fromisoformat(rows[0][0]) + timedelta(microseconds=1)) if rows else now


def _record_arrival(connection: Rows, file_id: int, arrival: Arrival, now: datetime) -> None:
    connection.execute(
        "INSERT INTO arrival (file_id, source, origin, size, mtime_ns, arrived_at) VALUES (?, ?, ?, ?, ?, ?)",
        (file_id, arrival.source, arrival.place, arrival.size, arrival.mtime_ns, now.isoformat()),
    )
    if arrival.memory is not None:
        _remember(connection, arrival.source, arrival.place, arrival.memory)


def _remember(connection: Rows, source: str, origin: str, value: str) -> None:
    connection.execute(
        "INSERT INTO memory (source, origin, value) VALUES (?, ?, ?) "
        "ON CONFLICT (source, origin) DO UPDATE SET value = excluded.value",
        (source, origin, value),
    )


def _store(folder: Path, database: "Database | None") -> Store:
    if database is None:
        return SqliteStore(folder)
    from backbone.connectors.postgres_registry import PostgresStore

    return PostgresStore(database)
