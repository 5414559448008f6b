"""The journal of running runs: what a killed run leaves, and how it is swept up.

Every run has an entry in the lake's books before it stages anything, until it has been recorded. Where one writes at a
time, whatever entry is found under the run lock belongs to a run that died; else a lock of its own tells.
"""

import os
import re
import secrets
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backbone.lake.books import Entry
from backbone.lake.catalogue import committed_runs, registered_files
from backbone.lake.site import Site
from backbone.storage.data import Stored

ORPHANED = timedelta(days=1)
"""How long a file is left alone that no snapshot knows of: a run, perhaps on another machine, may be about to."""
SCRATCH = "scratch"
SPILL = "spill"
"""The folder for what the engine puts aside when memory is short, or what its name begins with.

The engine makes it when it first needs it, in a folder that must be there then.
"""


@contextmanager
def spilling(site: Site) -> Iterator[Path]:
    """The folder in which this process's engine puts aside what is too much for its memory.

    Where others write at the same time each has its own, and the next one on the machine removes those of the dead.
    None is in a folder that another one's end could remove.
    """
    if not site.books.shared:
        yield site.folder / SPILL
        return
    of_machine = f"{SPILL}-{os.uname().nodename}-"
    name = re.compile(rf"{re.escape(of_machine)}(\d+)-[0-9a-f]{{8}}")
    for left in site.folder.glob(f"{SPILL}-*"):
        if (match := name.fullmatch(left.name)) and not _lives(int(match[1])):
            shutil.rmtree(left, ignore_errors=True)
    own = site.folder / f"{of_machine}{os.getpid()}-{secrets.token_hex(4)}"
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


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
    known = registered_files(site)
    removed = _staged(site) if site.data.is_local and not others else _sent(site, dead)
    names = [name for name in removed if name.removeprefix("tables/") not in known]
    site.data.remove(names)
    for run in dead:
        for artefacts in site.models.glob(f"*/{run}"):
            shutil.rmtree(artefacts)
        remove_staged(site, run)
    for part in site.folder.glob("state.*.part"):  # of a command whose next has nothing to write
        with suppress(FileNotFoundError):
            if not others or time.time() - part.stat().st_mtime > ORPHANED.total_seconds():
                part.unlink()
    if not others:
        shutil.rmtree(site.folder / SCRATCH, ignore_errors=True)
        for path in (site.folder / SPILL).glob("*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return [name.removeprefix("tables/") for name in names]


def _staged(site: Site) -> list[str]:
    """What is in the tables' folder, where runs and the lake itself write."""
    return [str(path.relative_to(site.folder)) for path in site.tables.rglob("*.parquet")]


def _sent(site: Site, dead: Collection[str]) -> list[str]:
    """What dead runs have sent: their ids are in the names.

    What the lake itself wrote for them, nobody can tell from what it writes for a run on another machine: maintenance
    removes it after a day.
    """
    if not dead:
        return []
    beginnings = tuple(f"{run}-" for run in dead)
    sent = [one.name for one in site.data.list("tables/") if one.name.rpartition("/")[2].startswith(beginnings)]
    return [*sent, *(one.name for one in site.data.list("models/") if one.name.split("/")[2] in dead)]


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


def remove_unknown(site: Site) -> None:
    """Remove every data file and model that no snapshot has. Only to be called where nobody else writes or reads."""
    known, runs = registered_files(site), committed_runs(site)
    names = [one.name for one in site.data.list("tables/") if one.name.removeprefix("tables/") not in known]
    names += [one.name for one in site.data.list("models/") if one.name.split("/")[2] not in runs]
    site.data.remove(names)


def remove_staged(site: Site, run: str) -> None:
    """Remove files that a run only needed on the way, and what it has sent to where the lake's data is."""
    shutil.rmtree(site.folder / SCRATCH / run, ignore_errors=True)
    with suppress(OSError):  # another run's is in it, or there is none
        (site.folder / SCRATCH).rmdir()
    if not site.data.is_local:
        for path in site.tables.rglob(f"{run}-*.parquet"):
            path.unlink()
        for path in site.models.glob(f"*/{run}"):
            shutil.rmtree(path)
