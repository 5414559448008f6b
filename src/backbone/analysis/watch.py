"""What training costs: its seconds, and the memory that the process held."""

import threading
import time
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped]  # it has no types of its own

_EVERY_SECONDS = 0.02


class Watch:
    """Measures a block: `seconds`, and `peak_memory_bytes`.

    The memory is the highest resident size of the whole process (the engine's and Python's own included) seen
    during the block, looked at fifty times a second: shorter peaks are missed.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.peak_memory_bytes = 0
        self._process = psutil.Process()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="backbone-watch", daemon=True)

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._started
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            self.peak_memory_bytes = max(self.peak_memory_bytes, self._process.memory_info().rss)
            if self._done.wait(_EVERY_SECONDS):
                return
