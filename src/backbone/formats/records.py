"""What a session has of a file that was read: its records as text, and those that couldn't be read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

from backbone.engine.protocol import Session
from backbone.errors import UsageError

_NUMBERS: Iterator[int] = count(1)


@dataclass(frozen=True, slots=True)
class Records:
    """A file as a session sees it.

    `table` has `_record` and the columns `c1`, `c2` … as VARCHAR (VARCHAR[] where `lists` says so), in the order of
    `headers`. `unreadable_table` has `record`, `raw`, `reason`. `domains` is what a typed format says its columns
    are (empty for text formats). `nested` says that lists in its records may be relations; `torn` that quotes weren't
    in order, so that a record may have been taken for another. `remark` is a sentence on how the file was read. `made`
    drops it all.
    """

    headers: tuple[str, ...]
    table: str
    unreadable_table: str
    records: int
    unreadable: int
    lists: frozenset[int] = frozenset()
    domains: tuple[str, ...] = ()
    nested: bool = False
    made: tuple[str, ...] = field(default=(), repr=False)
    torn: bool = False
    remark: str = ""

    @property
    def total(self) -> int:
        """All records of the file."""
        return self.records + self.unreadable

    def drop(self, session: Session) -> None:
        """Give the memory back."""
        for statement in self.made:
            session.execute(statement)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file as a query: texts `c1`, `c2` … as in its headers; `n1`, `n2` …: values of the file's own types.

    `number` is SQL for the number of a record. It may have fewer records than it says, never more: that ends the query.
    Of records that aren't `sound` (SQL), what they are can't be told from their texts.
    """

    query: str
    number: str
    before: int
    records: int
    sound: str = "true"


class Scan(Protocol):
    """A file that is read on the fly, in parts side by side, with nothing kept."""

    @property
    def headers(self) -> tuple[str, ...]:
        """The file's headers."""

    @property
    def natives(self) -> tuple[str, ...]:
        """The SQL types of `n1`, `n2` …, those of domains; empty where there is no such value."""

    @property
    def lists(self) -> frozenset[int]:
        """Which fields are lists of texts."""

    @property
    def ways(self) -> tuple[bool, ...]:
        """The ways in which the file may be read, `whole` or not, one after the other until one is right."""

    def waves(self, session: Session, *, whole: bool, nulls: tuple[str, ...] = ()) -> Iterator[tuple[Part, ...]]:
        """Parts to be read in one query, in order; after each wave, they are gone.

        `nulls` are texts that mean *missing* in every field: the reader may make them NULL.
        """

    def unreadable(self, session: Session) -> int:
        """How many records were unreadable since the last call, so that the numbers are wrong."""


def field_name(position: int) -> str:
    """The column of a `Records` table for the header at a position, from 0."""
    return f"c{position + 1}"


def fresh_names(*kinds: str) -> tuple[str, ...]:
    """Names of tables that no reading had before: DuckDB's reject tables belong to a connection and stay in it."""
    number = next(_NUMBERS)
    return tuple(f"_{kind}_{number}" for kind in kinds)


def counted(session: Session, table: str, where: str = "true") -> int:
    """How many rows a table has."""
    return int(session.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])


def attempt(session: Session, sql: str, path: Path, what: str) -> None:
    """Run a statement that reads a person's file.

    Raises:
        UsageError: the engine can't; the first line of its message says why.
    """
    try:
        session.execute(sql)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0].replace(str(path), path.name)
        msg = f"{path.name} can't be read as {what}: {reason}"
        raise UsageError(msg) from error
