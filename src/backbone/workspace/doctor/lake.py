"""The lake: does the catalogue agree with the disk, and every file with its checksum?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from backbone.errors import LakeError, StoreError
from backbone.lake.catalogue import committed_runs, last_snapshot
from backbone.lake.known_files import KnownFile, known_files
from backbone.lake.site import Site
from backbone.model.names import literal, quoted_dataset
from backbone.model.reports import RunEvent
from backbone.runs import journal
from backbone.runs.environment import Environment
from backbone.runs.run import read_published, registered_models
from backbone.workspace.doctor.verdict import REPAIR, OnEvent, Verdict, counted, sound
from backbone.workspace.reading import Reading

_GOVERNANCE = "governance."


def has_lake(environment: Environment) -> bool:
    """Whether a lake is there, sound or not."""
    return environment.site.books.has_catalogue() or _has_files(environment.site)


def _has_files(site: Site) -> bool:
    return any(one.name.endswith(".parquet") for one in site.data.list("tables/"))


def check_catalogue(environment: Environment) -> Verdict:
    """Whether the catalogue can be read at all; if not, everything is made again in a new lake."""
    hint = f"Make everything again from landing, in a new lake: {REPAIR}"
    damage = environment.site.books.damage()
    if not damage and last_snapshot(environment.site) is None and _has_files(environment.site):
        damage = "it has no snapshot"
    if damage:
        return Verdict("catalogue", "", (f"{environment.site.books.name}: {damage}",), hint)
    known = last_snapshot(environment.site)
    return sound("catalogue", f"snapshot {known[1]}" if known else "nothing has run yet")


@dataclass(slots=True)
class Files:
    """How the files stand that the catalogue knows; `old` are those that only earlier snapshots need."""

    sound: int = 0
    by_reading: int = 0
    damaged: list[KnownFile] = field(default_factory=list)
    missing: list[KnownFile] = field(default_factory=list)
    old_damaged: list[KnownFile] = field(default_factory=list)
    old_missing: list[KnownFile] = field(default_factory=list)


def look_at_files(environment: Environment, reading: Reading, on_event: OnEvent) -> Files:
    """Hash every file; one whose checksum nobody noted (the lake made it) is read instead."""
    rows = reading.records("SELECT path, sha256 FROM lake.governance.data_file")
    digests = {row["path"]: row["sha256"] for row in rows}
    site = environment.site
    files, known = Files(), known_files(site)
    sizes = site.data.sizes([f"tables/{file.path}" for file in known])
    for number, file in enumerate(known):
        on_event(RunEvent("checking", done=number, total=len(known), text=f"data file {file.path}"))
        if (size := sizes.get(f"tables/{file.path}")) is None:
            (files.missing if file.live else files.old_missing).append(file)
        elif not _is_intact(file, size, digests.get(file.path), reading):
            (files.damaged if file.live else files.old_damaged).append(file)
        else:
            files.sound += 1
            files.by_reading += file.path not in digests
    return files


def _is_intact(file: KnownFile, size: int, digest: str | None, reading: Reading) -> bool:
    """Whether a file is what it was, and what the catalogue says of it."""
    data, name = reading.lake.site.data, f"tables/{file.path}"
    if digest is not None and data.sha256(name) != digest:
        return False
    if digest is None and size != file.bytes:
        return False
    query = f"FROM parquet_file_metadata({literal(data.uri(name))})"
    if digest is None:
        query = f"SELECT count(COLUMNS(*)), count(*) AS num_rows FROM read_parquet({literal(data.uri(name))})"
    try:
        (row,) = reading.lake.records(query)
    except StoreError:
        raise
    except LakeError:
        return False
    return row["num_rows"] == file.rows


def check_files(files: Files) -> Verdict:
    """Whether the present rows can be read as they were written."""
    wrong = [f"{file.path} is missing" for file in files.missing]
    wrong += [f"{file.path} is damaged, or isn't what the catalogue says" for file in files.damaged]
    wrong += [f"{file.path}, of earlier snapshots, is damaged" for file in files.old_damaged]
    lost = frozenset(file.dataset for file in (*files.missing, *files.damaged))
    hint = f"Make them again from landing: {REPAIR}"
    if kept := sorted(dataset for dataset in lost if dataset.startswith(_GOVERNANCE)):
        hint = f"{', '.join(kept)} can't be made again: all is, in a new lake, and the damaged one is kept: {REPAIR}"
    elif files.old_damaged and not lost:
        hint = f"Time travel there would give wrong rows; set them aside, so that it fails instead: {REPAIR}"
    detail = f"{counted(files.sound, 'file')} equal to the checksum"
    if files.by_reading:
        detail += f" ({files.by_reading:,} of the lake's own have none: read through)"
    if files.old_missing:
        detail += f"; {counted(len(files.old_missing), 'file')} of earlier snapshots missing: no time travel there"
    return Verdict("data files", detail, tuple(wrong), hint, lost)


def set_old_aside(environment: Environment, files: Files) -> Iterator[str]:
    """Take damaged files of earlier snapshots out of the way: to fail is better than to give wrong rows.

    Yields:
        What was done.
    """
    for file in files.old_damaged:
        data, name = environment.site.data, f"tables/{file.path}"
        data.fetch(name, environment.folder / "damaged" / file.path)
        data.remove([name])
        yield f"{file.path} was set aside in {environment.folder.name}/damaged: {file.dataset} has no rows of then"


def check_orphans(environment: Environment, *, running: str) -> Verdict:
    """Whether there are files that nobody knows: data, models, scratch."""
    if running:
        return sound("orphans", f"not looked at: {running} is running, and stages files")
    wrong = [f"nobody knows {name}" for name in _orphans(environment.site)]
    return Verdict("orphans", "no file that nobody knows", tuple(wrong), f"Remove them: {REPAIR}")


def _orphans(site: Site) -> Iterator[str]:
    committed = committed_runs(site)
    # What is young in an object store may be of a run on another machine.
    before = datetime.now(UTC) - (timedelta() if site.data.is_local else journal.ORPHANED)
    yield from (one.name for one in journal.orphans(site, before) if one.name.endswith(".parquet"))
    models = {"/".join(one.name.split("/")[:3]) for one in site.data.list("models/")}
    yield from sorted(name for name in models if name.rpartition("/")[2] not in committed)
    if any(path.is_file() for path in (site.folder / journal.SCRATCH).rglob("*")):
        yield journal.SCRATCH


def check_models(environment: Environment, reading: Reading) -> Verdict:
    """Whether the files of models are as they were written; the present version of each is needed."""
    rows = reading.records(
        "SELECT dataset, path, sha256, run FROM lake.governance.data_file WHERE starts_with(path, 'models/')"
    )
    models = registered_models(reading.lake, read_published(environment, reading.lake))
    present = {(f"analysis.{analysis}", model["version"]) for analysis, model in models.items()}
    damaged = [row for row in rows if environment.site.data.sha256(str(row["path"])) != row["sha256"]]
    needed = [row for row in damaged if (row["dataset"], row["run"]) in present]
    wrong = [f"{row['path']} is missing or damaged" for row in needed]
    lost = frozenset(str(row["dataset"]) for row in needed)
    detail = f"{counted(len(rows) - len(damaged), 'file')} equal to the checksum"
    if old := len(damaged) - len(wrong):
        detail += f"; {counted(old, 'file')} of former versions missing or damaged"
    return Verdict("models", detail, tuple(wrong), f"Train again, with the same seed on the same rows: {REPAIR}", lost)


def check_runs(environment: Environment, *, running: str) -> Verdict:
    """Whether runs were left unfinished."""
    if running:
        return sound("runs", f"{running} is running")
    if journal.has_entries(environment.site):
        wrong = ("a run was killed, or could not end",)
        return Verdict("runs", "", wrong, f"The next run finishes its work, and so does {REPAIR}")
    return sound("runs", "none was left unfinished")


def rows_by_dataset(reading: Reading, datasets: Sequence[str]) -> Mapping[str, int | None]:
    """How many rows each dataset has; None where they can't be read."""
    return {dataset: _rows(reading, dataset) for dataset in datasets}


def _rows(reading: Reading, dataset: str) -> int | None:
    try:
        # count(*) alone would be answered from the catalogue.
        (row,) = reading.lake.records(f"SELECT count(rowid) AS rows FROM lake.{quoted_dataset(dataset)}")
    except StoreError:
        raise
    except LakeError:
        return None
    return int(str(row["rows"]))
