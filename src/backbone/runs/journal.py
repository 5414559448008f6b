"""The journal of running runs: what a killed run leaves, and how it is recorded and swept up.

Every run writes `runs/<run>.json` before it stages anything and removes it when it has been recorded. Under the run
lock there is no other run, so whatever entry is found there belongs to a run that died.
"""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from backbone.lake.catalogue import committed_runs, registered_files

SCRATCH = "scratch"
SPILL = "spill"
"""The folder for what the engine puts aside when memory is short. It makes it, in a folder that must be there."""


def open_entry(folder: Path, run: str, details: Mapping[str, object]) -> None:
    """Write down that a run begins."""
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    entry = {"run": run, "started_at": datetime.now(UTC).isoformat(), **details}
    (folder / "runs" / f"{run}.json").write_text(json.dumps(entry))


def note(folder: Path, run: str, failed: str) -> None:
    """Write down why a run failed."""
    path = folder / "runs" / f"{run}.json"
    part = path.with_suffix(".part")
    try:
        part.write_text(json.dumps({**_entry(path), "failed": failed}))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def close_entry(folder: Path, run: str) -> None:
    """Write down that a run has been recorded."""
    (folder / "runs" / f"{run}.json").unlink(missing_ok=True)


def close_all(folder: Path) -> None:
    """Write down that every run has been recorded, or has published."""
    for path in (folder / "runs").glob("*"):
        path.unlink()


def has_entries(folder: Path) -> bool:
    """Whether there are runs that did not end, or are running."""
    return any((folder / "runs").glob("*.json"))


def dead_runs(folder: Path) -> list[dict[str, object]]:
    """The entries of runs that died before they could be recorded."""
    committed = committed_runs(folder)
    return [_entry(path) for path in sorted((folder / "runs").glob("*.json")) if path.stem not in committed]


def _entry(path: Path) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_text()))
    except ValueError:  # killed while it was written
        return {"run": path.stem, "started_at": datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat()}


def sweep(folder: Path) -> list[str]:
    """Remove what no snapshot knows of: data files that were staged and never registered, and scratch files.

    Only to be called under the run lock, where nobody stages.
    """
    known = registered_files(folder)
    tables = folder / "tables"
    removed = []
    for path in tables.rglob("*.parquet"):
        name = str(path.relative_to(tables))
        if name not in known:
            path.unlink()
            removed.append(name)
    remove_scratch(folder)
    for path in (folder / SPILL).glob("*"):
        path.unlink()
    dead = {str(entry["run"]) for entry in dead_runs(folder)}
    for artefacts in (folder / "models").glob("*/*"):
        if artefacts.name in dead:
            shutil.rmtree(artefacts)
    return removed


def remove_orphans(folder: Path, before: datetime) -> tuple[int, int]:
    """Remove files among the tables that no snapshot knows of and that are older; returns how many, and their bytes.

    Only to be called under the run lock. What a killed run left is swept up at once; these are what nobody can explain.
    """
    known, tables = registered_files(folder), folder / "tables"
    found = [
        (path, path.stat())
        for path in tables.rglob("*")
        if path.is_file() and str(path.relative_to(tables)) not in known
    ]
    old = [(path, state.st_size) for path, state in found if state.st_mtime < before.timestamp()]
    for path, _ in old:
        path.unlink()
    return len(old), sum(size for _, size in old)


def remove_scratch(folder: Path) -> None:
    """Remove files that were only needed on the way."""
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
