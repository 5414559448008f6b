"""In a notebook, what the front door returns is drawn as a terminal shows it; `print` and `repr` stay Python's own."""

import io
import sys
from collections.abc import Callable, Mapping
from typing import Any

from backbone.cli.drawing.datasets import draw_cells, draw_description, draw_peek, draw_profile, draw_status
from backbone.cli.drawing.runs import draw_plan, draw_run
from backbone.cli.drawing.screen import Screen
from backbone.cli.drawing.ways import draw_lineage, draw_quarantine_rows, draw_trace
from backbone.cli.phrases import count

_WIDTH = 160
_REPORTS = "backbone.model.reports"


def _draw_head(result: Any, screen: Screen) -> None:
    """A query's first rows, and how many there are."""
    rows, total = result.head()
    draw_cells(result.columns, rows, screen)
    if total > len(rows):
        screen.line((f"… {count(total, 'row')}", "dim"))


_DRAWN: Mapping[tuple[str, str], Callable[[Any, Screen], None]] = {
    ("backbone.workspace.results", "Result"): _draw_head,
    ("backbone.workspace.peeking", "Peek"): lambda peek, to: draw_peek(peek.summary, to),
    ("backbone.model.steps", "Plan"): draw_plan,
    (_REPORTS, "RunReport"): draw_run,
    (_REPORTS, "Status"): draw_status,
    (_REPORTS, "DatasetDescription"): draw_description,
    (_REPORTS, "DatasetProfile"): draw_profile,
    (_REPORTS, "LineageGraph"): draw_lineage,
    (_REPORTS, "TraceNode"): draw_trace,
    (_REPORTS, "Quarantine"): lambda found, to: draw_quarantine_rows(found, None, to),
}
"""By where its class is, and how it is called: none of them is imported for this."""


def register() -> None:
    """Tell IPython, if it runs this process, how to draw."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/plain"]
    for (module, name), draw in _DRAWN.items():
        formatter.for_type_by_name(module, name, _drawn_by(draw))


def _drawn_by(draw: Callable[[Any, Screen], None]) -> Callable[[Any, Any, bool], None]:
    """A formatter as IPython wants it."""

    def write(value: Any, printer: Any, _: bool) -> None:
        page = io.StringIO()
        draw(value, Screen(page, width=_WIDTH))
        printer.text(page.getvalue().rstrip("\n"))

    return write
