"""How many threads the numerical libraries may use."""

from contextlib import AbstractContextManager, nullcontext

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it has no types of its own

_SMALL_ROWS = 20_000


def threads_for(rows: int) -> AbstractContextManager[object]:
    """One thread for little data: threads that wait for each other on a busy machine cost more than the work.

    With one thread sums are always added in the same order too, so small models are equal to the last bit.
    """
    return threadpool_limits(limits=1) if rows < _SMALL_ROWS else nullcontext()
