"""`run` and `run --watch`: one run, or one after the other, each told in a line."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backbone.cli import documents
from backbone.cli.door import door
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.runs import draw_cycle
from backbone.cli.entry import complain, explain
from backbone.cli.settings import Settings
from backbone.cli.showing import draw_on_screen, refuse_csv, write_plainly
from backbone.cli.writing import json_text
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.model.reports import RunEvent, RunReport


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a run is asked for."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    force: bool = False
    wait: bool = True


def run_once(settings: Settings, wanted: Wanted) -> "RunReport":
    """One run, with its progress where there is a terminal; how it ended becomes the exit code."""
    workspace = settings.workspace()

    def note(event: "RunEvent") -> None:
        if event.kind == "publishing":
            settings.when_interrupted = "run again to continue, and backbone status says what is published"

    settings.when_interrupted = "nothing was published; run again to continue"
    with Progress(note) as progress:
        report = workspace.run(wanted.select, wanted.force, on_event=progress, exclude=wanted.exclude, wait=wanted.wait)
    settings.when_interrupted = "the run had ended: backbone status"
    settings.code = 1 if report.failed or report.status == "failed" else 0
    return report


def watch(settings: Settings, wanted: Wanted) -> None:
    """Run now, and again whenever something changes. Only an interrupt ends it; a mistake in the project doesn't."""
    refuse_csv(settings)
    for _ in door().changes(settings.project, settings.env):
        try:
            report = run_once(settings, wanted)
        except BackboneError as error:
            _tell(settings, error)
        else:
            wanted = Wanted(wanted.select, wanted.exclude)  # what was forced has been made
            _tell(settings, report)
        settings.when_interrupted = "no longer watching; no run was under way"


def _tell(settings: Settings, outcome: "RunReport | BackboneError") -> None:
    if settings.format == "json":
        write_plainly(lambda write: write(json_text(documents.cycle_document(outcome)) + "\n"))
    elif isinstance(outcome, BackboneError):
        complain(f"{_clock()}  nothing was run:")
        explain(outcome, settings)
    else:
        draw_on_screen(lambda screen: draw_cycle(_clock(), outcome, screen))
    sys.stdout.flush()


def _clock() -> str:
    return f"{datetime.now(UTC):%H:%M:%S}"
