"""Asking for rows: sealed queries at a snapshot."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backbone.errors import QueryError, UsageError, did_you_mean
from backbone.lake.books import Lease
from backbone.lake.catalogue import datasets_at, last_snapshot, snapshot_at
from backbone.lake.sealed import SealedLake, most_refined
from backbone.model.names import quoted_dataset
from backbone.workspace.results import Result

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace


def query_workspace(workspace: "Workspace", query: str, as_of: str | None) -> Result:
    """A query over the datasets of a snapshot; it runs when rows are asked for."""
    site = workspace.environment.site
    return _result(workspace, site.books.take_lease(lambda: chosen_snapshot(workspace, as_of)), query)


def table_workspace(workspace: "Workspace", name: str, as_of: str | None) -> Result:
    """All rows of a dataset at a snapshot."""
    site = workspace.environment.site
    lease = site.books.take_lease(lambda: chosen_snapshot(workspace, as_of))
    known = datasets_at(site, lease.snapshot)
    return _result(workspace, lease, f"FROM {quoted_dataset(find_dataset(name, known))}")


def _result(workspace: "Workspace", lease: Lease, query: str) -> Result:
    environment = workspace.environment
    return Result(SealedLake(environment.site, lease, memory_limit=environment.memory_limit), query)


def find_dataset(name: str, known: Iterable[str]) -> str:
    """The dataset that a name means: itself, or for a bare name the one in the most refined zone.

    Raises:
        UsageError: there is none.
    """
    datasets = dict.fromkeys(known)
    found = name if name in datasets else most_refined(datasets).get(name)
    if found is None:
        near = did_you_mean(name, [*datasets, *most_refined(datasets)])
        raise UsageError(f"There is no dataset '{name}'.{near} Which there are: backbone status")
    return found


def chosen_snapshot(workspace: "Workspace", as_of: str | None) -> int:
    """The snapshot of a number or time, or the last one.

    Raises:
        UsageError: there is none.
    """
    site = workspace.environment.site
    known = last_snapshot(site)
    if known is None:
        raise QueryError(f"Nothing has run in environment '{workspace.environment.name}' yet. Next: backbone run")
    return known[1] if as_of is None else snapshot_at(site, as_of)
