"""Datasets as people see them: their rows, how they stand, what they are made of."""

import os
from collections.abc import Iterable, Sequence
from shlex import quote
from typing import TYPE_CHECKING

from backbone.cli.drawing.cells import Part, pairs, shown
from backbone.cli.drawing.runs import draw_failures
from backbone.cli.phrases import count, listed, moment, share, size
from backbone.cli.writing import plain_text
from backbone.model.relations import Attribute
from backbone.model.reports import (
    Added,
    Check,
    CleanSummary,
    ColumnProfile,
    DatasetDescription,
    DatasetProfile,
    DatasetStatus,
    Landed,
    PeekSummary,
    RuleState,
    Sample,
    Status,
)

if TYPE_CHECKING:
    from backbone.cli.drawing.screen import Screen

ROWS_SHOWN = 100
_SHA_SHOWN = 12


def draw_rows(columns: Sequence[str], first: Sequence[Sequence[object]], total: int, screen: "Screen") -> None:
    """Rows of a query: the first of them, and how many more there are."""
    if columns:
        draw_cells(columns, first, screen)
    if total > len(first):
        more = f"… {total - len(first):,} more of {count(total, 'row')}: --format csv, --format json or -o FILE"
        screen.line((more, "dim"))
    elif not first:
        screen.line(("no rows", "dim"))


def draw_cells(columns: Sequence[str], rows: Iterable[Sequence[object]], screen: "Screen", indent: int = 0) -> None:
    """Values from the data as a table, numbers on the right."""
    every = [list(row) for row in rows]
    right = [i for i in range(len(columns)) if _numeric(row[i] for row in every)]
    screen.table(columns, [[shown(value) for value in row] for row in every], right=right, indent=indent)


def _numeric(values: Iterable[object]) -> bool:
    from numbers import Number

    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, Number) and not isinstance(value, bool) for value in known)


def draw_sample(sample: Sample, screen: "Screen") -> None:
    """A few rows, and how many there are."""
    draw_cells(sample.columns, sample.rows, screen, indent=2)
    if sample.total > len(sample.rows):
        screen.line(("  … " + count(sample.total, "row"), "dim"))


def draw_status(status: Status, screen: "Screen") -> None:
    """How every dataset stands."""
    snapshot = "nothing published yet" if status.snapshot is None else f"snapshot {status.snapshot}"
    screen.line((status.project, "bold"), f" in {status.environment}: {snapshot}, ", _files(status.landed_files))
    if (last := status.last_run) is not None:
        screen.line(f"last run {last.run} {last.status}, {moment(last.started_at)} UTC")
    if status.datasets:
        rows = [_dataset_row(dataset) for dataset in status.datasets]
        screen.table(("dataset", "rows", "snapshot", "run", "changed (UTC)", "quarantined", ""), rows, right=(1, 2, 5))
    for dataset in status.datasets:
        if dataset.failing and dataset.message:
            screen.line((f"{dataset.dataset}: ", "red"), dataset.message)
    if status.last_run is None:
        screen.line("next: ", ("backbone run", "cyan"))


def _files(number: int) -> str:
    return count(number, "landed file")


def _dataset_row(dataset: DatasetStatus) -> list[Part]:
    return [
        dataset.dataset,
        "" if dataset.rows is None else f"{dataset.rows:,}",
        "" if dataset.snapshot is None else f"{dataset.snapshot}",
        dataset.run or "",
        moment(dataset.changed_at) if dataset.changed_at else "",
        f"{dataset.quarantined:,}" if dataset.quarantined else "",
        ("failing", "red") if dataset.failing else "" if dataset.snapshot is not None else ("not made yet", "dim"),
    ]


def draw_description(described: DatasetDescription, screen: "Screen") -> None:
    """All about one dataset."""
    screen.line((described.dataset, "bold"), f"  {described.description}" if described.description else "")
    for name, value in _facts(described):
        if value:
            screen.line((f"{name:<10}", "dim"), value, hang=10)
    screen.line()
    draw_columns(described, screen)
    if described.rules:
        screen.line()
        screen.table(("rule", "else", "last run", "declared at"), [_rule_row(state) for state in described.rules])
        for state in described.rules:
            for example in state.finding.examples if state.finding else ():
                screen.line((f"  {state.rule.name}: ", "dim"), example)
    if described.sample is not None and described.sample.rows:
        screen.line()
        draw_sample(described.sample, screen)


def _facts(described: DatasetDescription) -> list[tuple[str, str]]:
    changed = f", {moment(described.changed_at)} UTC" if described.changed_at else ""
    ledger = described.ledger
    return [
        ("rows", "" if described.rows is None else f"{described.rows:,}"),
        ("version", "" if described.snapshot is None else f"snapshot {described.snapshot}{changed}"),
        ("ledger", "" if ledger is None else
            f"{ledger.rows_in:,} in = {ledger.rows_out:,} out + {ledger.quarantined:,} quarantined"
            f" + {ledger.merged_away:,} merged away"),
        ("key", ", ".join(described.key)),
        ("made by", described.made_by),
        ("reads", listed(described.inputs)),
        ("read by", listed(described.readers)),
        ("owner", described.owner),
        ("tags", ", ".join(described.tags)),
    ]  # fmt: skip


def draw_columns(described: DatasetDescription, screen: "Screen") -> None:
    """The columns with their domains and meanings."""
    rows: list[list[Part]] = []
    for attribute in described.relation.visible:
        term, means = described.terms.get(attribute.name, ("", ""))
        meaning = attribute.description or (f"{term}: {means}" if term else "")
        mark: Part = ("key", "cyan") if attribute.name in described.key else ""
        rows.append([attribute.name, (attribute.domain, "dim"), mark, meaning])
    if screen.narrow:
        for row in rows:
            screen.line("  ", row[0], "  ", row[1], "  ", row[2])
            if row[3]:
                screen.line("    ", row[3], hang=0)
        return
    screen.table(("column", "domain", "", ""), rows)


def _rule_row(state: RuleState) -> list[Part]:
    at = state.rule.at
    where = f"{at.path}:{at.line}" if at.path else "default"
    return [state.rule.name, state.rule.action or "repair", _finding(state), where]


def _finding(state: RuleState) -> Part:
    if (finding := state.finding) is None:
        return ("not evaluated yet", "dim")
    if not finding.broken:
        return ("passed", "green")
    return f"{finding.broken:,} ({share(finding.share)})"


def draw_profile(profile: DatasetProfile, screen: "Screen") -> None:
    """A dataset's columns in numbers."""
    screen.line((profile.dataset, "bold"), f"  {count(profile.rows, 'row')}  ", (profile.note, "dim"))
    header = ("column", "domain", "missing", "distinct", "min", "max", "mean", "most frequent")
    screen.table(header, [_profile_row(column, profile.rows) for column in profile.columns], right=(2, 3, 6))


def _profile_row(column: ColumnProfile, rows: int) -> list[Part]:
    about = "~" if column.approximate else ""
    top = ", ".join(f"{plain_text(value)} ({about}{number:,})" for value, number in column.top[:3])
    return [
        column.column,
        (column.domain, "dim"),
        share(column.nulls / rows) if column.nulls and rows else "",
        "" if column.distinct is None else f"{about}{column.distinct:,}",
        "" if column.minimum is None else shown(column.minimum),
        "" if column.maximum is None else shown(column.maximum),
        "" if column.mean is None else f"{column.mean:,.4g}",
        top,
    ]


def draw_peek(summary: PeekSummary, screen: "Screen") -> None:
    """What a file looks like."""
    facts = f"  {summary.format}, {count(summary.sample.total, 'record')}, {size(summary.size)}"
    screen.line((summary.path, "bold"), facts)
    if summary.dialect:
        screen.line(("dialect  ", "dim"), pairs({k: _visible(v) for k, v in summary.dialect.items()}))
    for sentence in summary.evidence:
        screen.line(("found    ", "dim"), sentence, hang=9)
    screen.line()
    _draw_columns(summary.columns, summary.confidence, screen)
    for child in summary.children:
        screen.line()
        facts = f"  {count(child.records, 'item')} of lists in {child.parent or 'the records'}: a relation of its own"
        screen.line((child.name, "bold"), facts)
        _draw_columns(child.columns, child.confidence, screen)
    screen.line()
    draw_sample(summary.sample, screen)
    screen.line("next: ", (f"backbone add {quote(summary.path)}", "cyan"))


def draw_clean(cleaned: CleanSummary, screen: "Screen") -> None:
    """What of a file was written as plain CSV."""
    if cleaned.dialect:
        screen.line(("dialect  ", "dim"), pairs({k: _visible(v) for k, v in cleaned.dialect.items()}))
    facts = f"{count(cleaned.records, 'record')} of {count(cleaned.columns, 'column')}"
    screen.line(("wrote    ", "dim"), f"{cleaned.written}: {facts}")
    if cleaned.unreadable:
        left = f"{count(cleaned.unreadable, 'record')} left out, being unreadable; to mend them: --lenient"
        screen.line(("⚠ ", "yellow"), left)


def _draw_columns(columns: Sequence[Attribute], confidence: Sequence[float], screen: "Screen") -> None:
    sure = confidence or (1.0,) * len(columns)
    rows: list[list[Part]] = [
        [a.name, (a.domain, "dim"), f"{at:.2f}" if at < 1 else ""] for a, at in zip(columns, sure, strict=True)
    ]
    screen.table(("column", "domain", "confidence"), rows, right=(2,))


def _visible(value: object) -> object:
    return repr(value) if isinstance(value, str) and not value.strip() else value


def draw_added(added: Added, screen: "Screen") -> None:
    """What `add` did."""
    if added.project:
        screen.line(("made     ", "dim"), os.path.relpath(f"{added.project}/backbone.yml"))
    for landed in added.landed:
        screen.line(("landed   ", "dim"), _landed(landed), hang=9)
    verb = "wrote    " if added.written else "read     "
    evidence = f"; {'; '.join(added.evidence)}" if added.evidence else ""
    screen.line((verb, "dim"), f"{added.template_path}: {added.summary}{evidence}", hang=9)
    if added.sample is not None:
        screen.line()
        draw_sample(added.sample, screen)
        screen.line()
    for remark in added.remarks:
        screen.line(("⚠ ", "yellow"), remark)
    if added.run is not None:
        draw_failures(added.run, screen)
    screen.line("next: ", (added.next_command, "cyan"))


def draw_all_added(sources: Sequence[Added], screen: "Screen") -> None:
    """What `add` did for each table of a file."""
    for added in sources:
        draw_added(added, screen)


def _landed(landed: Landed) -> str:
    records = "" if landed.records is None else f", {count(landed.records, 'record')}"
    again = ", which had landed before" if landed.repeat else ""
    return f"{landed.name}{records}, {size(landed.size)}, sha256 {landed.sha256[:_SHA_SHOWN]}…{again}"


def draw_checks(checks: Sequence[Check], screen: "Screen") -> None:
    """What `doctor` found."""
    for check in checks:
        mark: Part = ("✓ ", "green") if check.ok else ("✗ ", "red")
        screen.line(mark, check.name, (f"  {check.detail}" if check.detail else "", "dim"))
        for said in check.mended:
            screen.line(("  mended  ", "green"), said)
        if not check.ok and check.hint:
            screen.line(f"  {check.hint}")


def draw_lines(lines: Sequence[str], screen: "Screen") -> None:
    """Lines as they are."""
    for line in lines:
        screen.line(line)
