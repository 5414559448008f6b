"""Rules: what is wrong with a row, and what to do about it."""

from dataclasses import dataclass, field
from typing import Literal

Action = Literal["repair", "null", "quarantine", "deduplicate", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file of the project. `path` is relative to the project; line and column start at 1."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


NOWHERE = Location("")


@dataclass(frozen=True, slots=True)
class Rule:
    """One data-quality statement, about one dataset.

    `columns` are the columns tested, in order (for `expect`, none; `sql` holds the expression instead).
    `params` are the rule's own parameters, still as text: a string, a tuple of strings, or a tuple of pairs.
    `tolerate` is a share of the rows tested, 0 to 1. `exceptions` are `(file, record)` pairs that are left alone.
    `digest` identifies what the rule says, so that a plan can tell which rule changed.
    """

    kind: str
    name: str
    columns: tuple[str, ...] = ()
    action: Action | None = None
    sql: str | None = None
    params: tuple[tuple[str, object], ...] = ()
    where: str | None = None
    tolerate: float = 0.0
    may_vanish: tuple[str, ...] = ()
    exceptions: tuple[tuple[int, int], ...] = ()
    because: str = ""
    at: Location = field(default=NOWHERE, compare=False)

    def param(self, name: str) -> object:
        """A parameter's value, or None where it isn't given."""
        return dict(self.params).get(name)
