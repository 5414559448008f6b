"""Every error that Backbone raises.

BackboneError
├── ProjectError        the project's files are wrong: found before anything runs      exit code 2
├── UsageError          a command or call that can't be carried out                    exit code 2
│   ├── MissingExtraError    a part of Backbone that isn't installed
│   └── QueryError           an SQL query that is refused or fails
├── DatasetError        one dataset can't be made; the others can                      exit code 1
├── OriginError         a file that can't be read where it comes from: its source fails    exit code 1
├── EngineError         a query that the engine refuses or that fails; wrapped before people see it
│   └── UntranslatableError  a construct that isn't known to give the same on the engine
├── ExportError         a place where an export goes refuses it; nothing was left half done    exit code 1
└── LakeError           the lake or landing zone is damaged or in use                  exit code 1
    ├── BusyError            another process has the lock, and was not to be waited for
    ├── ForbiddenError       a database doesn't allow its role to do that
    └── StoreError           an object store can't be reached, or refuses              exit code 1
"""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from backbone.model.rules import Location
    from backbone.model.steps import Failure


class BackboneError(Exception):
    """Anything that Backbone can explain; `exit_code` is what the command line ends with."""

    exit_code = 1

    def __reduce__(self) -> "tuple[object, ...]":
        """Pickled as it is, whatever its class was made of: it may come from another machine."""
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(kind: type[BackboneError], args: tuple[object, ...], known: dict[str, object]) -> BackboneError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(known)
    return error


_SHOWN, _BEFORE = 300, 60
"""Characters shown of a longer line, and how many of them before the mark."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a project's file: where, what, and the line with `length` characters marked."""

    at: "Location"
    message: str
    source_line: str = ""
    length: int = 1

    def __str__(self) -> str:
        text = f"{self.at}: {self.message}"
        if not self.source_line:
            return text
        column = self.at.column - 1
        begin = max(column - _BEFORE, 0) if len(self.source_line) > _SHOWN else 0
        line = self.source_line[begin : begin + _SHOWN]
        indent = len(line) - len(line.lstrip())
        before = max(column - begin - indent, 0)
        mark = " " * before + "^" * max(min(self.length, len(line.rstrip()) - indent - before), 1)
        return f"{text}\n    {line.strip()}\n    {mark}"


class ProjectError(BackboneError):
    """The project's files are wrong. All problems are listed, by file and line; nothing has changed."""

    exit_code = 2

    def __init__(self, problems: "Sequence[Problem]") -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.at.path, p.at.line, p.at.column)))
        super().__init__("\n".join(str(p) for p in self.problems))

    def with_lines(self, root: "Path") -> "ProjectError":
        """The same with the lines of the project's files that the problems are about, where they were not at hand."""
        lines = [p.source_line or line_of(root, p.at) for p in self.problems]
        return ProjectError([replace(p, source_line=line) for p, line in zip(self.problems, lines, strict=True)])


class UsageError(BackboneError):
    """A command or call that can't be carried out; the message says what to do instead."""

    exit_code = 2


class MissingExtraError(UsageError):
    """A part of Backbone that isn't installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra. Install it: pip install 'backbone[{extra}]'")


class QueryError(UsageError):
    """An SQL query that is refused or fails."""


class DatasetError(BackboneError):
    """One dataset can't be made: it keeps its last good version, and so does all that depends on it."""

    def __init__(self, failure: "Failure") -> None:
        self.failure = failure
        super().__init__(f"{failure.dataset} FAILED: {failure.message}")


class OriginError(BackboneError):
    """A source's file that is there and can't be read: its source's datasets keep their last good version."""


class EngineError(BackboneError):
    """A query that the engine refuses or that fails, with the engine's own words."""


class UntranslatableError(EngineError):
    """A construct that isn't known to give the same on the engine as in DuckDB: it is named, with its place."""


class ExportError(BackboneError):
    """The place where an export goes refuses it, or a value that it can't hold; nothing was left half done there."""


class LakeError(BackboneError):
    """The lake or the landing zone is damaged or in use."""


class BusyError(LakeError):
    """Another process has the lock, and was not to be waited for."""


class ForbiddenError(LakeError):
    """A database doesn't allow its role to do that: to read, or to write where it may only read."""


class StoreError(LakeError):
    """An object store can't be reached, or refuses: what is in it may be as sound as ever."""


def line_of(root: "Path", at: "Location") -> str:
    """The line of a project's file at a place; empty where there is none."""
    path = root / at.path
    try:
        if not path.is_file():  # nor a pipe, that nobody may ever write to
            return ""
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return lines[at.line - 1] if at.line <= len(lines) else ""


@contextmanager
def lines_shown(root: "Path") -> "Iterator[None]":
    """Let a `ProjectError` of the block show the lines that it is about.

    Raises:
        ProjectError: the block raised it.
    """
    try:
        yield
    except ProjectError as error:
        raise error.with_lines(root) from error.__cause__


def did_you_mean(word: str, known: "Iterable[str]") -> str:
    """A sentence that suggests a near name, with a blank before it, or nothing.

    Example:
        >>> did_you_mean("air_tme", ["air_time", "dest"])
        " Did you mean 'air_time'?"
    """
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def shown_value(value: object) -> str:
    """A value from the data as a message may show it: cut at 60 characters, control characters escaped."""
    if value is None:
        return "∅"
    most = 60
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
    return text if len(text) <= most else text[: most - 1] + "…"
