"""The journal of running runs: what a killed run leaves, and how it is recorded and swept up.

Every run writes `runs/<run>.json` before it stages anything and removes it when it has been recorded. Under the run
lock there is no other run, so whatever entry is found there belongs to a run that died.
"""

import json
import shutil
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backbone.lake.catalogue import committed_runs, registered_files
from backbone.lake.site import Site
from backbone.storage.data import Stored

ORPHANED = timedelta(days=1)
"""How long a file is left alone that no snapshot knows of: a run, perhaps on another machine, may be about to."""
SPILL = "spill"
"""The folder for what the engine puts aside when memory is short. It makes it, in a folder that must be there."""


def open_entry(site: Site, run: str, details: Mapping[str, object]) -> None:
    """Write down that a run begins."""
    (site.folder / "runs").mkdir(parents=True, exist_ok=True)
    entry = {"run": run, "started_at": datetime.now(UTC).isoformat(), **details}
    (site.folder / "runs" / f"{run}.json").write_text(json.dumps(entry))


def note(site: Site, run: str, failed: str) -> None:
    """Write down why a run failed."""
    path = site.folder / "runs" / f"{run}.json"
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps({**_entry(path), "failed": failed}))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def close_entry(site: Site, run: str) -> None:
    """Write down that a run has been recorded."""
    (site.folder / "runs" / f"{run}.json").unlink(missing_ok=True)


def close_all(site: Site) -> None:
    """Write down that every run has been recorded, or has published."""
    for path in (site.folder / "runs").glob("*"):
        path.unlink()


def has_entries(site: Site) -> bool:
    """Whether there are runs that did not end, or are running."""
    return any((site.folder / "runs").glob("*.json"))


def dead_runs(site: Site) -> list[dict[str, object]]:
    """The entries of runs that died before they could be recorded."""
    committed = committed_runs(site)
    return [_entry(path) for path in sorted((site.folder / "runs").glob("*.json")) if path.stem not in committed]


def _entry(path: Path) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_text()))
    except ValueError:  # killed while it was written
        return {"run": path.stem, "started_at": datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()}


def sweep(site: Site) -> list[str]:
    """Remove what no snapshot knows of: data files that were staged and never registered, and scratch files.

    Only to be called under the run lock, where nobody stages.
    """
    dead = {str(entry["run"]) for entry in dead_runs(site)}
    known = registered_files(site)
    removed = _staged(site) if site.data.is_local else _sent(site, dead)
    names = [name for name in removed if name.removeprefix("tables/") not in known]
    site.data.remove(names)
    for run in dead if site.data.is_local else ():
        for artefacts in site.models.glob(f"*/{run}"):
            shutil.rmtree(artefacts)
    remove_staged(site)
    for path in (site.folder / SPILL).glob("*"):
        path.unlink()
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

    Only to be called under the run lock. What a killed run left is swept up at once.
    """
    old = orphans(site, datetime.now(UTC) - ORPHANED)
    site.data.remove([one.name for one in old])
    return len(old), sum(one.bytes for one in old)


def remove_staged(site: Site) -> None:
    """Remove files that were only needed on the way, and what was sent to where the lake's data is."""
    shutil.rmtree(site.folder / "scratch", ignore_errors=True)
    if not site.data.is_local:
        shutil.rmtree(site.staging, ignore_errors=True)
