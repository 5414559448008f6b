"""Grids of cells, from sheets and pages, as the tables that people see in them: where a header is, and what isn't one.

A row without any value is no record. Rows are counted without those, as blank lines are in text.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

from backbone.model.files import Template

Row = Sequence[str]
"""The texts of a row, "" where there is nothing."""
Merge = tuple[tuple[int, int], tuple[int, int]]
"""Cells that are one: the first one's row and column, and the last one's, from 0; rows without values count here."""
LOOKED_AT = 2000
_MOST_PREAMBLE = 50
_MOST_HEADER = 5
_MOST_FOOTER = 10
_NO_WORD = re.compile(
    r"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?\s?[%€$£]?"
    r"|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?|[\d:.]+|true|false|#\S+!?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(19|20)\d\d")
_REMARK = re.compile(r"\s*(source|sources|note|notes|total|totals|sum|generated|exported|©|\*|\(\d\))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a table that have values, each with its place among all rows from 0, and cells that are merged."""

    rows: Sequence[tuple[int, Row]]
    merges: Sequence[Merge] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """How many rows with values are before the header, of the header, and after the data."""

    preamble_rows: int
    header_rows: int
    footer_rows: int


def filled_rows(rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
    """The rows that have values, with their places."""
    return ((place, row) for place, row in enumerate(rows) if any(row))


def shape_of(head: Grid, tail: Sequence[Row] = ()) -> Shape:
    """The shape of a table, from its first rows and its last ones.

    A title is a row with less than half of the usual values; a header has words alone, or years after one. Rows above
    or below a header are of it where its cells are merged, or where the words of one stand above gaps of the other.
    """
    rows = [row for _, row in head.rows]
    if not rows:
        return Shape(0, 0, 0)
    usual = median(_filled(row) for row in rows)
    enough = max(2.0, usual / 2) if usual > 1 else 1.0
    first = next((i for i, row in enumerate(rows[:_MOST_PREAMBLE]) if _filled(row) >= enough), 0)
    if not _is_header(rows[first], rows[first + 1 :]):
        return Shape(first, 0, _footer(tail, usual))
    end = first + 1
    while first and _is_above(rows[first - 1], rows[first]) and end - first < _MOST_HEADER:
        first -= 1
    while end < len(rows) - 1 and end - first < _MOST_HEADER and _goes_on(head, first, end):
        end += 1
    return Shape(first, end - first, _footer(tail, usual))


def write_table(
    rows: Callable[[], Iterable[tuple[int, Row]]], template: Template, merges: Sequence[Merge], target: Path
) -> None:
    """Write the table of a grid as CSV with one row of headers; `rows` gives its rows with values, twice.

    Columns without header and values are left out; a header that fills several cells goes to each.
    """
    skipped, kept, total = template.preamble_rows + template.header_rows, set[int](), 0
    for number, (_, row) in enumerate(rows()):
        total += 1
        if number >= template.preamble_rows:
            kept.update(i for i, text in enumerate(row) if text and i not in kept)
    head = islice(rows(), template.preamble_rows, skipped)
    header = [_spread(place, row, merges) for place, row in head]
    kept.update(i for row in header for i, text in enumerate(row) if text)
    columns = sorted(kept)
    headers = [_joined(row[i] for row in header if i < len(row)) for i in columns]
    if not template.header_rows:
        headers = [f"column_{number}" for number in range(1, len(columns) + 1)]
    body = islice(rows(), skipped, max(skipped, total - template.footer_rows))
    write_csv(headers, ([row[i] if i < len(row) else "" for i in columns] for _, row in body), target)


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[str | None]], target: Path) -> None:
    """Write records as a CSV file that any strict reader reads exactly: every value quoted, one header."""
    with target.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(_line(headers))
        file.writelines(map(_line, rows))


def _line(row: Sequence[str | None]) -> str:
    return ",".join('""' if not text else f'"{text.replace(chr(34), chr(34) * 2)}"' for text in row) + "\n"


def _filled(row: Row) -> int:
    return sum(1 for text in row if text)


def _is_wordy(row: Row) -> bool:
    """Whether a row has words alone."""
    return not any(_NO_WORD.fullmatch(text.strip()) for text in row if text)


def _is_header(row: Row, below: Sequence[Row]) -> bool:
    texts = [text for text in row if text]
    if len(set(texts)) < len(texts) and len(set(texts)) * 2 <= len(texts):
        return False
    if _is_wordy(row):
        return True
    years = [text for text in texts if _YEAR.fullmatch(text.strip())]
    words = [text for text in texts if not _NO_WORD.fullmatch(text.strip())]
    ascends = years == sorted(set(years))
    return len(years) > 1 and ascends and len(years) + len(words) == len(texts) and bool(words) and bool(below)


def _is_above(upper: Row, row: Row) -> bool:
    """Whether a row is a header's upper one: of several words, with gaps above others."""
    gaps = any(text and not (upper[i] if i < len(upper) else "") for i, text in enumerate(row))
    return _filled(upper) > 1 and gaps and _is_wordy(upper)


def _goes_on(grid: Grid, first: int, end: int) -> bool:
    """Whether the row at `end` belongs to the header of the rows before it."""
    place, row = grid.rows[end]
    if not _is_wordy(row):
        return False
    top = grid.rows[first][0]
    if any(top <= r1 < place and (c2 > c1 or r2 >= place) for (r1, c1), (r2, c2) in grid.merges):
        return True
    return not grid.merges and _is_above(grid.rows[end - 1][1], row) and _starts_groups(grid.rows[end - 1][1])


def _starts_groups(row: Row) -> bool:
    """Whether a row has a gap between words."""
    last = max(i for i, text in enumerate(row) if text)
    first = min(i for i, text in enumerate(row) if text)
    return any(not text for text in row[first:last])


def _footer(tail: Sequence[Row], usual: float) -> int:
    """How many of the last rows are remarks or totals."""
    count = 0
    for row in reversed(tail[-_MOST_FOOTER:]):
        first = next(text for text in row if text)
        lone = usual > 2 and _filled(row) == 1  # noqa: PLR2004 - a table of two columns may lack one value
        if not lone and not (_REMARK.match(first) and usual > 1):
            break
        count += 1
    return count


def _spread(place: int, row: Row, merges: Sequence[Merge]) -> list[str]:
    """A row of a header whose merged cells each have the text."""
    texts = list(row)
    for (top, left), (_, right) in merges:
        if top == place and left < len(texts) and texts[left]:
            texts += [""] * (right + 1 - len(texts))
            texts[left : right + 1] = [texts[left]] * (right + 1 - left)
    return texts


def _joined(parts: Iterable[str]) -> str:
    """A header of several rows in one: its words once each."""
    return " ".join(dict.fromkeys(" ".join(part.split()) for part in parts if part))
