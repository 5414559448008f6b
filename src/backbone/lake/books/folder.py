"""Books in a folder: an SQLite catalogue, file locks, and a file for each lease and each run. What a laptop has."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from backbone.engine import sqlite
from backbone.lake.books import folder_leases
from backbone.lake.books.protocol import Entry, Holder, Lease, OnWait
from backbone.lake.lock import holder_of, locked
from backbone.model.names import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class _Held:
    """Implements `Hold`: a file's lock is only lost with its process."""

    def check(self) -> None:
        """See `Hold`."""


@dataclass(frozen=True, slots=True)
class FolderBooks:
    """Implements `Books` in one folder. Whoever writes is alone: `run.lock` is held from first look to last word."""

    folder: Path
    NAME: ClassVar[str] = "catalogue.sqlite"

    @property
    def catalogue(self) -> Path:
        """The catalogue, an SQLite file."""
        return self.folder / self.NAME

    @property
    def place(self) -> str:
        """See `Books`."""
        return str(self.folder)

    @property
    def name(self) -> str:
        """See `Books`."""
        return self.catalogue.name

    @property
    def shared(self) -> bool:
        """See `Books`."""
        return False

    @property
    def schema(self) -> str:
        """See `Books`."""
        return "main"

    @property
    def extension(self) -> str:
        """See `Books`."""
        return "sqlite_scanner"

    def target(self, *, read_only: bool) -> tuple[str, list[str]]:
        """See `Books`. A read-only lake is attached where its catalogue can be read."""
        path = sqlite.readable(self.catalogue) if read_only else self.catalogue
        return f"sqlite:{path}", ["META_JOURNAL_MODE 'WAL'", "META_BUSY_TIMEOUT 5000"]

    def told(self, text: str) -> str:
        """See `Books`."""
        return text

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """See `Books`."""
        return sqlite.reading(self.catalogue)

    def last_snapshot(self) -> tuple[str, int] | None:
        """See `Books`."""
        if not self.catalogue.exists():
            return None
        try:
            with self.reading() as rows:
                (snapshot,) = rows.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()
                (identity,) = rows.execute(
                    "SELECT min(schema_uuid) FROM ducklake_schema WHERE schema_id = 0"
                ).fetchone()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # made, but not initialised: a first run that was killed
                return None
            raise
        return (str(identity), int(snapshot)) if snapshot is not None else None

    def damage(self) -> str | None:
        """See `Books`."""
        return sqlite.damage(self.catalogue) if self.catalogue.exists() else "it is not there"

    def has_catalogue(self) -> bool:
        """See `Books`."""
        return self.catalogue.exists()

    def bytes(self) -> int:
        """See `Books`."""
        return self.catalogue.stat().st_size

    def copy_to(self, connection: "DuckDBPyConnection", path: Path) -> None:
        """See `Books`. The scanner would read each table at a moment of its own: it is given what nobody writes to."""
        still = path.with_suffix(".sqlite")
        try:
            sqlite.copy(self.catalogue, still)
            connection.execute(f"ATTACH {literal(str(still))} AS meta (TYPE sqlite, READ_ONLY)")
            connection.execute("COPY FROM DATABASE meta TO frozen")
            connection.execute("DETACH meta")
        finally:
            still.unlink(missing_ok=True)

    def export(self, path: Path) -> None:
        """See `Books`."""
        sqlite.back_up(self.catalogue, path)

    def take_over(self, path: Path) -> None:
        """See `Books`. The file must be on the same disk."""
        sqlite.put_in_place(path, self.catalogue)

    def keep(self, name: str) -> str:
        """See `Books`."""
        sqlite.back_up(self.catalogue, self._kept(name))
        sqlite.settle(self._kept(name))
        return str(self._kept(name))

    def put_back(self, name: str) -> None:
        """See `Books`."""
        part = self.catalogue.with_suffix(".part")
        sqlite.back_up(self._kept(name), part)
        sqlite.settle(part)
        self.take_over(part)

    def _kept(self, name: str) -> Path:
        return self.catalogue.with_name(f"catalogue.{name}.sqlite")

    def retire(self, name: str) -> str:
        """See `Books`."""
        sqlite.settle(self.catalogue)
        self.catalogue.replace(self._kept(name))
        return str(self._kept(name))

    def prepare(self) -> None:
        """See `Books`."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def writing(
        self, datasets: Collection[str] | None, *, on_wait: OnWait | None = None, wait: bool = True
    ) -> AbstractContextManager[None]:
        """See `Books`. Whichever datasets it is about, there is one writer."""
        del datasets
        return locked(self.folder / "run.lock", on_wait=on_wait, wait=wait)

    def writer(self) -> str:
        """See `Books`."""
        return holder_of(self.folder / "run.lock")

    @contextmanager
    def publishing(self) -> Iterator[_Held]:
        """See `Books`. Meanwhile Python's SQLite is used by this thread alone: see `engine/sqlite.py`."""
        with locked(self.folder / "lake.lock"), sqlite.APART:
            yield _Held()

    def take_lease(self, choose: Callable[[], int]) -> Lease:
        """See `Books`."""
        return folder_leases.take_lease(self.folder, choose, self._last)

    def _last(self) -> int | None:
        known = self.last_snapshot()
        return known[1] if known else None

    def pin(self, reader: str, snapshot: int) -> None:
        """See `Books`."""
        folder_leases.pin(self.folder, reader, snapshot)

    def without_new_leases(self) -> AbstractContextManager[list[Holder]]:
        """See `Books`."""
        return folder_leases.without_new_leases(self.folder)

    def holders(self) -> list[Holder]:
        """See `Books`."""
        return folder_leases.holders(self.folder)

    @property
    def _runs(self) -> Path:
        return self.folder / "runs"

    @contextmanager
    def entering(self, run: str, entry: Entry) -> Iterator[None]:
        """See `Books`. Under the run lock there is no other: an entry that is found there belongs to a dead run."""
        self._runs.mkdir(parents=True, exist_ok=True)
        path = self._runs / f"{run}.json"
        open_entry(path, entry)
        yield
        close_entry(path)

    def note_failure(self, run: str, failed: str) -> None:
        """See `Books`."""
        path = self._runs / f"{run}.json"
        part = path.with_suffix(".part")
        try:
            part.write_text(json.dumps({**_entry(path), "failed": failed}))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    @contextmanager
    def ended(self, also: Collection[str] = ()) -> Iterator[list[Entry]]:
        """See `Books`."""
        del also
        yield [entry for entry, _ in self.entries()]

    def has_ended(self) -> bool:
        """See `Books`. So has one that is running: whoever asks waits for it anyway."""
        return any(self._runs.glob("*.json"))

    def entries(self) -> list[tuple[Entry, bool]]:
        """See `Books`."""
        found = [_entry(path) for path in sorted(self._runs.glob("*.json"))]
        running = bool(found and self.writer())
        return [(entry, running) for entry in found]

    def forget(self, runs: Collection[str]) -> None:
        """See `Books`. What a killed process left of an entry goes, too."""
        del runs
        for path in self._runs.glob("*"):
            path.unlink()

    def noted(self, name: str) -> dict[str, int]:
        """See `Books`."""
        with suppress(OSError, ValueError):
            return dict(json.loads((self.folder / f"{name}.json").read_text()))
        return {}

    def note(self, name: str, numbers: Mapping[str, int]) -> None:
        """See `Books`."""
        (self.folder / f"{name}.json").write_text(json.dumps(numbers))


def open_entry(path: Path, entry: Entry) -> None:
    """Write down that a run begins."""
    path.write_text(json.dumps(entry))


def close_entry(path: Path) -> None:
    """Write down that a run has been recorded."""
    path.unlink(missing_ok=True)


def _entry(path: Path) -> Entry:
    try:
        return dict(json.loads(path.read_text()))
    except ValueError:  # killed while it was written
        return {"run": path.stem, "started_at": datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()}
