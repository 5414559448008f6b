"""Which rows of a delimited file are no records: what is written before the header, the header, remarks after all."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from backbone.formats.delimited.splitting import Row, line_ends
from backbone.formats.delimited.worth import is_typed
from backbone.formats.markers import MARKERS

_MOST_PREAMBLE = 50
_MOST_HEADER = 4
_MOST_FOOTER = 10
_LOOKED_AT = 500
_WIDE = 3
_FEW = 3
_MOSTLY = 0.8
_REMARK = re.compile(
    r"\s*(sources?|notes?|footnotes?|(grand )?totals?|sum|generated|exported|retrieved|updated|end of|copyright|©|\*|#"
    r"|\(\d\)|fuentes?|notas?|quelle|anmerkung|summe|stand|gesamt|fonte|totale?)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(19|20)\d\d")

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class Structure:
    """How many lines are before the header, how many rows are the header, and how many come after the records."""

    preamble_lines: int = 0
    header_rows: int = 1
    footer_rows: int = 0


def structure_of(rows: Sequence[Row], width: int, tail: Sequence[Row] = ()) -> Structure:
    """The structure of a file, from its first rows, how many fields its records have, and its last rows."""
    first = _first(rows, width)
    usual = [row for row in rows[first : first + _LOOKED_AT] if row.fields and not row.trouble]
    usual = usual[:1] + [row for row in usual[1:] if len(row.fields) == width or width <= 1]
    header = _header_rows([row.fields for row in usual]) or int(_is_quoted_alone(usual))
    if not header and first and _is_odd_header(rows[first - 1], width):
        first, header = first - 1, 1
    lines = sum(line_ends(row.raw) for row in rows[:first])
    known = first + header
    footer = footer_rows(tail or rows[known:], width)
    return Structure(lines, header, footer)


def has_header(rows: Sequence[Cells]) -> bool:
    """Whether the first row names the columns.

    Each column votes: for, where the values below have a form (numbers, dates, a fixed shape) that the first cell
    lacks; against, where the first cell has it too or is one of the values. With no vote either way, cells that are
    all text, present and different are names.
    """
    if not rows:
        return False
    first, body = [cell.strip() for cell in rows[0]], rows[1:]
    if any(is_typed(cell) for cell in first if not _YEAR.fullmatch(cell)):
        return False
    votes = sum(
        _vote(cell, [r[i].strip() for r in body if i < len(r) and r[i].strip()]) for i, cell in enumerate(first)
    )
    return votes > 0 or (votes == 0 and any(first) and len(set(first)) == len(first))


def footer_rows(rows: Sequence[Row], width: int) -> int:
    """Rows at the end that say of themselves that they are a remark, where records have three fields and more.

    They have one value and follow a blank line, or begin like a source, a note or a total. Anything else may be a
    record that was cut off, which must be set aside and not be overlooked.
    """
    filled = [
        (row, not before.fields) for before, row in zip([Row(["-"], ""), *rows], rows, strict=False) if row.fields
    ]
    count = 0
    while width >= _WIDE and count < len(filled) and _values(filled[-1 - count][0].fields) == 1:
        count += 1
    if not 0 < count <= _MOST_FOOTER or count == len(filled):
        return 0
    first, after_blank = filled[-count]
    return count if after_blank or _REMARK.match("".join(first.fields)) else 0


def _is_odd_header(row: Row, width: int) -> bool:
    """Whether a row of words right before the records has one name less, as R writes it, or a delimiter at its end."""
    names = [cell.strip() for cell in row.fields]
    while names and not names[-1]:
        names.pop()
    return (
        width > 1
        and len(names) in {width, width - 1}
        and len(names) > 1
        and all(names)
        and len(set(names)) == len(names)
        and not any(map(is_typed, names))
    )


def _is_quoted_alone(rows: Sequence[Row]) -> bool:
    """Whether all of the first row's fields are in quotes, and hardly one of the others has all of its own so."""
    if len(rows) <= _FEW or len(rows[0].fields) < 2:  # noqa: PLR2004 - one value is no row of names
        return False
    quoted = [row.raw.count('"') >= 2 * len(row.fields) for row in rows]
    return quoted[0] and sum(quoted[1:]) * 10 < len(rows)


def _values(fields: Cells) -> int:
    return sum(1 for cell in fields if cell.strip())


def _first(rows: Sequence[Row], width: int) -> int:
    """The first row that is as wide as the records and, where that occurs, no title."""
    if width <= 1:
        return next((i for i, row in enumerate(rows) if row.fields), 0)
    usual = Counter(_values(row.fields) for row in rows if len(row.fields) == width).most_common(1)
    most = usual[0][0] if usual else width
    for number, row in enumerate(rows[: _MOST_PREAMBLE + 1]):
        if len(row.fields) == width and not row.trouble and not _is_title(row.fields, most):
            return number
    return next((i for i, row in enumerate(rows) if len(row.fields) == width), 0)


def _is_title(fields: Cells, usual: int) -> bool:
    """Whether a row's few values, where there are usually many, stand at its beginning: a title, a key and a value."""
    values = _values(fields)
    if len(fields) < _WIDE or (usual < _WIDE and values):
        return False
    return values <= 1 or (2 * values <= usual and not any(cell.strip() for cell in fields[values:]))


def _header_rows(body: Sequence[Cells]) -> int:
    if not body:
        return 0
    count = 0
    if _is_group(body):
        count = 1
    elif not has_header(body):
        return 0
    count += 1
    while count < _MOST_HEADER and _goes_on(body, count):
        count += 1
    return count


def _is_group(body: Sequence[Cells]) -> bool:
    """Whether the first row names groups of columns, which the second one names one by one."""
    if len(body) < _FEW or len(body[0]) < _WIDE:
        return False
    upper, names = body[0], body[1]
    gaps = sum(1 for above, cell in zip(upper, names, strict=False) if cell.strip() and not above.strip())
    words = all(not is_typed(cell) for cell in upper)
    return gaps > 0 and _values(upper) > 1 and words and _values(names) > _values(upper) and _goes_on(body, 1)


def _goes_on(body: Sequence[Cells], count: int) -> bool:
    """Whether the row after `count` rows of the header is of it: words where the records have numbers or moments.

    A single word may be a bad value: it counts where it is all that the row has. No cell may look like a value.
    """
    row, records = body[count] if count < len(body) else (), body[count + 1 :]
    if len(records) < _FEW or len(row) == 1:
        return False
    words = 0
    for i, cell in enumerate(row):
        text = cell.strip()
        values = [r[i].strip() for r in records if i < len(r) and r[i].strip()]
        present = [value for value in values if value.casefold() not in MARKERS]
        if not text or not present:
            continue
        if text.casefold() in MARKERS or is_typed(text) or _vote(text, present) < 0:
            return False
        words += sum(map(is_typed, present)) >= _MOSTLY * len(present)
    return words > 1 or (words == 1 and _values(row) == 1)


def _vote(cell: str, values: list[str]) -> int:
    if not cell or not values:
        return 0
    if cell in values:
        return -1
    if sum(map(is_typed, values)) > len(values) * 0.6:
        return 0 if is_typed(cell) else 1
    shapes = Counter(_shape(v) for v in values)
    shape, count = shapes.most_common(1)[0]
    if len(values) < _FEW or count < 0.9 * len(values):
        return 0
    return -1 if _shape(cell) == shape else 1


def _shape(value: str) -> str:
    return re.sub(r"[^\W\d_]", lambda m: "A" if m[0].isupper() else "a", re.sub(r"\d", "9", value))
