"""Progress while a run works: on a terminal only, on standard error, and gone when it ends.

That it waits for another run is always said.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Lock
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from backbone.model.reports import RunEvent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_BAR = 40


class Progress(AbstractContextManager["Progress"]):
    """Listens to a run and draws what it is doing. Nothing is imported or drawn before the first event."""

    def __init__(self, also: Callable[[RunEvent], None] | None = None) -> None:
        self._also = also
        self._shown = sys.stderr.isatty()
        self._live: Live | None = None
        self._lock = Lock()
        self._began = monotonic()
        self._done = self._total = 0
        self._working: dict[str, str] = {}
        self._text = ""

    def __call__(self, event: RunEvent) -> None:
        """Take one event, from any thread."""
        if self._also:
            self._also(event)
        if not self._shown:
            if event.kind == "waiting":  # all else is quick or shown in the end; who waits must know what for
                print(f"waiting for another run {event.text}".rstrip(), file=sys.stderr, flush=True)  # noqa: T201
            return
        with self._lock:
            self._take(event)
            if self._live is None:
                self._live = self._start()

    def _take(self, event: RunEvent) -> None:
        self._total = max(self._total, event.total)
        self._done = max(self._done, event.done)
        self._text = event.text
        match event.kind:
            case "step_started":
                self._working[event.dataset] = event.text
            case "step_done":
                self._working.pop(event.dataset, None)
            case "waiting":
                self._text = f"waiting for another run {event.text}".rstrip()
            case "landing":
                self._text = f"landing {event.text}"
            case "checking" | "copying":
                self._text = f"{event.kind} {event.text}"
            case "publishing":
                self._text = "publishing"
            case "planned":
                self._text = "planning"

    def _start(self) -> "Live":
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, highlight=False)
        live = Live(console=console, transient=True, refresh_per_second=12, get_renderable=lambda: self._frame(console))
        live.start()
        return live

    def _frame(self, console: "Console") -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        now = monotonic()
        working = list(self._working)
        doing = Text(self._text if not working else ", ".join(working), no_wrap=True, overflow="ellipsis")
        if len(working) == 1 and self._working[working[0]]:
            doing.append(f"  {self._working[working[0]]}", "dim")
        head = Table.grid(padding=(0, 1))
        head.add_row(Spinner("dots", style="cyan").render(now), doing)
        if not self._total:
            return head
        bar = ProgressBar(self._total, self._done, width=max(8, min(_BAR, console.width - 24)))
        foot = Table.grid(padding=(0, 1))
        foot.add_row(" ", bar, f"{self._done}/{self._total}", Text(f"{now - self._began:.0f} s", style="dim"))
        return Group(head, foot)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the live view away."""
        if self._live is not None:
            self._live.stop()
