"""Which dialect a delimited file has: the one whose rows are most alike and whose cells look most like values.

That is the idea of van den Burg, Nazábal and Sutton (2019), "Wrangling messy CSV files by detecting row and type
patterns"; here a row counts that has the usual width, cells are judged column by column, and text that is in no usual
row counts against a dialect.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from backbone.formats.delimited.dialect import Dialect
from backbone.formats.delimited.splitting import Row, split_lines
from backbone.formats.delimited.worth import WORTH, Look, is_text, look_of

_FIRST_LINES, _MOST_LINES = 150, 1500
_FINALISTS = 4
_WIDTHS = 3
_MOST_COLUMNS, _MOST_ROWS = 200, 500
_LESS = 0.7
"""How much less a line before the records counts than one among them."""
_USUAL = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0, " ": 0.9, ":": 0.8, "^": 0.95, "~": 0.95}
_RARE = 0.85
_NEVER = set("\"'`_.-+()[]{}<>\\@\r\n\ufeff\0")
_OFTEN = 0.3
_MOST_CANDIDATES = 10
_RUN = re.compile(r"([^\w\s\"'.()\[\]{}<>+-])[^\w\s\"'()\[\]{}<>+-]{1,3}|(\t)\t")


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a dialect explains lines, between 0 and 1, and how many fields their records have then."""

    score: float
    width: int
    dialect: Dialect = field(compare=False)


def detect_dialect(lines: Sequence[str]) -> Fit:
    """The dialect of lines of text that have their ends: the first of a file. Without any, records have no field."""
    some = [line for line in lines[:_FIRST_LINES] if line.strip("\r\n")]
    if not some:
        return Fit(0.0, 0, Dialect())
    fits = _fits(some, list(_candidates(some)))
    many = [line for line in lines[:_MOST_LINES] if line.strip("\r\n")]
    if len(many) > len(some):
        finalists = {one.dialect.delimiter for one in fits[:_FINALISTS]}
        fits = _fits(many, [one for one in _candidates(many) if one.delimiter in finalists])
    return replace(fits[0], dialect=_widened(fits[0], many))


def _fits(lines: Sequence[str], candidates: Sequence[Dialect]) -> list[Fit]:
    """Dialects, the best first; of equal ones, the more usual."""
    return sorted((fit(lines, one) for one in candidates), key=lambda one: one.score, reverse=True)


def fit(lines: Sequence[str], dialect: Dialect) -> Fit:
    """How well a dialect explains lines that aren't blank."""
    rows = list(split_lines(lines, dialect))
    widths = Counter(len(row.fields) for row in rows if row.fields and not row.trouble)
    found = [Fit(_score(rows, width, dialect), width, dialect) for width, _ in widths.most_common(_WIDTHS)]
    return max(found, key=lambda one: (one.score, one.width), default=Fit(0.0, 1, dialect))


def _score(rows: Sequence[Row], width: int, dialect: Dialect) -> float:
    begin = next(i for i, row in enumerate(rows) if len(row.fields) == width and not row.trouble)
    before = begin if all(len(row.fields) == 1 for row in rows[:begin]) else 0
    usual = [row for row in rows if len(row.fields) == width and not row.trouble]
    if width > 1 and len(usual) == 1 and (before or dialect.delimiter[0] not in _USUAL):
        return 0.0  # a line by itself shows nothing
    near = [0.0 if row.trouble else _near(len(row.fields), width) for row in rows[before:]]
    regular = sum(near) / (len(rows) - _LESS * before)
    covered = sum(one * len(row.raw) for one, row in zip(near, rows[before:], strict=True))
    covered /= sum(len(row.raw) for row in rows)
    credit = (width - 0.6) / width if width > 1 else 0.3
    usualness = _USUAL.get(dialect.delimiter[0], _RARE) if width > 1 else 1.0
    worth = _worth([row.fields for row in usual], dialect)
    return round(regular * regular * math.sqrt(covered) * worth * credit * usualness, 9)


def _near(fields: int, width: int) -> float:
    """How much a row of so many fields speaks for a width: a row that lacks one may be damaged."""
    if fields == width:
        return 1.0
    return (min(fields, width) / max(fields, width)) ** 2 if min(fields, width) > 1 else 0.0


def _worth(rows: Sequence[Sequence[str]], dialect: Dialect) -> float:
    """What the cells of rows of one width look like, between 0 and 1."""
    total, step = 0.0, max(1, len(rows[0]) // _MOST_COLUMNS)
    columns = list(zip(*(row[::step] for row in rows[:_MOST_ROWS]), strict=True))
    for column in columns:
        cells = Counter(column)
        looks = Counter[Look]()
        worth = 0.0
        for cell, count in cells.items():
            look = look_of(cell)
            looks[look] += count
            worth += count * _cell_worth(cell, look, dialect.quotechar)
        kinds = Counter(
            text=looks["code"] + looks["words"] + looks["odd"], number=looks["number"], moment=looks["moment"]
        )
        alike = max(kinds.values()) / kinds.total() if kinds.total() else 0.5
        total += worth / len(column) * (0.7 + 0.3 * alike)
    return total / len(columns)


def _cell_worth(cell: str, look: Look, quote: str) -> float:
    text = cell.strip()
    if quote != '"' and (text.startswith('"') or text.endswith('"')):
        return 0.1
    if quote != "'" and len(text) > 1 and text[0] == "'" and text[-1] == "'":
        return 0.1
    if look != "odd":
        return WORTH[look]
    return (0.5 if re.search(r"[,;] ", text) else 0.2) if is_text(cell) else WORTH["odd"]


def _candidates(lines: Sequence[str]) -> Iterator[Dialect]:
    text = "".join(lines)
    for delimiter in _delimiters(lines):
        for quote in _quotes(text, delimiter):
            for escape in _escapes(text, quote, delimiter):
                yield Dialect(delimiter, quote, escape)


def _delimiters(lines: Sequence[str]) -> list[str]:
    """What may be between fields: the usual ones that occur, then what else occurs in many lines."""
    within = Counter[str]()
    for line in lines:
        within.update(set(line) - _NEVER)
        within.update({found[0] for found in _RUN.finditer(line)})
    often = [d for d, count in within.most_common() if count >= _OFTEN * len(lines) and not d.isalnum() and d != " "]
    usual = [d for d in _USUAL if within[d] and d not in ":^~"]
    runs = [d for d in often if len(d) > 1]
    return list(dict.fromkeys([*usual, *runs, *often]))[:_MOST_CANDIDATES] or [","]


def _quotes(text: str, delimiter: str) -> list[str]:
    """Characters that may be quotes: an apostrophe only where whole fields are between two."""
    found = ['"'] if '"' in text else []
    if "'" in text and _apostrophes(delimiter).search(text):
        found.append("'")
    return [*found, ""] if found else ['"']


@lru_cache(32)
def _apostrophes(delimiter: str) -> re.Pattern[str]:
    edge = f" ?{re.escape(delimiter)} ?|[\r\n]"
    return re.compile(f"(?:^|{edge})'(?:[^'\r\n]|''|\\\\')*'(?:$|(?={edge}))")


def _escapes(text: str, quote: str, delimiter: str) -> list[str]:
    """What may be before a quote within a field: the quote itself, a backslash, a NUL, each where that occurs."""
    if not quote:
        return ["", *(["\\"] if f"\\{delimiter}" in text and delimiter.strip() else [])]
    return [quote, *(one for one in ("\\", "\0") if one + quote in text)]


def _widened(found: Fit, lines: Sequence[str]) -> Dialect:
    """A dialect with the blanks that are around each of its delimiters; one that doesn't divide, with another."""
    dialect = found.dialect
    if found.width == 1:
        text = "".join(lines)
        absent = next((d for d in _USUAL if d not in text and d != " "), ",")
        return Dialect(absent, dialect.quotechar or '"', dialect.escapechar or '"')
    if dialect.delimiter.isspace():
        return dialect
    narrow = _usual_rows(lines, dialect, found.width)
    for wide in (f" {dialect.delimiter} ", f"{dialect.delimiter} "):
        wider = replace(dialect, delimiter=wide)
        if _usual_rows(lines, wider, found.width) == narrow:
            return wider
    return dialect


def _usual_rows(lines: Sequence[str], dialect: Dialect, width: int) -> int:
    return sum(1 for row in split_lines(lines, dialect) if len(row.fields) == width and not row.trouble)
