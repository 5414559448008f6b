"""Settling rows set aside: what people decide about them is written into the project, and the next run does it."""

import getpass
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import UsageError, did_you_mean
from backbone.model.decisions import Decision
from backbone.model.names import stem_of, zone_of
from backbone.model.project import Trusted
from backbone.model.reports import QuarantineRow, Replayed, RunEvent, Settled
from backbone.model.steps import Trust
from backbone.project.catalogue import Domains
from backbone.project.decisions import DECISIONS, decisions_text, place_of, wrong_value
from backbone.project.trusted import source_columns
from backbone.project.writing import write_whole
from backbone.quality.suggesting import suggested
from backbone.runs.run import read_published
from backbone.workspace.querying import find_dataset
from backbone.workspace.reading import open_for_reading

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace

Values = Mapping[str, str | None]
"""Values for cells of a row, by column; None takes a value away."""
_ALL = 1_000_000


def fix(workspace: "Workspace", dataset: str, values: Mapping[str, Values], because: str) -> Settled:
    """Give cells of rows set aside other values: in `trusted/NAME.csv`, from where the next run takes them.

    Raises:
        UsageError: there is no such row in quarantine, no such column, or a column can't have such a value.
    """
    desk = _Desk.at(workspace, dataset)
    new = [
        replace(
            desk.decided(record, because),
            verdict="clear" if value is None else "set",
            column=column,
            value=value or "",
            was=desk.was(record, column),
        )
        for record, cells in values.items()
        for column, value in cells.items()
    ]
    for decision in new:
        value = None if decision.verdict == "clear" else decision.value
        if wrong := wrong_value(decision.column, value, desk.columns, f"formatted.{desk.trusted.name}"):
            raise UsageError(f"{decision.place}: {wrong}")
    return desk.write(workspace, new)


def drop(workspace: "Workspace", dataset: str, records: Sequence[str], because: str) -> Settled:
    """Leave rows set aside out for good, and say why.

    Raises:
        UsageError: there is no such row in quarantine, or no reason is given.
    """
    if not because.strip():
        said = " ".join([dataset, *records])
        raise UsageError(f"a row is dropped for a reason: backbone quarantine drop {said} --because 'a test record'")
    desk = _Desk.at(workspace, dataset)
    return desk.write(workspace, [replace(desk.decided(record, because), verdict="drop") for record in records])


def accept(workspace: "Workspace", dataset: str, records: Sequence[str], because: str) -> Settled:
    """Fix rows as is suggested: those named, or all that have a suggestion."""
    desk = _Desk.at(workspace, dataset)
    rows = [desk.row(record) for record in records] or list(desk.rows.values())
    values = {f"{row.file_id}:{row.record}": dict(row.suggested) for row in rows if row.suggested}
    if not values:
        raise UsageError(
            f"nothing is suggested for these rows. Fix them: backbone quarantine fix {desk.name} 12:640 A=B"
        )
    return fix(workspace, desk.name, values, because or "as suggested")


def replay(workspace: "Workspace", dataset: str, on_event: Callable[[RunEvent], None]) -> Replayed:
    """Put a dataset's rows through their zone again, with what was decided; say what came of the rows decided."""
    desk = _Desk.at(workspace, dataset)
    report = workspace.run(f"{desk.name}+", on_event=on_event)
    left = _Desk.at(workspace, dataset).rows
    fixed = dict.fromkeys(d.place for d in desk.trusted.decisions if d.verdict != "drop")
    again = tuple(left[place] for place in fixed if place in left)
    return Replayed(desk.name, report, len(fixed) - len(again), again)


def with_suggestions(workspace: "Workspace", rows: Iterable[QuarantineRow]) -> tuple[QuarantineRow, ...]:
    """Rows set aside, with the values that their rules suggest."""
    rules = {(f"trusted.{one.name}", rule.name): rule for one in workspace.project.trusted for rule in one.rules}
    return tuple(
        replace(row, suggested=suggested(rules[row.dataset, row.rule], _values(row)))
        if (row.dataset, row.rule) in rules
        else row
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """One trusted dataset whose rows are settled; `rows` are those set aside, by their place."""

    trusted: Trusted
    columns: Domains | None
    rows: Mapping[str, QuarantineRow]

    @property
    def name(self) -> str:
        return f"trusted.{self.trusted.name}"

    @classmethod
    def at(cls, workspace: "Workspace", dataset: str) -> "_Desk":
        trusted = trusted_of(workspace, dataset)
        with open_for_reading(workspace.environment) as reading:
            rows = reading.quarantine((f"trusted.{trusted.name}",), None, _ALL).rows
            held = read_published(workspace.environment, reading.lake).get(f"formatted.{trusted.name}")
        sources = (one for source in workspace.project.sources for one in source.relations)
        columns = next((source_columns(source) for source in sources if source.name == trusted.name), None)
        if columns is None and held is not None:
            columns = {a.name: a.domain for a in held.relation.visible}
        return cls(trusted, columns, {f"{r.file_id}:{r.record}": r for r in with_suggestions(workspace, rows)})

    def row(self, record: str) -> QuarantineRow:
        """The row set aside of `12:640`."""
        if place_of(record) is None:
            raise UsageError(f"'{record}' names no row: write file:record, as in 12:640")
        if record not in self.rows:
            look = f"Which there are: backbone quarantine show {self.name}"
            raise UsageError(
                f"{self.name} has no row '{record}' in quarantine.{did_you_mean(record, self.rows) or ' ' + look}"
            )
        return self.rows[record]

    def decided(self, record: str, because: str) -> Decision:
        """A decision about a row, yet to be completed."""
        row, now = self.row(record), datetime.now(UTC).isoformat(timespec="seconds")
        return Decision(
            int(row.file_id or 0), int(row.record or 0), "set", because=because.strip(), by=_person(), at_time=now
        )

    def was(self, record: str, column: str) -> str:
        """What a cell held when its row was set aside."""
        value = _values(self.row(record)).get(column)
        return "" if value is None else str(value)

    def write(self, workspace: "Workspace", new: Sequence[Decision]) -> Settled:
        """Add decisions to those that there are; one about the same cell or row takes the place of an earlier."""
        dropped = {d.place for d in new if d.verdict == "drop"}
        fixed = {d.place for d in new if d.verdict != "drop"}
        held = {
            (d.place, d.column): d
            for d in self.trusted.decisions
            if d.place not in (fixed if d.verdict == "drop" else dropped)
        }
        path = Path("trusted") / f"{self.trusted.name}{DECISIONS}"
        (workspace.root / path).parent.mkdir(exist_ok=True)
        write_whole(workspace.root / path, decisions_text((held | {(d.place, d.column): d for d in new}).values()))
        workspace.read_again()
        return Settled(self.name, tuple(dict.fromkeys(d.place for d in new)), path.as_posix())


def trusted_of(workspace: "Workspace", name: str) -> Trusted:
    """The trusted dataset of a name; rows of other zones are not settled one by one.

    Raises:
        UsageError: there is none.
    """
    known = {out: step for step in workspace.steps for out in step.outputs}
    dataset = f"trusted.{name}" if f"trusted.{name}" in known else find_dataset(name, known)
    step = known[dataset]
    if isinstance(step.work, Trust):
        return step.work.trusted
    if zone_of(dataset) == "formatted":
        stem = stem_of(dataset).partition("__")[0]
        raise UsageError(
            f"'{dataset}' is as its files are read: say how in sources/{stem}.yml, or land a corrected file. Rows "
            f"are settled in trusted.{stem_of(dataset)}: backbone quarantine trusted.{stem_of(dataset)}"
        )
    raise UsageError(
        f"'{dataset}' is made from other datasets: rows are settled there. Which: backbone lineage {dataset}"
    )


def _values(row: QuarantineRow) -> Mapping[str, object]:
    try:
        parsed = json.loads(row.raw)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in containers
        return ""
