"""The journal of running runs: what a killed run leaves, and how it is swept up.

Every run has an entry in the lake's books before it stages anything, until it has been recorded. Where one writes at a
time, whatever entry is found under the run lock belongs to a run that died; else a lock of its own tells.
"""

import shutil
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backbone.lake.books import Entry
from backbone.lake.catalogue import committed_runs, registered_files
from backbone.lake.site import Site
from backbone.storage.data import Stored

ORPHANED = timedelta(days=1)
"""How long a file is left alone that no snapshot knows of: a run, perhaps on another machine, may be about to."""
SPILL = "spill"
"""The folder for what the engine puts aside when memory is short. It makes it, in a folder that must be there."""


def has_entries(site: Site) -> bool:
    """Whether there are runs that did not end."""
    return site.books.has_ended()


def unrecorded(site: Site) -> list[tuple[Entry, bool]]:
    """The entries of runs that have published nothing, each with whether it still runs."""
    committed = committed_runs(site)
    return [(entry, lives) for entry, lives in site.books.entries() if entry["run"] not in committed]


def sweep(site: Site, dead: Collection[str], *, others: bool) -> list[str]:
    """Remove what no snapshot knows of: data files that were staged and never registered, models, scratch files.

    In an object store only what bears the name of a dead run is removed. What the lake itself wrote for it, nobody can
    tell there from what it writes for another: maintenance removes that after a day.

    Args:
        site: the lake's.
        dead: runs that ended without a snapshot.
        others: whether others may write meanwhile: then only what bears the name of one of these runs is removed.
    """
    known = registered_files(site)
    all_of_it = site.data.is_local and not others
    removed = [
        name
        for name in (_names(site, "tables/") if all_of_it or dead else ())
        if name.removeprefix("tables/") not in known and (all_of_it or _run_of(name) in dead)
    ]
    models = [name for name in (_names(site, "models/") if dead else ()) if name.split("/")[2] in dead]
    site.data.remove([*removed, *models])
    for path in (*_put_aside(site, dead, others=others), *(p for run in dead for p in site.models.glob(f"*/{run}"))):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    return [name.removeprefix("tables/") for name in removed]


def _names(site: Site, under: str) -> list[str]:
    return [one.name for one in site.data.list(under) if under != "tables/" or one.name.endswith(".parquet")]


def _run_of(name: str) -> str:
    return name.rpartition("/")[2].partition("-")[0]


def _put_aside(site: Site, dead: Collection[str], *, others: bool) -> list[Path]:
    if others:
        return [site.folder / "scratch" / run for run in dead] + [path for run in dead for path in _copies(site, run)]
    staged = [] if site.data.is_local else [site.staging]
    return [site.folder / "scratch", *staged, *(site.folder / SPILL).glob("*")]


def _copies(site: Site, run: str) -> list[Path]:
    """What a run has written here of what is kept in an object store."""
    return [] if site.data.is_local else [*site.tables.glob(f"*/*/{run}-*"), *site.models.glob(f"*/{run}")]


def orphans(site: Site, before: datetime) -> list[Stored]:
    """Files among the tables that no snapshot knows of and that are older."""
    known = registered_files(site)
    found = [one for one in site.data.list("tables/") if one.name.removeprefix("tables/") not in known]
    return [one for one in found if one.modified < before]


def remove_orphans(site: Site) -> tuple[int, int]:
    """Remove what nobody has been able to explain for a day; returns how many files, and their bytes.

    Only to be called where nobody else writes. What a killed run left is swept up at once.
    """
    old = orphans(site, datetime.now(UTC) - ORPHANED)
    site.data.remove([one.name for one in old])
    return len(old), sum(one.bytes for one in old)


def remove_staged(site: Site, run: str) -> None:
    """Remove files that a run only needed on the way, and what it has sent to where the lake's data is."""
    shutil.rmtree(site.folder / "scratch" / run, ignore_errors=True)
    for path in _copies(site, run) if site.books.shared else () if site.data.is_local else (site.staging,):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    with suppress(OSError):  # another run's is in it, or there is none
        (site.folder / "scratch").rmdir()
