"""The landing zone: temporal drop folders, and persistent files that never change again.

A file is copied, checked and registered before it gets its name, and before its original in a drop folder goes away.
So a kill between any two steps leaves a copy that is made again, or a registered one that only needs its name.
"""

import errno
import hashlib
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.connectors.arriving import arriving
from backbone.connectors.opening import Opener
from backbone.connectors.origins import is_asked
from backbone.connectors.registry import Arrival, Registry
from backbone.connectors.secrets import Secrets, concealed
from backbone.errors import LakeError, OriginError
from backbone.model.files import LandedFile
from backbone.storage.data import Data
from backbone.storage.folder import FolderData, sha256_of
from backbone.troubles import trouble

if TYPE_CHECKING:
    from backbone.engine.postgres import Database

SETTLE_SECONDS = 0.5
"""A file changed more recently than this is looked at twice, so that one still being written is left alone."""
_CHUNK = 1 << 20
_PART = ".part"
_ASIDE = ".landed"
_ARRIVAL = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
"""Nothing else is swept away, wherever a link among the landing zone's folders may lead."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of one arrival: the landed file, and whether its content said nothing new."""

    file: LandedFile
    repeat: bool


class LandingZone:
    """The landing zone of the project at `root`: drop folders and registry in `folder`, what has landed there too.

    Or it is kept in `elsewhere`, by the same names. Then nothing stays in `folder` but what is about to land. The
    registry may be in a `database`.
    """

    def __init__(
        self, folder: Path, root: Path, elsewhere: Data | None = None, database: "Database | None" = None
    ) -> None:
        self._folder = folder
        self._root = root
        self._elsewhere = elsewhere
        self.opened = Opener(folder, elsewhere)
        self.registry = Registry(folder, database)

    @property
    def data(self) -> Data:
        """What has landed: names such as `persistent/<source>/<arrival>/<name>`."""
        return self._elsewhere or FolderData(self._folder)

    def name_of(self, file: LandedFile) -> str:
        """The name that a landed file has in the data."""
        return self.opened.name_of(file)

    def sha256(self, file: LandedFile) -> str | None:
        """The checksum of a landed file as it is now; None if it isn't there."""
        return self.data.sha256(self.name_of(file))

    def kept(self) -> Iterator[Path]:
        """The paths of all files in persistent landing, registered or not: those of copies about to land too."""
        return (self._folder / one.name for one in self.data.list("persistent/"))

    def mend(self, file: LandedFile, source: Path) -> None:
        """Put a file in the place of a landed one that is missing or damaged."""
        if self._elsewhere is not None:
            self._elsewhere.put(self.name_of(file), source, again=True)
            return
        part = file.path.with_name(_PART)
        part.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, part)
        part.chmod(0o444)
        part.replace(file.path)

    @property
    def persistent(self) -> Path:
        """The folder of what has landed, or is about to: `<source>/<arrival>/<name>`."""
        return self._folder / "persistent"

    def drop_folder(self, source: str) -> Path:
        """The temporal landing of a source: files dropped here are moved."""
        return self._folder / "temporal" / source

    def origin_path(self, file: LandedFile) -> Path:
        """Where a landed file came from; it may have gone."""
        return self._root / Secrets(self._root).filled(file.origin)

    def arrivals(self, source: str, origins: Iterable[str]) -> tuple[Arrival, ...]:
        """New and changed files of a source, in the order in which they will land: by name, numbers as numbers.

        Files that are there and can't be read are among them, with the problem.
        """
        return tuple(self._arriving(source, origins, self.registry.seen(source)))

    def present(self, source: str, origins: Iterable[str]) -> Iterator[Arrival]:
        """All files of a source at the places that it names, landed before or not."""
        return self._arriving(source, origins, {})

    def _arriving(self, source: str, origins: Iterable[str], seen: Mapping[str, tuple[int, int]]) -> Iterator[Arrival]:
        secrets = Secrets(self._root)
        filled = [secrets.filled(origin) for origin in origins if not is_asked(origin)]
        return arriving(source, filled, root=self._root, drop=self.drop_folder(source), seen=seen)

    def says_something_new(self, arrival: Arrival) -> bool:
        """Whether an arrival would land as a new version; it is read only if its size has landed before."""
        if arrival.problem or not self.registry.has_size(arrival.source, arrival.size):
            return True
        try:
            with arrival.origin.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return True
        return self._repeated(arrival, sha256) is None

    def _repeated(self, arrival: Arrival, sha256: str) -> LandedFile | None:
        """The landed file that an arrival only repeats; None if it says something new.

        A content that comes back after another one is a new version: the order of arrivals says which is newest.
        """
        source, registry = arrival.source, self.registry
        for known in (registry.last_from(source, arrival.place), registry.newest(source)):
            if known and known.sha256 == sha256:
                return known
        moved = registry.last_from(source, arrival.place) is None and registry.came_as(arrival, sha256)
        return registry.with_content(source, sha256) if moved else None

    def land(self, arrival: Arrival) -> Landing | None:
        """Bring one arrival into persistent landing; None when it is still being written or has gone.

        Raises:
            OriginError: it can't be read.
            LakeError: it can't be written.
        """
        if arrival.problem:
            raise OriginError(f"{arrival.place} can't be landed: {arrival.problem}")
        try:
            if not _settled(arrival):
                return None
            return self._land(arrival)
        except FileNotFoundError:
            return None
        except (OSError, sqlite3.Error) as error:
            why = concealed(trouble(error, self._folder) or str(error))
            raise LakeError(f"{arrival.place} can't be landed: {why}") from error

    def _land(self, arrival: Arrival) -> Landing | None:
        seen = self.registry.seen_at(arrival.source, arrival.place)
        part, sha256, size = self._copy(arrival)
        if not _unchanged(arrival) or size != arrival.size:
            shutil.rmtree(part.parent)
            return None
        if known := self._repeated(arrival, sha256):
            shutil.rmtree(part.parent)
            # The same drop, seen again because a kill came before its original was removed, isn't a second arrival.
            if seen != (arrival.size, arrival.mtime_ns):
                self.registry.register_repeat(arrival, known)
            landing = Landing(known, repeat=True)
        else:
            landing = Landing(self._keep(arrival, part, sha256), repeat=False)
        if arrival.origin.parent == self.drop_folder(arrival.source):
            _take_away(arrival)
        return landing

    @contextmanager
    def fetching(self, source: str) -> Iterator[Path]:
        """The path of a file yet to be written by who fetches it. What goes wrong in the block leaves nothing of it."""
        part = self._arrival_folder(source) / _PART
        try:
            yield part
        except BaseException:
            shutil.rmtree(part.parent)
            raise

    def land_fetched(self, part: Path, arrival: Arrival) -> Landing:
        """Bring a file that was fetched into persistent landing, with what its connector is to know the next time."""
        _sync(part)
        arrival = replace(arrival, size=part.stat().st_size, mtime_ns=time.time_ns())
        sha256 = sha256_of(part)
        if known := self._repeated(arrival, sha256):
            shutil.rmtree(part.parent)
            self.registry.register_repeat(arrival, known)
            return Landing(known, repeat=True)
        return Landing(self._keep(arrival, part, sha256), repeat=False)

    def _keep(self, arrival: Arrival, part: Path, sha256: str) -> LandedFile:
        """Register a new version. Bytes that have landed before are not kept twice."""
        if same := self.registry.with_content(arrival.source, sha256):
            shutil.rmtree(part.parent)
            return self.registry.register(arrival, path=same.path, sha256=sha256)
        os.utime(part, ns=(arrival.mtime_ns, arrival.mtime_ns))  # what a lost registry would no longer tell
        part.chmod(0o444)
        path = part.with_name(arrival.name)
        if self._elsewhere is None:
            file = self.registry.register(arrival, path=path, sha256=sha256)
            part.replace(file.path)
            return file
        # It counts once it is registered. Killed before, it is known by the folder that is still here: see `sweep`.
        self._elsewhere.put(str(path.relative_to(self._folder)), part)
        file = self.registry.register(arrival, path=path, sha256=sha256)
        shutil.rmtree(part.parent)
        return file

    def _copy(self, arrival: Arrival) -> tuple[Path, str, int]:
        folder = self._arrival_folder(arrival.source)
        part, digest, size = folder / _PART, hashlib.sha256(), 0
        try:
            with part.open("wb") as writer:
                for chunk in _chunks(arrival):
                    digest.update(chunk)
                    size += len(chunk)
                    writer.write(chunk)
                writer.flush()
                os.fsync(writer.fileno())
        except BaseException:
            shutil.rmtree(folder)
            raise
        return part, digest.hexdigest(), size

    def _arrival_folder(self, source: str) -> Path:
        moment = self.registry.next_moment()
        while True:
            path = self.persistent / source / moment.strftime("%Y%m%dT%H%M%S.%fZ")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                moment += timedelta(microseconds=1)
            else:
                return path

    def sweep(self) -> None:
        """Finish what a killed landing left: name the copy that was registered, remove one that wasn't.

        Raises:
            LakeError: there are files that the registry doesn't know: it was lost, or is of another time.
        """
        for aside in (self._folder / "temporal").glob(f"*/.*{_ASIDE}"):
            _put_back(aside)
        if self._elsewhere is not None:
            self._sweep(self._elsewhere)
            return
        last = self.registry.newest()
        if last and not last.path.exists() and (part := last.path.with_name(_PART)).exists():
            part.replace(last.path)
        for folder in self.unknown_folders():
            if strangers := [path for path in folder.iterdir() if path.name != _PART]:
                raise LakeError(
                    f"The registry of landed files doesn't know {strangers[0].relative_to(self._folder)}: "
                    "it was lost, or is an old copy. Rebuild it: backbone doctor --repair"
                )
            if _ARRIVAL.fullmatch(folder.name):
                shutil.rmtree(folder)

    def _sweep(self, elsewhere: Data) -> None:
        """Remove what was put for a file that isn't registered. Its folder here is all that knows of it."""
        kept = {file.path.parent for file in self.registry.files()} if any(self.persistent.glob("*/*")) else set()
        for folder in sorted(self.persistent.glob("*/*")):
            if not _ARRIVAL.fullmatch(folder.name):
                continue
            if folder not in kept:
                elsewhere.remove([one.name for one in elsewhere.list(f"{folder.relative_to(self._folder)}/")])
            shutil.rmtree(folder)

    def unknown_files(self) -> list[Path]:
        """Files in persistent landing that the registry doesn't know."""
        known = {file.path.parent for file in self.registry.files()}
        return [path for path in self.kept() if path.name != _PART and path.parent not in known]

    def unknown_folders(self) -> list[Path]:
        """The folders of persistent landing that hold no registered file. Thousands may hold one."""
        kept = self.registry.folders()
        names = (
            f"persistent/{source.name}/{arrival.name}"
            for source in _folders(self.persistent)
            for arrival in _folders(source.path)
        )
        return [self._folder / name for name in sorted(name for name in names if name not in kept)]


def _sync(path: Path) -> None:
    """Have a file surely on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _folders(path: str | Path) -> Iterator["os.DirEntry[str]"]:
    with suppress(FileNotFoundError), os.scandir(path) as entries:
        yield from (entry for entry in entries if entry.is_dir())


def _chunks(arrival: Arrival) -> Iterator[bytes]:
    try:
        with arrival.origin.open("rb") as reader:
            while chunk := reader.read(_CHUNK):
                yield chunk
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OriginError(f"{arrival.place} can't be read: {error.strerror or error}") from error


def _settled(arrival: Arrival) -> bool:
    age = abs(time.time() - arrival.mtime_ns / 1e9)
    if age < SETTLE_SECONDS:
        time.sleep(SETTLE_SECONDS - age)
    return _unchanged(arrival)


def _take_away(arrival: Arrival) -> None:
    """Remove a dropped original, if it is still the one that has landed: another may have come in its place."""
    aside = arrival.origin.with_name(f".{arrival.origin.name}.{arrival.mtime_ns}{_ASIDE}")
    try:
        arrival.origin.rename(aside)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        if _unchanged(arrival):
            arrival.origin.unlink()
        return
    state = aside.stat()
    if (state.st_size, state.st_mtime_ns) == (arrival.size, arrival.mtime_ns):
        aside.unlink()
    else:
        _put_back(aside)


def _put_back(aside: Path) -> None:
    """Give a file in a drop folder its name again; if one more has come by then, when that one has landed."""
    origin = aside.with_name(aside.name[1:].removesuffix(_ASIDE).rpartition(".")[0])
    if not origin.exists():
        aside.rename(origin)


def _unchanged(arrival: Arrival) -> bool:
    state = arrival.origin.stat()
    return (state.st_size, state.st_mtime_ns) == (arrival.size, arrival.mtime_ns)
