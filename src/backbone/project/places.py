"""Places in a project's files: what an error points at."""

import os
import stat
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from backbone.errors import Problem
from backbone.model.rules import Location

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1_000_000
"""Files people write are small; a larger one is data in the wrong place."""


@dataclass(frozen=True, slots=True)
class File:
    """One text file of the project; `path` is relative to it. Lines end in a line feed alone."""

    path: str
    text: str
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths = (len(line) + 1 for line in self.text.split("\n"))
        object.__setattr__(self, "starts", (0, *accumulate(lengths)))

    @property
    def stem(self) -> str:
        """The file's name without its folder and ending."""
        return self.path.rpartition("/")[2].partition(".")[0]

    def place(self, start: int = 0, end: int | None = None) -> "Place":
        """The characters from `start` up to `end`."""
        return Place(self, start, max(start + 1 if end is None else end, start))

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column, both from 1."""
        return self.starts[min(line, len(self.starts)) - 1] + column - 1


@dataclass(frozen=True, slots=True)
class Place:
    """Some characters of a file."""

    file: File
    start: int
    end: int

    @property
    def at(self) -> Location:
        """Where it begins, by line and column."""
        line = self._line()
        return Location(self.file.path, line, self.start - self.file.starts[line - 1] + 1)

    def _line(self) -> int:
        return min(bisect_right(self.file.starts, self.start), max(len(self.file.starts) - 1, 1))

    def problem(self, message: str) -> Problem:
        """What is wrong here, with the line and a mark under the part of it that is on this line."""
        line = self._line()
        first = self.file.starts[line - 1]
        source_line = self.file.text[first : self.file.starts[line] - 1]
        length = min(self.end, first + len(source_line)) - self.start
        # A suggestion may follow a sentence; where there is none, the message ends as others do.
        return Problem(self.at, message.removesuffix("."), source_line, max(length, 1))


def about_file(path: str, message: str) -> Problem:
    """What is wrong with a file as a whole."""
    return Problem(Location(path), message.removesuffix("."))


def _content(path: "Path") -> bytes | None:
    """A file's bytes, hardly more than may be; None for a pipe or a device, which might never end."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        return file.read(MAX_BYTES + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None


def read_file(root: "Path", path: str, problems: list[Problem]) -> File | None:
    """A text file of the project, or None (and a problem) where it can't be read as one."""
    try:
        content = _content(root / path)
    except OSError as error:
        problems.append(Problem(Location(path), f"can't be read: {error.strerror}"))
        return None
    if content is None:
        problems.append(Problem(Location(path), "is no file of text but a pipe or a device"))
        return None
    if len(content) > MAX_BYTES:
        problems.append(Problem(Location(path), f"is larger than {MAX_BYTES:,} bytes, so it is no file of a project"))
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(Problem(Location(path, line), "is not UTF-8. Save it as UTF-8 text"))
        return None
    return File(path, text.replace("\r\n", "\n").replace("\r", "\n"))
