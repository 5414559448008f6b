"""A workspace: an open project in one environment."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import lines_shown
from backbone.model.names import zone_of
from backbone.model.reports import (
    Check,
    DatasetDescription,
    DatasetProfile,
    HistoryEntry,
    LineageGraph,
    Quarantine,
    Repairs,
    Replayed,
    RunEvent,
    RunReport,
    Settled,
    Status,
    StepReport,
    TraceNode,
    Undone,
)  # fmt: skip
from backbone.runs.environment import Environment
from backbone.runs.nothing import nothing_to_do
from backbone.runs.selection import selection_of

if TYPE_CHECKING:
    from backbone.model.operations import BackedUp, Exported, Maintained, Migrated, Restored, RolledBack, Upgraded
    from backbone.model.project import Project
    from backbone.model.steps import Plan, Step
    from backbone.workspace.results import Result
    from backbone.workspace.settling import Values

OnEvent = Callable[[RunEvent], None]
Words = str | Iterable[str]
"""What selects datasets: one text of words, or several."""


class Workspace:
    """An open project in one environment: what notebooks, command line and web all work with.

    Nothing is kept open between calls, so a workspace may live as long as a notebook, and forks and threads are safe.
    """

    def __init__(self, root: Path, environment: Environment) -> None:
        self.root = root
        self.environment = environment

    @cached_property
    def project(self) -> "Project":
        """The project as it was when it was first needed, checked: all its files as they were at one moment.

        Raises:
            ProjectError: its files are wrong; all problems are listed.
        """
        from backbone.project.fingerprint import fingerprint
        from backbone.project.load import load_project

        while True:
            known = self.fingerprint
            project = load_project(self.root)
            self.fingerprint = fingerprint(self.root)
            if self.fingerprint == known:
                return project

    @cached_property
    def steps(self) -> "tuple[Step, ...]":
        """All steps of the project."""
        from backbone.runs.edited import all_steps

        with lines_shown(self.root):
            return all_steps(self.project)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the project's files."""
        from backbone.project.fingerprint import fingerprint

        return fingerprint(self.root)

    def plan(self, select: Words = (), force: bool = False, *, exclude: Words = ()) -> "Plan":
        """What a run would do, and why. Nothing is changed. See `run` for the arguments.

        Raises:
            ProjectError: the project's files are wrong.
        """
        from backbone.workspace.planning import plan_workspace

        with lines_shown(self.root):
            return plan_workspace(self, selection_of(select, exclude), force)

    def run(
        self,
        select: Words = (),
        force: bool = False,
        on_event: OnEvent | None = None,
        *,
        exclude: Words = (),
        wait: bool = True,
    ) -> RunReport:
        """Bring every dataset, or the selected ones, up to date and publish them in one snapshot.

        Args:
            select: names of datasets; `+name` takes in what it is made from, `name+` what depends on it. More ways to
                choose, such as `tag:daily`, are those of `--select` on the command line.
            force: make them again even if nothing changed.
            on_event: called with each `RunEvent` as it happens.
            exclude: what to leave out, in the same words.
            wait: whether to wait while another run is under way, or to be refused.

        Raises:
            ProjectError: the project's files are wrong; nothing has changed.
            LakeError: another run is under way, and `wait` is False.
        """
        if not select and not exclude and not force and (state := nothing_to_do(self.environment, self.fingerprint)):
            steps = tuple(
                StepReport(name, zone_of(name), "unchanged", rows=one.rows, last_good=one.version.snapshot)
                for name, one in state.published.items()
            )
            return RunReport("", self.environment.name, "nothing", state.snapshot, steps)
        from backbone.workspace.planning import run_workspace

        with lines_shown(self.root):
            return run_workspace(self, selection_of(select, exclude), force, on_event or (lambda _: None), wait=wait)

    def rollback(self, snapshot: str | int, dry_run: bool = False, on_event: OnEvent | None = None) -> "RolledBack":
        """Make the datasets what they were in a snapshot, published as a new one; history stays.

        The next run reads the files landed since again, so mend what made it wrong first.

        Args:
            snapshot: its number, or an ISO time (UTC).
            dry_run: only say what would be changed.
            on_event: called with `waiting` if a run must be waited for.
        """
        from backbone.workspace.planning import roll_back_workspace

        return roll_back_workspace(self, str(snapshot), dry_run, on_event or (lambda _: None))

    def backup(self, folder: str | Path) -> "BackedUp":
        """Copy the lake and the landed files into a new folder, consistently, while runs go on."""
        from backbone.workspace.keeping import back_up

        return back_up(self, Path(folder))

    def restore(self, folder: str | Path, force: bool = False, on_event: OnEvent | None = None) -> "Restored":
        """Put a lake from a backup, or from any copy of a lake that nobody used, in the place of the present one.

        Args:
            folder: the backup.
            force: even if it is another project's, or was written by a newer Backbone.
            on_event: called with `waiting` if a run must be waited for.
        """
        from backbone.workspace.keeping import restore

        return restore(self, Path(folder), force, on_event or (lambda _: None))

    def maintain(self, dry_run: bool = False, on_event: OnEvent | None = None) -> "Maintained":
        """Put small files together, drop deleted rows, and let go of snapshots that nobody needs any more.

        Args:
            dry_run: only say what would be done.
            on_event: called with `waiting` if a run must be waited for.
        """
        from backbone.workspace.planning import maintain_workspace

        return maintain_workspace(self, dry_run, on_event or (lambda _: None))

    def migrate(self, storage: Mapping[str, str], dry_run: bool = False, on_event: OnEvent | None = None) -> "Migrated":
        """Move all environments, and what has landed, to other storage; `backbone.yml` then says so.

        Args:
            storage: what changes of `storage:` in `backbone.yml`: `catalogue`, `data` or both.
            dry_run: only say what would be moved.
            on_event: called with each `RunEvent` as it happens.

        Example:
            >>> workspace.migrate({"catalogue": "postgres:${PG_URL}"}, dry_run=True)
        """
        from backbone.workspace.migrating import migrate

        return migrate(self, storage, dry_run, on_event or (lambda _: None))

    def upgrade(self, dry_run: bool = False, on_event: OnEvent | None = None) -> "tuple[Upgraded, ...]":
        """Bring the catalogues of all environments to the version that this Backbone writes; copies are kept.

        Args:
            dry_run: only say which are of an earlier one.
            on_event: called with `waiting` if a run must be waited for.
        """
        from backbone.workspace.upgrading import upgrade

        return upgrade(self, dry_run, on_event or (lambda _: None))

    def sql(self, query: str, as_of: str | int | None = None) -> "Result":
        """Ask for rows in SQL: one SELECT, over datasets (`zone.name`, or a bare name for the most refined zone).

        It can't write, read files, or run for ever.

        Args:
            query: DuckDB's SQL.
            as_of: a snapshot's number, or an ISO time (UTC); the last snapshot where it isn't given.
        """
        from backbone.workspace.querying import query_workspace

        return query_workspace(self, query, None if as_of is None else str(as_of))

    def table(self, name: str, as_of: str | int | None = None) -> "Result":
        """All rows of a dataset: `zone.name`, or a bare name for the most refined zone that has it."""
        from backbone.workspace.querying import table_workspace

        return table_workspace(self, name, None if as_of is None else str(as_of))

    def export(
        self,
        select: Words,
        to: str | Path,
        *,
        exclude: Words = (),
        as_of: str | int | None = None,
        schema: str | None = None,
        replace: bool = False,
        system: bool = False,
        on_event: OnEvent | None = None,
    ) -> "Exported":
        """Write datasets, all of one snapshot, where other tools look for them.

        Args:
            select: names of datasets (a bare one means the most refined zone that has it), or words as in `run`.
            to: `KIND:LOCATION`, with KIND one of parquet, csv, arrow, duckdb, postgres, delta, iceberg; a folder alone
                is one of Parquet files, `NAME.duckdb` a DuckDB file. `${NAME}` stands for a secret.
            exclude: what to leave out, in the same words.
            as_of: a snapshot's number, or an ISO time (UTC); the last snapshot where it isn't given.
            schema: of PostgreSQL, or the namespace of Iceberg; the project's name where it isn't given.
            replace: whether an earlier export that is there may be replaced.
            system: whether system columns (`_file`, `_record`) are exported, too.
            on_event: called with each `RunEvent` as it happens.
        """
        from backbone.workspace.exporting import Wish, export_workspace

        wish = Wish(selection_of(select, exclude), None if as_of is None else str(as_of), system, replace)
        return export_workspace(self, wish, str(to), schema, on_event or (lambda _: None))

    def status(self, select: Words = (), *, exclude: Words = ()) -> Status:
        """How every dataset stands, or the selected ones: see `run`."""
        from backbone.workspace.asking import status

        return status(self, selection_of(select, exclude))

    def history(self, limit: int = 20) -> tuple[HistoryEntry, ...]:
        """The last runs, newest first; failed and killed ones too."""
        from backbone.workspace.asking import history

        return history(self, limit)

    def describe(self, name: str) -> DatasetDescription:
        """All about one dataset: columns, key, rules and what they found, inputs and readers."""
        from backbone.workspace.asking import describe

        return describe(self, name)

    def profile(self, name: str) -> DatasetProfile:
        """A dataset's columns in numbers, measured now."""
        from backbone.workspace.asking import profile

        return profile(self, name)

    def quarantine(self, dataset: str | None = None, run: str | None = None, limit: int = 20) -> Quarantine:
        """The rows set aside: at most `limit` of them (0: counts only)."""
        from backbone.workspace.asking import quarantine

        return quarantine(self, dataset, run, limit)

    def fix(self, dataset: str, values: "Mapping[str, Values]", because: str = "") -> Settled:
        """Give cells of rows set aside other values, from the next run on; `trusted/NAME.csv` keeps them.

        Args:
            dataset: a trusted dataset.
            values: for each row, as `file:record`, columns with their values; None takes a value away.
            because: why.

        Example:
            >>> workspace.fix("trusted.flights", {"12:640": {"dest": "JFK"}}, because="the crew said so")
        """
        from backbone.workspace.settling import fix

        return fix(self, dataset, values, because)

    def accept(self, dataset: str, records: Iterable[str] = (), because: str = "") -> Settled:
        """Fix rows set aside as is suggested: those named (`file:record`), or all that have a suggestion."""
        from backbone.workspace.settling import accept

        return accept(self, dataset, tuple(records), because)

    def drop(self, dataset: str, records: Iterable[str], because: str) -> Settled:
        """Leave rows set aside (`file:record`) out for good, for a reason."""
        from backbone.workspace.settling import drop

        return drop(self, dataset, tuple(records), because)

    def replay(self, dataset: str, on_event: OnEvent | None = None) -> Replayed:
        """Put a dataset's rows through their zone again, and what depends on it, with what was decided."""
        from backbone.workspace.settling import replay

        return replay(self, dataset, on_event or (lambda _: None))

    def repairs(self, dataset: str, rule: str | None = None, limit: int = 20) -> Repairs:
        """Every cell that a trusted dataset changed: old and new value, rules, evidence.

        Args:
            dataset: a trusted dataset.
            rule: only what this rule changed, by its name.
            limit: at most so many cells (0: counts only).
        """
        from backbone.workspace.repairing import repairs

        return repairs(self, dataset, rule, limit)

    def undo(self, dataset: str, what: str) -> Undone:
        """Take repairs back from the next run on: of a cell (`file:record.column`), or all that a rule made.

        The rules get an exception for these records, in `trusted/NAME.yml`.
        """
        from backbone.workspace.repairing import undo

        return undo(self, dataset, what)

    def read_again(self) -> None:
        """Forget the project as it was read: it is read again when it is next needed."""
        for name in ("project", "steps", "fingerprint"):
            self.__dict__.pop(name, None)

    def lineage(self, name: str) -> LineageGraph:
        """Where a dataset, or a column (`zone.name.column`), comes from and goes, up to models."""
        from backbone.workspace.asking import lineage

        return lineage(self, name)

    def trace(self, dataset: str, key: Mapping[str, str], limit: int | None = 1) -> TraceNode:
        """From a row back to the landed files and records that made it.

        Args:
            dataset: `zone.name`, or a bare name.
            key: columns of the row with their values.
            limit: how many rows to follow at each place where several made one (None: all).
        """
        from backbone.workspace.tracing import trace

        return trace(self, dataset, key, limit)

    def doctor(self, repair: bool = False, on_event: OnEvent | None = None) -> tuple[Check, ...]:
        """Whether project, landing zone and lake are sound: every file is compared with its checksum.

        Args:
            repair: mend what can be made again, from landing and governance; then look once more.
            on_event: called with each `RunEvent` as it happens.
        """
        from backbone.workspace import doctor

        return (doctor.repair if repair else doctor.examine)(self, on_event or (lambda _: None))
