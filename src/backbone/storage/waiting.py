"""Work that mostly waits for a store's answers, done a few at a time."""

from collections.abc import Callable, Collection
from typing import TypeVar

_AT_ONCE = 8

T = TypeVar("T")
U = TypeVar("U")


def side_by_side(work: Callable[[T], U], things: Collection[T]) -> list[U]:
    """What a piece of work gives for each thing, in their order. The first error ends it.

    Example:
        >>> side_by_side(len, ["a", "bc"])
        [1, 2]
    """
    if len(things) <= 1:
        return [work(one) for one in things]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            return list(pool.map(work, things))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
