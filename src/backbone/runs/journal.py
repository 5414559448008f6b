"""The journal of running runs: what a killed run leaves, and how it is swept up.

Every run has an entry in the lake's books before it stages anything, until it has been recorded. Where one writes at a
time, whatever entry is found under the run lock belongs to a run that died; else a lock of its own tells.
"""

import os
import secrets
import shutil
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from backbone.lake.books import Entry
from backbone.lake.catalogue import committed_runs, registered_files
from backbone.lake.site import Site

SPILL = "spill"
"""The folder for what the engine puts aside when memory is short. It makes it, in a folder that must be there."""


@contextmanager
def spilling(site: Site) -> Iterator[Path]:
    """The folder in which this process's engine puts aside what is too much for its memory.

    Where others write at the same time each has its own, and the next one on the machine removes those of the dead.
    """
    folder = site.folder / SPILL
    if not site.books.shared:
        yield folder
        return
    machine = socket.gethostname()
    for left in folder.glob(f"{machine}-*-*"):
        if not _lives(int(left.name.split("-")[-2])):
            shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    own = folder / f"{machine}-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        with suppress(OSError):
            folder.rmdir()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def has_entries(site: Site) -> bool:
    """Whether there are runs that did not end."""
    return site.books.has_ended()


def unrecorded(site: Site) -> list[tuple[Entry, bool]]:
    """The entries of runs that have published nothing, each with whether it still runs."""
    committed = committed_runs(site)
    return [(entry, lives) for entry, lives in site.books.entries() if entry["run"] not in committed]


def sweep(site: Site, dead: Collection[str], *, others: bool) -> list[str]:
    """Remove what no snapshot knows of: data files that were staged and never registered, models, scratch files.

    Args:
        site: the lake's.
        dead: runs that ended without a snapshot.
        others: whether others may write meanwhile: then only what bears the name of one of these runs is removed.
    """
    known, tables = registered_files(site), site.tables
    removed = []
    for path in tables.rglob("*.parquet"):
        name = str(path.relative_to(tables))
        if name not in known and (not others or _run_of(path) in dead):
            path.unlink()
            removed.append(name)
    for path in _put_aside(site, dead, others=others):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    for artefacts in (site.folder / "models").glob("*/*"):
        if artefacts.name in dead:
            shutil.rmtree(artefacts)
    return removed


def _run_of(path: Path) -> str:
    return path.name.partition("-")[0]


def _put_aside(site: Site, dead: Collection[str], *, others: bool) -> list[Path]:
    if others:
        return [site.folder / "scratch" / run for run in dead]
    return [site.folder / "scratch", *(site.folder / SPILL).glob("*")]


def remove_orphans(site: Site, before: datetime) -> tuple[int, int]:
    """Remove files among the tables that no snapshot knows of and that are older; returns how many, and their bytes.

    Only to be called where nobody else writes. What a killed run left is swept up at once; these are what nobody can
    explain.
    """
    known, tables = registered_files(site), site.tables
    found = [
        (path, path.stat())
        for path in tables.rglob("*")
        if path.is_file() and str(path.relative_to(tables)) not in known
    ]
    old = [(path, state.st_size) for path, state in found if state.st_mtime < before.timestamp()]
    for path, _ in old:
        path.unlink()
    return len(old), sum(size for _, size in old)


def remove_scratch(site: Site, run: str) -> None:
    """Remove files that a run only needed on the way."""
    shutil.rmtree(site.folder / "scratch" / run, ignore_errors=True)
    with suppress(OSError):  # another run's is in it, or there is none
        (site.folder / "scratch").rmdir()
