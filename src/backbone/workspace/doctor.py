"""Whether project, landing zone and lake are sound."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from backbone.errors import BackboneError
from backbone.lake.catalogue import last_snapshot, registered_files
from backbone.model.reports import Check
from backbone.runs import journal
from backbone.runs.stage import sha256_of
from backbone.runs.state import read_state
from backbone.workspace.reading import Reading, open_for_reading

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace

_SHOWN = 3


def examine(workspace: "Workspace") -> tuple[Check, ...]:
    """All checks, in the order of the data's way."""
    return tuple(_checks(workspace))


def _checks(workspace: "Workspace") -> Iterator[Check]:
    yield _guarded("project", lambda: _project(workspace))
    yield _guarded("landed files", lambda: _landed(workspace))
    if last_snapshot(workspace.environment.folder) is None:
        yield Check("lake", ok=True, detail="nothing has run yet", hint="backbone run")
        return
    with open_for_reading(workspace.environment) as reading:
        yield _guarded("catalogue", lambda: _files_there(workspace))
        yield _guarded("data files", lambda: _data_files(workspace, reading))
        yield _guarded("ledger", lambda: _ledgers(reading))
        yield _guarded("state cache", lambda: _state(workspace))
        yield _guarded("runs", lambda: _runs(workspace))


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except BackboneError as error:
        return Check(name, ok=False, detail=str(error))


def _project(workspace: "Workspace") -> Check:
    project = workspace.project
    parts = (("source", project.sources), ("view", project.views), ("analysis", project.analyses))
    return Check("project", ok=True, detail=", ".join(_count(len(values), word) for word, values in parts))


def _landed(workspace: "Workspace") -> Check:
    files = workspace.environment.landing.registry.files()
    damaged = [file.name for file in files if not file.path.is_file() or sha256_of(file.path) != file.sha256]
    if damaged:
        hint = "Restore it in lake/landing/persistent from a backup: what has landed must never change"
        return Check("landed files", ok=False, detail=f"missing or damaged: {_named(damaged)}", hint=hint)
    return Check("landed files", ok=True, detail=f"{_count(len(files), 'file')} equal to the checksum")


def _files_there(workspace: "Workspace") -> Check:
    tables = workspace.environment.folder / "tables"
    known = registered_files(workspace.environment.folder)
    missing = [name for name in known if not (tables / name).is_file()]
    orphans = [str(p.relative_to(tables)) for p in tables.rglob("*.parquet") if str(p.relative_to(tables)) not in known]
    if missing:
        hint = "Build it again from landing: backbone run --force --select NAME"
        return Check("catalogue", ok=False, detail=f"files missing: {_named(missing)}", hint=hint)
    if orphans and not journal.has_entries(workspace.environment.folder):
        return Check("catalogue", ok=False, detail=f"files nobody knows: {_named(orphans)}", hint="They can be removed")
    return Check("catalogue", ok=True, detail=f"{_count(len(known), 'file')}, all there")


def _data_files(workspace: "Workspace", reading: Reading) -> Check:
    tables = workspace.environment.folder / "tables"
    rows = reading.records("SELECT path, sha256 FROM lake.governance.data_file")
    known = registered_files(workspace.environment.folder)
    checked = [(row["path"], row["sha256"]) for row in rows if row["path"] in known]
    damaged = [name for name, digest in checked if (tables / name).is_file() and sha256_of(tables / name) != digest]
    if damaged:
        hint = "Build it again from landing: backbone run --force --select NAME"
        return Check("data files", ok=False, detail=f"damaged: {_named(damaged)}", hint=hint)
    return Check("data files", ok=True, detail=f"{_count(len(checked), 'file')} equal to the checksum")


def _ledgers(reading: Reading) -> Check:
    rows = reading.records(
        "SELECT DISTINCT dataset FROM lake.governance.ledger WHERE rows_in <> rows_out + quarantined + merged_away"
    )
    if rows:
        return Check("ledger", ok=False, detail=f"doesn't balance: {_named([row['dataset'] for row in rows])}")
    return Check(
        "ledger", ok=True, detail="rows in = rows out + quarantined + merged away, for every step of every run"
    )


def _state(workspace: "Workspace") -> Check:
    state, known = read_state(workspace.environment.state_path), last_snapshot(workspace.environment.folder)
    if state is None or (state.lake, state.snapshot) != known:
        return Check("state cache", ok=True, detail="out of date; the next run reads the lake instead")
    return Check("state cache", ok=True, detail=f"names snapshot {state.snapshot}, the lake's last")


def _runs(workspace: "Workspace") -> Check:
    if journal.has_entries(workspace.environment.folder):
        return Check(
            "runs", ok=False, detail="a run is under way, or was killed", hint="backbone run finishes its work"
        )
    return Check("runs", ok=True, detail="none was left unfinished")


def _count(number: int, word: str) -> str:
    plural = {"analysis": "analyses"}.get(word, f"{word}s")
    return f"{number:,} {word if number == 1 else plural}"


def _named(names: list[str]) -> str:
    shown, more = names[:_SHOWN], len(names) - _SHOWN
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
