"""What the command line asks of the front door, `backbone.workspace`, and nothing more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from backbone import workspace
    from backbone.model import operations, reports
    from backbone.model.steps import Plan


class Result(Protocol):
    """The rows of a query."""

    @property
    def columns(self) -> Sequence[str]:
        """The columns' names."""

    def rows(self) -> Sequence[tuple[object, ...]]:
        """All rows."""

    def head(self, limit: int) -> tuple[Sequence[tuple[object, ...]], int]:
        """The first rows, and how many there are in all."""

    def write(self, path: Path) -> int:
        """Write the rows to a file (`.csv`, `.json`, `.parquet`: the suffix decides), and return how many."""


class Peek(Protocol):
    """A file that was looked at."""

    @property
    def summary(self) -> "reports.PeekSummary":
        """What it looks like."""


class Names(Protocol):
    """What there is in a project, by name: for a shell to complete."""

    @property
    def environments(self) -> Sequence[str]:
        """The environments."""

    def datasets(self) -> Mapping[str, Sequence[str]]:
        """The datasets with their columns."""

    def files(self) -> Sequence[Path]:
        """The files that declare datasets."""

    def sources(self) -> Sequence[str]:
        """The sources."""

    def labels(self) -> Mapping[str, Sequence[str]]:
        """The tags (`tag`) and owners (`owner`) of datasets."""

    def runs(self) -> Sequence[str]:
        """The last runs' ids."""

    def snapshots(self) -> Sequence[int]:
        """The last snapshots."""


class Workspace(Protocol):
    """An open project in one environment. Every call may raise a BackboneError."""

    def plan(self, select: tuple[str, ...] = (), force: bool = False, *, exclude: tuple[str, ...] = ()) -> "Plan":
        """What a run would do."""

    def run(
        self,
        select: tuple[str, ...] = (),
        force: bool = False,
        on_event: "Callable[[reports.RunEvent], None] | None" = None,
        *,
        exclude: tuple[str, ...] = (),
        wait: bool = True,
    ) -> "reports.RunReport":
        """Bring everything up to date."""

    def rollback(
        self, snapshot: str, dry_run: bool = False, on_event: "Callable[[reports.RunEvent], None] | None" = None
    ) -> "operations.RolledBack":
        """Make the datasets what they were in a snapshot."""

    def backup(self, folder: Path) -> "operations.BackedUp":
        """Copy the lake and the landed files."""

    def restore(
        self, folder: Path, force: bool = False, on_event: "Callable[[reports.RunEvent], None] | None" = None
    ) -> "operations.Restored":
        """Put a copied lake in the place of the present one."""

    def maintain(
        self, dry_run: bool = False, on_event: "Callable[[reports.RunEvent], None] | None" = None
    ) -> "operations.Maintained":
        """Keep the lake small and quick."""

    def export(
        self,
        select: tuple[str, ...],
        to: str,
        *,
        exclude: tuple[str, ...] = (),
        as_of: str | None = None,
        schema: str | None = None,
        replace: bool = False,
        system: bool = False,
        on_event: "Callable[[reports.RunEvent], None] | None" = None,
    ) -> "operations.Exported":
        """Write datasets of one snapshot to a target."""

    def migrate(
        self,
        storage: Mapping[str, str],
        dry_run: bool = False,
        on_event: "Callable[[reports.RunEvent], None] | None" = None,
    ) -> "operations.Migrated":
        """Move the lakes to other storage."""

    def upgrade(
        self, dry_run: bool = False, on_event: "Callable[[reports.RunEvent], None] | None" = None
    ) -> "Sequence[operations.Upgraded]":
        """Bring catalogues to the version that is written now."""

    def status(self, select: tuple[str, ...] = (), *, exclude: tuple[str, ...] = ()) -> "reports.Status":
        """How it stands."""

    def sql(self, query: str, as_of: str | None = None) -> Result:
        """Run a read-only query; `as_of` is a snapshot's number or a time."""

    def describe(self, name: str) -> "reports.DatasetDescription":
        """All about one dataset; a bare name means the most refined zone that has it."""

    def profile(self, name: str) -> "reports.DatasetProfile":
        """A dataset's columns in numbers."""

    def quarantine(self, dataset: str | None = None, run: str | None = None, limit: int = 20) -> "reports.Quarantine":
        """The rows set aside: at most `limit` of them (0: counts only)."""

    def fix(self, dataset: str, values: Mapping[str, Mapping[str, str | None]], because: str = "") -> "reports.Settled":
        """Give cells of rows set aside (`file:record`) other values."""

    def accept(self, dataset: str, records: tuple[str, ...] = (), because: str = "") -> "reports.Settled":
        """Fix rows set aside as is suggested."""

    def drop(self, dataset: str, records: tuple[str, ...], because: str) -> "reports.Settled":
        """Leave rows set aside out for good."""

    def replay(self, dataset: str, on_event: "Callable[[reports.RunEvent], None] | None" = None) -> "reports.Replayed":
        """Put rows through their zone again."""

    def repairs(self, dataset: str, rule: str | None = None, limit: int = 20) -> "reports.Repairs":
        """The cells that a trusted dataset changed."""

    def undo(self, dataset: str, what: str) -> "reports.Undone":
        """Take repairs back: of a cell (`file:record.column`) or of a rule."""

    def lineage(self, name: str) -> "reports.LineageGraph":
        """Where a dataset or column (`zone.name.column`) comes from and goes."""

    def trace(self, dataset: str, key: Mapping[str, str], limit: int | None = 1) -> "reports.TraceNode":
        """From a row back to landed files; `limit` children each (None: all)."""

    def history(self, limit: int = 20) -> "Sequence[reports.HistoryEntry]":
        """The last runs, newest first."""

    def doctor(
        self, repair: bool = False, on_event: "Callable[[reports.RunEvent], None] | None" = None
    ) -> "Sequence[reports.Check]":
        """Whether project, lake and landing zone are sound; mends what it can if asked to."""


class Door(Protocol):
    """The module `backbone.workspace`."""

    def open_workspace(self, project: Path | None, env: str | None) -> Workspace:
        """Open a project: the one in the nearest folder upwards with `backbone.yml` where none is named."""

    def changes(self, project: Path | None, env: str | None) -> Iterator[None]:
        """Come back at once, and then whenever something has changed that a run may have to do with."""

    def names(self, project: Path | None, env: str | None) -> Names:
        """What there is in a project, without opening it."""

    def add(
        self,
        folder: Path,
        name: str | None,
        locations: tuple[str, ...],
        env: str | None,
        part: str | None,
        member: str | None,
    ) -> "reports.Added":
        """Add a source; makes a project in an empty folder."""

    def add_parts(
        self, folder: Path, name: str | None, locations: tuple[str, ...], env: str | None
    ) -> "Sequence[reports.Added]":
        """Add a source for each table in a file."""

    def peek(self, path: str, *, part: str | None, member: str | None, lenient: bool) -> Peek:
        """Look at a file, or what is at a URL."""

    def clean(
        self, path: str, to: Path, *, lenient: bool, part: str | None, member: str | None
    ) -> "reports.CleanSummary":
        """Write a file's exact texts as plain CSV."""

    def init(self, folder: Path, example: str | None) -> Sequence[str]:
        """Make a project, and return a line for each thing made."""


def door() -> Door:
    """The front door, imported only now: `--version` and `--help` needn't pay for it."""
    from importlib import import_module

    return cast("Door", import_module("backbone.workspace"))


if TYPE_CHECKING:
    _FITS: Door = workspace  # the type checker compares the real one with what is asked of it
