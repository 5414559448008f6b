"""What was decided about rows set aside, and what came of it; the cells that rules changed."""

from typing import TYPE_CHECKING

from backbone.cli.drawing.runs import draw_run
from backbone.cli.drawing.ways import draw_quarantine_table
from backbone.cli.phrases import count
from backbone.errors import shown_value

if TYPE_CHECKING:
    from backbone.cli.drawing.screen import Screen
    from backbone.model.reports import Repairs, Replayed, Settled, Undone


def draw_settled(settled: "Settled", verb: str, screen: "Screen") -> None:
    """Which rows were decided about, and where that is written."""
    rows = count(len(settled.records), "row")
    screen.line(f"{verb}    ", f"{rows} of {settled.dataset}, in {settled.path}")
    screen.line("next: ", (f"backbone quarantine replay {settled.dataset}", "cyan"))


def draw_replayed(replayed: "Replayed", screen: "Screen") -> None:
    """The run, and what came of the rows that were fixed."""
    if replayed.report.status == "nothing":
        screen.line("nothing has changed since they went through it last")
    else:
        draw_run(replayed.report, screen)
    if replayed.passed:
        fixed = count(replayed.passed, "fixed row")
        screen.line(f"{fixed} {'is' if replayed.passed == 1 else 'are'} no longer in quarantine")
    if replayed.again:
        screen.line(f"{count(len(replayed.again), 'fixed row')} set aside again:")
        draw_quarantine_table(replayed.again, screen)


def draw_repairs(repairs: "Repairs", screen: "Screen") -> None:
    """Cells changed, one a line, and how many each rule did."""
    if not repairs.total:
        screen.line(f"nothing was changed in {repairs.dataset}")
        return
    rows = [
        [
            r.record,
            r.column,
            _value(r.old),
            _value(r.new),
            ", ".join(r.rules),
            r.evidence,
            _sure(r.confidence),
        ]
        for r in repairs.rows
    ]
    screen.table(("record", "column", "old", "new", "rule", "evidence", "sure"), rows, right=(0, 6))
    if (more := repairs.total - len(repairs.rows)) > 0:
        screen.line((f"({more:,} more: --limit {repairs.total})", "dim"))
    screen.table(("rule", "cells"), [[group.rule, f"{group.cells:,}"] for group in repairs.groups], right=(1,))


def draw_undone(undone: "Undone", screen: "Screen") -> None:
    """What is taken back, and where that is written."""
    screen.line("undone    ", f"{count(undone.cells, 'cell')} of {undone.dataset}, in {', '.join(undone.paths)}")
    screen.line("next: ", ("backbone run", "cyan"))


def _value(text: str | None) -> str:
    """A value, in quotes where blanks at its ends would not be seen."""
    return f"'{shown_value(text)}'" if text is not None and text != text.strip() else shown_value(text)


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else f"{confidence:.0%}"
