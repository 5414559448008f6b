"""The port behind which files are kept: what a lake and a landing zone need of a folder, or of an object store.

Files have names such as `tables/trusted/orders/1f2e3d4c-0.parquet`. They are put whole, never changed afterwards, and
found by all who know the name. Nothing rests on renaming: an object store can't.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that is there: its name, its size, and when it was last written."""

    name: str
    bytes: int
    modified: datetime


class Data(Protocol):
    """Files by name. May be shared between threads and processes.

    What can't be reached, or is refused, raises a `LakeError` that says where and what to do.
    """

    @property
    def is_local(self) -> bool:
        """Whether the files lie in this machine's own file system, where every program can open them."""

    def uri(self, name: str) -> str:
        """How an engine names a file, or a folder of files."""

    def inside(self, name: str) -> "Data":
        """The part of this data that is below a folder."""

    def sizes(self, names: Collection[str]) -> Mapping[str, int]:
        """The sizes in bytes of those of these files that are there."""

    def list(self, under: str) -> Iterator[Stored]:
        """All files whose names begin with `under`, a folder or the beginning of a name in one, by name."""

    def sha256(self, name: str) -> str | None:
        """The checksum of a file as it is now, in hexadecimal digits; None if it isn't there. All of it is read."""

    def fetch(self, name: str, path: Path) -> str | None:
        """Copy a file to a local path and return its checksum as it was read; None if it isn't there."""

    def put(self, name: str, path: Path, *, again: bool = False) -> None:
        """Keep a copy of a local file: whole or not at all. A file of this name that has other content is an error.

        With `again` it takes the place of the one that is there.
        """

    def remove(self, names: Collection[str]) -> None:
        """Remove files; those that aren't there are none the less gone."""
