"""Reports of keeping a lake and of handing on: maintenance, rollback, backup, restore, migration, upgrade, export."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Compacted:
    """A dataset whose files maintenance put together (`merged`) or wrote again without deleted rows (`rewritten`)."""

    dataset: str
    how: str
    files_before: int
    files_after: int


@dataclass(frozen=True, slots=True)
class Kept:
    """Snapshots that would be old enough to go, and who needs them."""

    snapshots: tuple[int, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Maintained:
    """What maintenance did, or would do (`dry_run`).

    `expired` are snapshots that can be read no longer, `kept` old ones that stay. `files_removed` and `bytes_freed` are
    what went from the disk, `files_waiting` and `bytes_waiting` what no snapshot needs and goes later, as `waiting`
    says. `warnings` name what was left alone because something is wrong with it.
    """

    run: str
    environment: str
    dry_run: bool
    snapshot: int
    compacted: tuple[Compacted, ...] = ()
    expired: tuple[int, ...] = ()
    kept: tuple[Kept, ...] = ()
    files_removed: int = 0
    bytes_freed: int = 0
    files_waiting: int = 0
    bytes_waiting: int = 0
    waiting: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PutBack:
    """What a rollback does to one dataset: its rows now and then (None: it isn't there)."""

    dataset: str
    rows_now: int | None
    rows_then: int | None


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What a rollback did, or would do (`dry_run`).

    `to` is the snapshot that the lake is as in again, of time `at`; `snapshot` the new one that says so (None: nothing
    had to be done). `datasets` are those that differ, `models` the analyses with the model version that is registered
    again ("": none). `landed_files` counts those that the next run will read again.
    """

    run: str
    environment: str
    dry_run: bool
    to: int
    at: datetime
    snapshot: int | None
    datasets: tuple[PutBack, ...] = ()
    models: tuple[tuple[str, str], ...] = ()
    landed_files: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup in `folder`: an environment's lake at its last `snapshot`, and the landed files."""

    folder: str
    environment: str
    snapshot: int
    data_files: int
    landed_files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class MigratedLake:
    """An environment whose lake was moved: its snapshot, and the files that were copied."""

    environment: str
    snapshot: int
    data_files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was moved, or would be (`dry_run`): the environments' lakes and what has landed, to other `storage`."""

    dry_run: bool
    storage: Mapping[str, str]
    lakes: tuple[MigratedLake, ...]
    landed_files: int


@dataclass(frozen=True, slots=True)
class Upgraded:
    """An environment's catalogue, of version `before` and now of version `after`; `kept` is the former one."""

    environment: str
    before: str
    after: str
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """A lake that was put in the place of an environment's: of which project, and as in which of its snapshots.

    `snapshot` is the present one, `replaced` the last one of the lake that was there before (None: there was none).
    `landed_files` counts those that came back with it.
    """

    run: str
    environment: str
    project: str
    restored: int
    snapshot: int
    replaced: int | None
    data_files: int
    landed_files: int


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A dataset as an export wrote it: its rows, its size in bytes there (None: not known by itself), and where."""

    dataset: str
    rows: int
    bytes: int | None
    place: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote, of one snapshot. `target` is where, without secrets; `kind` what that is.

    `replaced` says that something was there before. `left_out` are constraints and datasets that the target has not,
    each with why; `kept` what stands in the target from earlier exports.
    """

    project: str
    environment: str
    snapshot: int
    kind: str
    target: str
    tables: tuple[ExportedTable, ...]
    bytes: int
    replaced: bool = False
    left_out: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    seconds: float = 0.0
