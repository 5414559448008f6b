"""The dialect of a CSV file: delimiter, quotes, and which rows are no records.

The delimiter and the quotes are chosen as CleverCSV does (van den Burg, Nazábal, Sutton 2019, "Wrangling messy CSV
files by detecting row and type patterns"): the dialect whose rows have the most regular widths and whose cells look
most like values wins.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

csv.field_size_limit(max(csv.field_size_limit(), 16 << 20))
"""A cell may be as long as the longest line that is read."""
DELIMITERS = (",", ";", "\t", "|")
MAX_ROWS = 2000
MAX_PREAMBLE = 50
MAX_FOOTER = 5
_REGULAR = 0.6
_FEW = 3
_REMARK = re.compile(r"\s*(source|note|total|generated|exported|end of|©|\*|#)", re.IGNORECASE)
_VALUE = re.compile(
    r"""\s*(
        [+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?\s*[%€$£]?          # numbers
      | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T\ ][\d:.]+\S*)?       # dates and times
      | [^\W\d_](?:[^,;|\t"]|(?<=\w)"(?=\w))*                   # text without a delimiter or a quote
      | [\w.+-]+@[\w.-]+ | https?://\S+ | \\N | [-?]+ | \#N/A | [\w./:+\ ()-]+
    )?\s*""",
    re.VERBOSE,
)
_PLAIN = re.compile(
    r"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|\d\d?:\d\d.*|true|false", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the characters of a CSV file become records. An empty `quotechar` means that there are no quotes."""

    delimiter: str = ","
    quotechar: str = '"'
    escapechar: str = '"'
    header_rows: int = 1
    preamble_rows: int = 0
    footer_rows: int = 0


def detect_dialect(text: str, tail: str = "") -> Dialect:
    """The dialect of a file, from its beginning and, for footers, its end."""
    best = max(_candidates(text), key=lambda d: _score(text, d))
    rows = list(islice(split_rows(text, best), MAX_ROWS))
    width = _usual_width(rows)
    if width <= 1:
        best = replace(best, delimiter=_absent(text))
        rows = list(islice(split_rows(text, best), MAX_ROWS))
    best = replace(best, delimiter=best.delimiter + " ") if _blank_after(rows) else best
    preamble = _preamble(rows, width)
    body = [row for row in rows[preamble:] if row]
    footer = _footer(list(split_rows(tail, best)), width) if tail else 0
    return replace(best, preamble_rows=preamble, header_rows=int(has_header(body)), footer_rows=footer)


def split_rows(text: str, dialect: Dialect) -> Iterator[list[str]]:
    """The rows of a text in a dialect; a blank line is an empty list."""
    wide = len(dialect.delimiter) > 1
    escape = dialect.escapechar if dialect.escapechar and dialect.escapechar != dialect.quotechar else None
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter[0],
        quotechar=dialect.quotechar or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quotechar else csv.QUOTE_NONE,
        doublequote=escape is None,
        escapechar=escape,
        skipinitialspace=wide,
    )
    try:
        yield from reader
    except csv.Error:  # a field beyond csv's limit: what was read so far is enough to judge
        return


def first_row(text: str, dialect: Dialect) -> list[str]:
    """The first row that isn't blank after the preamble: the headers, where there are any."""
    # A preamble counts lines, and a row in it needn't have balanced quotes.
    lines = list(io.StringIO(text.removeprefix("\ufeff"), newline=""))[dialect.preamble_rows :]
    return next((row for row in split_rows("".join(lines), dialect) if row), [])


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns.

    Each column votes: for, where the values below have a form (numbers, dates, a fixed shape) that the first cell
    lacks; against, where the first cell has it too or is one of the values. With no vote either way, cells that are
    all text, present and different are names.
    """
    if not rows:
        return False
    first, body = [cell.strip() for cell in rows[0]], rows[1:]
    if any(_PLAIN.fullmatch(cell) for cell in first if not _is_year(cell)):
        return False
    votes = sum(
        _vote(cell, [r[i].strip() for r in body if i < len(r) and r[i].strip()]) for i, cell in enumerate(first)
    )
    return votes > 0 or (votes == 0 and any(first) and len(set(first)) == len(first))


def _is_year(cell: str) -> bool:
    return re.fullmatch(r"19\d\d|20\d\d", cell) is not None


def _vote(cell: str, values: list[str]) -> int:
    if not cell or not values:
        return 0
    if cell in values:
        return -1
    if sum(1 for v in values if _PLAIN.fullmatch(v)) > len(values) * _REGULAR:
        return 0 if _PLAIN.fullmatch(cell) else 1
    shapes = Counter(_shape(v) for v in values)
    shape, count = shapes.most_common(1)[0]
    if len(values) < _FEW or count < 0.9 * len(values):
        return 0
    return -1 if _shape(cell) == shape else 1


def _shape(value: str) -> str:
    return re.sub(r"[^\W\d_]", lambda m: "A" if m[0].isupper() else "a", re.sub(r"\d", "9", value))


def _candidates(text: str) -> Iterator[Dialect]:
    for delimiter in DELIMITERS:
        for quote in (*_quotes(text, delimiter), ""):
            yield Dialect(delimiter, quote, quote)
            if quote and "\\" + quote in text:
                yield Dialect(delimiter, quote, "\\")


def _quotes(text: str, delimiter: str) -> Iterator[str]:
    """Characters that may be quotes: an apostrophe only where whole fields are between two."""
    around = f"[{re.escape(delimiter)}\r\n]"
    if '"' in text or not re.search(f"(^|{around})\\s*'[^']*'\\s*($|{around})", text):
        yield '"'
    if re.search(f"(^|{around})\\s*'[^']*'\\s*($|{around})", text):
        yield "'"


def _score(text: str, dialect: Dialect) -> tuple[float, bool, bool]:
    rows = [row for row in islice(split_rows(text, dialect), MAX_ROWS) if row]
    if not rows:
        return (0.0, dialect.quotechar == '"', dialect.escapechar == dialect.quotechar)
    widths = Counter(len(row) for row in rows)
    regular = widths.most_common(1)[0][1] >= _REGULAR * len(rows)
    pattern = sum(count * max(width - 1, 1e-3) / width for width, count in widths.items()) / len(widths)
    cells = [cell for row in rows for cell in row]
    known = sum(1 for cell in cells if _VALUE.fullmatch(cell[:200])) / len(cells)
    score = pattern * max(known, 1e-10) * (1 if regular else 1e-4) / len(rows)
    return (round(score, 9), dialect.quotechar == '"', dialect.escapechar == dialect.quotechar)


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(row) for row in rows if row)
    if not widths:
        return 0
    width, count = widths.most_common(1)[0]
    return width if count >= _REGULAR * widths.total() else 1


def _absent(text: str) -> str:
    return next((d for d in DELIMITERS if d not in text), ",")


def _blank_after(rows: Sequence[Sequence[str]]) -> bool:
    later = [cell for row in rows for cell in row[1:]]
    return bool(later) and all(cell.startswith(" ") for cell in later)


def _preamble(rows: Sequence[Sequence[str]], width: int) -> int:
    """Rows before the first that is as wide as the records and, where that occurs, not all but empty."""
    if width <= 1:
        return next((i for i, row in enumerate(rows) if row), 0)
    for number, row in enumerate(rows[: MAX_PREAMBLE + 1]):
        title = width >= _FEW and sum(1 for cell in row if cell.strip()) <= 1
        if len(row) == width and not title:
            return number
    return next((i for i, row in enumerate(rows) if len(row) == width), 0)


def _footer(rows: Sequence[Sequence[str]], width: int) -> int:
    """Lines at the end that say of themselves that they are a remark, where records have three cells and more.

    They have one cell and follow a blank line, or begin like a source, a note or a total. Anything else may be a
    record that was cut off, which must be set aside and not be overlooked.
    """
    filled = [(row, not before) for before, row in zip([["-"], *rows], rows, strict=False) if row]
    count = 0
    while width >= _FEW and count < len(filled) and len(filled[-1 - count][0]) == 1:
        count += 1
    if not 0 < count <= MAX_FOOTER or count == len(filled):
        return 0
    first, after_blank = filled[-count]
    return count if after_blank or _REMARK.match(first[0]) else 0
