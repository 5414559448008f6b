"""Reports of keeping a lake and of going back: maintenance, rollback, backup and restore."""

from dataclasses import dataclass


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
