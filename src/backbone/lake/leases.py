"""Leases: what readers hold of a lake, so that maintenance leaves it alone.

A process's lease counts for as long as it lives: when it dies, the lock on its lease is freed. A project that reads
another one's lake at a snapshot leaves a lease without a lock there, a pin: it counts until it is replaced.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from backbone.lake.books import Holder, Lease
from backbone.lake.site import Site

__all__ = ["Holder", "Lease", "holders", "pin", "take_lease", "without_new_leases"]


def take_lease(site: Site, choose: Callable[[], int]) -> Lease:
    """Hold the snapshot that `choose` returns; nothing expires between its choice and the lease."""
    return site.books.take_lease(choose)


def pin(site: Site, reader: str, snapshot: int) -> None:
    """Hold a snapshot for a project elsewhere, in place of the one that it held before.

    Args:
        site: the lake's.
        reader: the project's folder and environment.
        snapshot: which one it reads.
    """
    site.books.pin(reader, snapshot)


def without_new_leases(site: Site) -> AbstractContextManager[list[Holder]]:
    """Who holds what, while nobody can take a lease: what they don't hold may go during the block."""
    return site.books.without_new_leases()


def holders(site: Site) -> list[Holder]:
    """All leases that count."""
    return site.books.holders()
