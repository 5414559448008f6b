"""The headers of a delimited file: one text for each column, whatever rows they are written in."""

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

from backbone.errors import UsageError
from backbone.formats.delimited.dialect import dialect_of
from backbone.formats.delimited.splitting import line_ends, split_lines
from backbone.formats.encoding import sample_text
from backbone.model.files import Template

_HEAD_CHARACTERS = 1 << 20
_LOOKED_AT = 20
_MOST_COLUMNS = 10_000
"""Twice what a table of people's has: a file of one endless line has a million, and each costs what a column does."""


def csv_headers(file: Path, template: Template) -> tuple[str, ...]:
    """The headers of a CSV file in UTF-8, or `column_1` and so on where it has none; at least one.

    An empty last header is left out: it comes from a delimiter at the end of each line.

    Raises:
        UsageError: there are more than any table has.
    """
    text, _ = sample_text(file, "utf-8", _HEAD_CHARACTERS)
    # A preamble counts lines, and a row in it needn't have balanced quotes.
    lines = islice(io.StringIO(text.removeprefix("\ufeff"), newline=""), template.preamble_rows, None)
    rows = (row.fields for row in split_lines(lines, dialect_of(template)) if row.fields and not row.trouble)
    head = list(islice(rows, max(template.header_rows, 1)))
    width = max(map(len, head), default=1)
    if width > _MOST_COLUMNS:
        msg = f"{file.name} has more than {_MOST_COLUMNS:,} columns in its first line: too many for a table"
        raise UsageError(msg)
    if not template.header_rows:
        return tuple(f"column_{i}" for i in range(1, width + 1))
    row = head[0] if len(head) == 1 else joined_headers(head) if head else []
    if len(row) > 1 and not row[-1].strip():
        row = row[:-1]
    if len(row) > 1 and _has_row_names(list(islice(rows, _LOOKED_AT)), len(row) + 1):
        row = ["", *row]
    return tuple(row) or ("column_1",)


def _has_row_names(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether records have a name before the first field that has a header, as R writes them."""
    return bool(rows) and all(len(row) == width and row[0].strip() and row[-1].strip() for row in rows)


def body_of(file: Path, template: Template, width: int) -> Template:
    """The template of what comes after a header, for a reader that knows of one row as wide as the records."""
    if not template.header_rows:
        return template
    text, _ = sample_text(file, "utf-8", _HEAD_CHARACTERS)
    lines = islice(io.StringIO(text.removeprefix("\ufeff"), newline=""), template.preamble_rows, None)
    taken, rows = 0, 0
    for row in split_lines(lines, dialect_of(template)):
        if template.header_rows == 1 and len(row.fields) == width:
            return template
        taken, rows = taken + line_ends(row.raw), rows + bool(row.fields)
        if rows == template.header_rows:
            break
    return replace(template, preamble_rows=template.preamble_rows + taken, header_rows=0)


def joined_headers(rows: Sequence[Sequence[str]]) -> list[str]:
    """Headers of several rows in one: a name of a group is that of all columns up to the next."""
    width = max(map(len, rows))
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    for upper, lower in pairwise(padded):
        for i in range(1, width):
            if not upper[i].strip() and lower[i].strip():
                upper[i] = upper[i - 1]
    return [" ".join(dict.fromkeys(" ".join(row[i].split()) for row in padded if row[i].strip())) for i in range(width)]
