"""What was decided about rows set aside, and what came of it."""

from typing import TYPE_CHECKING

from backbone.cli.drawing.runs import draw_run
from backbone.cli.drawing.ways import draw_quarantine_table
from backbone.cli.phrases import count

if TYPE_CHECKING:
    from backbone.cli.drawing.screen import Screen
    from backbone.model.reports import Replayed, Settled


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
