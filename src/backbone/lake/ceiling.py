"""A ceiling for what a query of people's may take of the machine's memory.

DuckDB counts its tables, sorts and joins against `memory_limit`, but not the lists and texts that a function makes, and
not the rows that Python is given. So the system is told: while a query runs, this process may grow by twice the limit;
what goes beyond isn't given, and the query fails by itself instead of the whole machine. Only Linux can be told.
"""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

_STATM = Path("/proc/self/statm")
_DATA_PAGES = 5


class _Ceilings:
    """The ceilings that are in force: queries may run side by side, and the last one takes the limit away."""

    def __init__(self) -> None:
        self._lock, self._count, self._before = Lock(), 0, (0, 0)

    def enter(self, room: int) -> None:
        with self._lock:
            if not self._count:
                self._before = resource.getrlimit(resource.RLIMIT_DATA)
            self._count += 1
            wanted = int(_STATM.read_text("ascii").split()[_DATA_PAGES]) * resource.getpagesize() + room
            above = [limit for limit in self._before if limit != resource.RLIM_INFINITY]
            resource.setrlimit(resource.RLIMIT_DATA, (min([wanted, *above]), self._before[1]))

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                resource.setrlimit(resource.RLIMIT_DATA, self._before)


_ceilings = _Ceilings()


@contextmanager
def ceiling(room: int) -> Iterator[None]:
    """Let this process grow by no more than `room` bytes within the block; what asks for more gets a MemoryError."""
    if sys.platform != "linux":
        yield
        return
    _ceilings.enter(room)
    try:
        yield
    finally:
        _ceilings.leave()
