"""Data in a folder."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backbone.errors import LakeError
from backbone.storage.data import Stored

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FolderData:
    """Implements `Data` in `root`. What is written at its place already needs no putting."""

    root: Path

    @property
    def is_local(self) -> bool:
        """See `Data`."""
        return True

    def uri(self, name: str) -> str:
        """See `Data`."""
        return str(self.root / name)

    def inside(self, name: str) -> "FolderData":
        """See `Data`."""
        return FolderData(self.root / name)

    def sizes(self, names: Collection[str]) -> Mapping[str, int]:
        """See `Data`."""
        return {name: (self.root / name).stat().st_size for name in names if (self.root / name).is_file()}

    def list(self, under: str) -> Iterator[Stored]:
        """See `Data`."""
        folder, _, beginning = under.rpartition("/")
        found = (path for path in sorted((self.root / folder).glob(f"{_plain(beginning)}*")) if beginning)
        paths = found if beginning else iter([self.root / folder])
        for path in paths:
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                with suppress(FileNotFoundError):  # it has gone meanwhile
                    state = file.stat()
                    if file.is_file():
                        name = str(file.relative_to(self.root))
                        yield Stored(name, state.st_size, datetime.fromtimestamp(state.st_mtime, UTC))

    def sha256(self, name: str) -> str | None:
        """See `Data`."""
        path = self.root / name
        return sha256_of(path) if path.is_file() else None

    def fetch(self, name: str, path: Path) -> str | None:
        """See `Data`."""
        return copy_file(self.root / name, path) if (self.root / name).is_file() else None

    def put(self, name: str, path: Path, *, again: bool = False) -> None:
        """See `Data`."""
        target = self.root / name
        if target == path:
            return
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            digest = copy_file(path, part)
            if again:
                part.replace(target)
                return
            try:
                target.hardlink_to(part)  # unlike a renaming, it never takes the place of another
            except FileExistsError:
                if sha256_of(target) != digest:
                    raise LakeError(f"{target} is there already, and is another file") from None
        finally:
            part.unlink(missing_ok=True)

    def remove(self, names: Collection[str]) -> None:
        """See `Data`."""
        for name in names:
            (self.root / name).unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> str:
    """Copy a file, surely on the disk, and return its checksum as it was read."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := os.read(reader.fileno(), CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    shutil.copystat(source, target)
    return digest.hexdigest()


def _plain(text: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)
