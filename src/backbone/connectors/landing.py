"""The landing zone: temporal drop folders, and persistent files that never change again.

A file is copied, checked and registered before its original in a drop folder goes away. So a kill between any two
steps leaves either the original, or a registered file; what is copied but not registered is copied again.
"""

import hashlib
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import glob
from pathlib import Path

from backbone.connectors.registry import Arrival, Registry
from backbone.errors import LakeError
from backbone.model.files import LandedFile
from backbone.model.troubles import trouble

SETTLE_SECONDS = 0.5
"""A file changed more recently than this is looked at twice, so that one still being written is left alone."""
_UNFINISHED = re.compile(r"^\.|^~|~$|\.(part|partial|tmp|temp|crdownload|swp|filepart)$", re.IGNORECASE)
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of one arrival: the landed file, and whether its content had landed before."""

    file: LandedFile
    repeat: bool


class LandingZone:
    """The landing zone in `folder` of the project at `root`."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = root
        self.registry = Registry(folder)

    def drop_folder(self, source: str) -> Path:
        """The temporal landing of a source: files dropped here are moved."""
        return self._folder / "temporal" / source

    def arrivals(self, source: str, origins: Iterable[str]) -> tuple[Arrival, ...]:
        """New and changed files of a source, in the order in which they will land: by name, numbers as numbers."""
        seen = self.registry.seen(source)
        found = []
        for path in self._candidates(source, origins):
            state = path.stat()
            arrival = Arrival(source, path, state.st_size, state.st_mtime_ns)
            dropped = path.parent == self.drop_folder(source)
            if dropped or seen.get(str(path)) != (arrival.size, arrival.mtime_ns):
                found.append(arrival)
        return tuple(found)

    def _candidates(self, source: str, origins: Iterable[str]) -> Iterator[Path]:
        patterns = [str(self._root / origin) for origin in origins] + [str(self.drop_folder(source) / "*")]
        for pattern in dict.fromkeys(patterns):
            literal = Path(pattern)
            matches = [pattern] if literal.is_file() else glob(pattern, recursive=True)  # noqa: PTH207 - absolute
            for match in sorted(matches, key=_natural):
                path = Path(match).absolute()
                if path.is_file() and not _UNFINISHED.search(path.name):
                    yield path

    def land(self, arrival: Arrival) -> Landing | None:
        """Bring one arrival into persistent landing; None when it is still being written or has gone.

        Raises:
            LakeError: it can't be read or written.
        """
        try:
            if not _settled(arrival):
                return None
            return self._land(arrival)
        except FileNotFoundError:
            return None
        except (OSError, sqlite3.Error) as error:
            why = trouble(error, self._folder) or str(error)
            raise LakeError(f"{arrival.origin} can't be landed: {why}") from error

    def _land(self, arrival: Arrival) -> Landing | None:
        seen = self.registry.seen(arrival.source).get(str(arrival.origin))
        dropped = arrival.origin.parent == self.drop_folder(arrival.source)
        part, sha256, size = self._copy(arrival)
        if not _unchanged(arrival) or size != arrival.size:
            shutil.rmtree(part.parent)
            return None
        known = self.registry.find(arrival.source, sha256)
        if known:
            shutil.rmtree(part.parent)
            # The same drop, seen again because a kill came before its original was removed, isn't a second arrival.
            if seen != (arrival.size, arrival.mtime_ns):
                self.registry.register_repeat(arrival, known)
            landing = Landing(known, repeat=True)
        else:
            path = part.with_name(arrival.origin.name)
            part.replace(path)
            path.chmod(0o444)
            landing = Landing(self.registry.register(arrival, path=path, sha256=sha256, size=size), repeat=False)
        if dropped:
            arrival.origin.unlink()
        return landing

    def _copy(self, arrival: Arrival) -> tuple[Path, str, int]:
        folder = self._arrival_folder(arrival.source)
        part, digest, size = folder / ".part", hashlib.sha256(), 0
        with arrival.origin.open("rb") as reader, part.open("wb") as writer:
            while chunk := reader.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        return part, digest.hexdigest(), size

    def _arrival_folder(self, source: str) -> Path:
        folder = self._folder / "persistent" / source
        while True:
            path = folder / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                time.sleep(0.000_01)
            else:
                return path

    def sweep(self) -> None:
        """Remove copies that a killed landing left: arrival folders without a registered file."""
        kept = {file.path.parent for file in self.registry.files()}
        for folder in (self._folder / "persistent").glob("*/*"):
            if folder not in kept:
                shutil.rmtree(folder)


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]


def _settled(arrival: Arrival) -> bool:
    age = time.time() - arrival.mtime_ns / 1e9
    if 0 <= age < SETTLE_SECONDS:
        time.sleep(SETTLE_SECONDS - age)
    return _unchanged(arrival)


def _unchanged(arrival: Arrival) -> bool:
    state = arrival.origin.stat()
    return (state.st_size, state.st_mtime_ns) == (arrival.size, arrival.mtime_ns)
