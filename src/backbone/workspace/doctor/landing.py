"""Landed files and their registry: are they as they were when they arrived?"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backbone.connectors.landing import LandingZone
from backbone.lake.catalogue import last_snapshot
from backbone.model.files import LandedFile
from backbone.model.reports import RunEvent
from backbone.storage.folder import sha256_of
from backbone.wiring import open_reading
from backbone.workspace.doctor.verdict import REPAIR, OnEvent, Verdict, counted, sound

if TYPE_CHECKING:
    from backbone.runs.environment import Environment


def check_registry(environment: "Environment") -> Verdict:
    """Whether the registry can be read, agrees with itself, with the folder, and with what the lake has read."""
    zone, name = environment.landing, "registry"
    if not zone.registry.store.exists() and not any(True for _ in zone.kept()):
        return sound(name, "nothing has landed yet")
    if damage := _unreadable(zone):
        return Verdict(name, "", (damage,), f"Rebuild it from landing and governance: {REPAIR}")
    files = zone.registry.files()
    wrong = [*_odd_rows(zone, files), *_strangers(zone), *_forgotten(files, consumed(environment))]
    hint = f"Rebuild it from landing and governance: {REPAIR}"
    return Verdict(name, f"{counted(len(files), 'landed file')}, each known once", tuple(wrong), hint)


def _unreadable(zone: LandingZone) -> str | None:
    if not zone.registry.store.exists():
        return f"{zone.registry.store.name} is not there, and files have landed"
    if damage := zone.registry.store.damage():
        return f"{zone.registry.store.name} is damaged: {damage}"
    return None


def _odd_rows(zone: LandingZone, files: Sequence[LandedFile]) -> Iterator[str]:
    contents: dict[Path, tuple[str, str]] = {}
    for file in files:
        inside = Path(os.path.normpath(file.path)).is_relative_to(zone.persistent)
        if not inside:
            yield f"file {file.id} lies outside the landing zone: {file.path}"
        if contents.setdefault(file.path, (file.source, file.sha256)) != (file.source, file.sha256):
            yield f"file {file.id} has the path of another: {file.path.name}"


def _strangers(zone: LandingZone) -> Iterator[str]:
    for path in zone.unknown_files():
        yield f"it doesn't know {path.relative_to(zone.persistent)}"


def _forgotten(files: Sequence[LandedFile], read: Iterable[LandedFile]) -> Iterator[str]:
    known = {file.id: (file.source, file.sha256) for file in files}
    for file in read:
        if file.id not in known:
            yield f"it doesn't know file {file.id}, {file.name} of {file.source}, which the lake has read"
        elif known[file.id] != (file.source, file.sha256):
            yield f"file {file.id} was {file.name} of {file.source} when the lake read it"


def consumed(environment: "Environment") -> tuple[LandedFile, ...]:
    """The landed files that runs of an environment have read, as its governance keeps them."""
    if not _can_be_asked(environment):
        return ()
    with open_reading(environment) as backend:
        if not backend.lake.has("governance.landed_file"):
            return ()
        rows = backend.lake.records(
            "FROM lake.governance.landed_file QUALIFY row_number() OVER (PARTITION BY file) = 1 ORDER BY file"
        )
    folder = environment.storage / "landing"
    return tuple(_landed(row, folder) for row in rows)


def _can_be_asked(environment: "Environment") -> bool:
    return not environment.site.books.damage() and last_snapshot(environment.site) is not None


def _landed(row: Mapping[str, Any], folder: Path) -> LandedFile:
    return LandedFile(
        row["file"], row["source"], row["name"], folder / row["path"], row["sha256"], row["size"], row["origin"],
        row["arrived_at"],
    )  # fmt: skip


def rebuild_registry(environment: "Environment", others: Sequence["Environment"]) -> Iterator[str]:
    """Write the registry anew from what the lakes have read, what it can still say itself, and the folder.

    Yields:
        What was done.
    """
    zone = environment.landing
    known = {} if _unreadable(zone) else {file.id: file for file in zone.registry.files()}
    for each in (*others, environment):
        known |= {file.id: file for file in consumed(each)}
    held = {file.path.parent for file in known.values()}
    strangers = [path for path in zone.kept() if path.name != ".part"]
    for path in sorted((p for p in strangers if p.parent not in held), key=lambda p: p.parent.name):
        known |= {file.id: file for file in [_adopted(path, 1 + max(known, default=0), zone)]}
    if not known:
        return
    aside = f"registry.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    zone.registry.rewrite([known[number] for number in sorted(known)], aside)
    yield f"rebuilt, with {counted(len(known), 'landed file')}; the former one is kept as {aside}, beside it"


def _adopted(path: Path, number: int, zone: LandingZone) -> LandedFile:
    """A file of which nothing is known but where it lies: it arrives now, after all others."""
    file = LandedFile(number, path.parents[1].name, path.name, path, "", 0, "", datetime.now(UTC))
    name = zone.name_of(file)
    return replace(file, sha256=zone.data.sha256(name) or "", size=zone.data.sizes([name]).get(name, 0))


def check_landed(environment: "Environment", on_event: OnEvent) -> Verdict:
    """Whether every landed file is there and equal to its checksum."""
    zone, name = environment.landing, "landed files"
    if _unreadable(zone):
        return sound(name, "not looked at: the registry comes first")
    files = zone.registry.files()
    damaged = damaged_files(zone, files, on_event)
    wrong = [_told(file, zone) for file in damaged]
    lines = [line for line in (_without(file, environment) for file in damaged[:3]) if line]
    if len(lines) < len(damaged[:3]):
        lines.append(f"What is still to be had is copied back: {REPAIR}")
    return Verdict(name, f"{counted(len(files), 'file')} equal to the checksum", tuple(wrong), "\n  ".join(lines))


def damaged_files(zone: LandingZone, files: Sequence[LandedFile], on_event: OnEvent) -> list[LandedFile]:
    """Those that are missing, or not what they were."""
    found = []
    for number, file in enumerate(files):
        on_event(RunEvent("checking", done=number, total=len(files), text=f"landed file {file.name}"))
        if _digest(file, zone) != file.sha256:
            found.append(file)
    return found


def damaged_sources(environment: "Environment", on_event: OnEvent) -> dict[str, str]:
    """For sources with landed files that aren't what they were: why nothing can be made from them."""
    zone = environment.landing
    files = damaged_files(zone, zone.registry.files(), on_event)
    return {file.source: f"{_told(file, zone)}: what to do says backbone doctor" for file in reversed(files)}


def _digest(file: LandedFile, zone: LandingZone) -> str | None:
    try:
        return zone.sha256(file)
    except OSError:
        return None


def _told(file: LandedFile, zone: LandingZone) -> str:
    state = "is damaged" if zone.data.sizes([zone.name_of(file)]) else "is missing"
    return f"file {file.id}, {file.name} of {file.source}, {state}"


def _without(file: LandedFile, environment: "Environment") -> str:
    """What it means that a landed file is gone, and what to do."""
    with source_of_copy(file, environment.landing) as source:
        if source:
            return ""
    held = ", ".join(f"{rows:,} rows of {dataset}" for dataset, rows in _rows_from(file, environment))
    still = f"; {held} came from it, and stay until they are made again" if held else ""
    return (
        f"File {file.id} can't be mended from here: {file.origin or 'its origin'} is gone or another now{still}. "
        f"Put a file with sha256 {file.sha256} to {environment.landing.data.uri(environment.landing.name_of(file))}"
    )


def _rows_from(file: LandedFile, environment: "Environment") -> list[tuple[str, int]]:
    if not _can_be_asked(environment):
        return []
    found = []
    with open_reading(environment) as backend:
        for dataset in (f"formatted.{file.source}", f"trusted.{file.source}"):
            if backend.lake.has(dataset):
                (row,) = backend.lake.records(f"SELECT count(*) AS rows FROM lake.{dataset} WHERE _file = {file.id}")
                found.append((dataset, int(str(row["rows"]))))
    return found


def _is_as_landed(origin: Path, file: LandedFile) -> bool:
    try:
        return origin.is_file() and sha256_of(origin) == file.sha256
    except OSError:
        return False


@contextmanager
def source_of_copy(file: LandedFile, zone: LandingZone) -> Iterator[Path | None]:
    """A file with the content of a landed one, if there is any: at its origin, or landed for another source."""
    origin = zone.origin_path(file) if file.origin else None
    if origin and _is_as_landed(origin, file):
        yield origin
        return
    for twin in zone.registry.files():
        if twin.sha256 == file.sha256 and twin.path != file.path and _digest(twin, zone) == file.sha256:
            with zone.opened([twin]) as (opened,):
                yield opened.path
            return
    yield None


def copy_back(environment: "Environment", on_event: OnEvent) -> Iterator[str]:
    """Put landed files back that are still where they came from.

    Yields:
        What was done.
    """
    zone = environment.landing
    for file in {file.path: file for file in damaged_files(zone, zone.registry.files(), on_event)}.values():
        with source_of_copy(file, zone) as source:
            if source is None:
                continue
            zone.mend(file, source)
        yield f"file {file.id}, {file.name}, was copied back from {source}"
