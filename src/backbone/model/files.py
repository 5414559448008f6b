"""Landed files and how they are read."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from backbone.model.names import ITEM, PARENT
from backbone.model.rules import NOWHERE, Location

Contract = Literal["evolve", "freeze", "quarantine"]
BadValues = Literal["quarantine", "null"]


@dataclass(frozen=True, slots=True)
class Inside:
    """A list in each record whose items are a relation of their own: its header, and the lists in its items."""

    header: str
    children: "tuple[Inside, ...]" = ()


@dataclass(frozen=True, slots=True)
class Template:
    """Physical metadata of a source: how its files are read. None means the format's default.

    `null_tokens` are compared with whole trimmed values. `header_rows` and `footer_rows` count records,
    `preamble_rows` lines. `lenient`: rows that aren't as wide as the others are mended. `member` names the file inside
    an archive, or several by a pattern; `sheet` and `table` name one of several tables in a file. `widths` are those of
    a fixed-width file's columns, in characters. `children` are the
    lists in records that are relations of their own, and `inside` says which of these is read: its header, and those
    above it (empty: the records themselves). They follow from a source's `children`.
    """

    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quotechar: str = '"'
    escapechar: str = '"'
    header_rows: int = 1
    preamble_rows: int = 0
    footer_rows: int = 0
    lenient: bool = False
    null_tokens: tuple[str, ...] = ("",)
    records: str | None = None
    member: str | None = None
    sheet: str | None = None
    table: str | None = None
    widths: tuple[int, ...] | None = None
    children: tuple[Inside, ...] = ()
    inside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a source: its name, its domain, and how its values are spelled in the files.

    `decimal` may be `.,`: either, as each value shows. `unit` is what may stand before or after a number.
    """

    name: str
    domain: str
    headers: tuple[str, ...] = ()
    null_tokens: tuple[str, ...] | None = None
    format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    unit: tuple[str, ...] = ()
    contract: Contract | None = None
    description: str = ""
    contract_at: Location = field(default=NOWHERE, compare=False, repr=False)


ITEM_COLUMNS = (Column(PARENT, "integer", headers=("..",)), Column(ITEM, "integer", headers=("..#",)))
"""The first columns of relations inside records, under the headers that their reader gives them."""


@dataclass(frozen=True, slots=True)
class FileNamePattern:
    """Columns taken from the landed file's name: one per group of the regular expression."""

    pattern: str
    into: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One immutable version of a source's raw data. `path` is absolute; `id` grows with arrival."""

    id: int
    source: str
    name: str
    path: Path
    sha256: str
    size: int
    origin: str
    arrived_at: datetime
