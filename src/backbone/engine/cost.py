"""What a block of work costs: time, processor time and the peak of memory."""

import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_NAMES = (b"VmHWM:", b"VmRSS:")
_EVERY_SECONDS = 0.02


@dataclass(slots=True)
class Cost:
    """Resources used, filled in when the block of `measured` ends.

    `peak_memory_bytes` is the most resident memory of the whole process during the block. It is exact where the process
    never needed as much before; else the highest of looks fifty times a second, which miss shorter peaks. Where there
    is no /proc it is the peak since the process began.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure what the block costs. Blocks may contain each other, and others may measure the process meanwhile."""
    cost, ended = Cost(), threading.Event()
    before, cost.peak_memory_bytes = _memory()
    looking = threading.Thread(target=_look, args=(cost, ended), name="backbone-memory", daemon=True)
    looking.start()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost.seconds, cost.cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        ended.set()
        looking.join()
        highest, now = _memory()
        cost.peak_memory_bytes = highest if highest > before else max(cost.peak_memory_bytes, now)


def _look(cost: Cost, ended: threading.Event) -> None:
    while not ended.wait(_EVERY_SECONDS):
        cost.peak_memory_bytes = max(cost.peak_memory_bytes, _memory()[1])


def _memory() -> tuple[int, int]:
    """The highest resident memory since the process began, and the present one, in bytes."""
    try:
        told = _STATUS.read_bytes()
        highest, now = (int(told[told.index(name) + len(name) :].split(maxsplit=1)[0]) for name in _NAMES)
    except (OSError, ValueError):
        highest = now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest * 1024, now * 1024
