"""Rows that aren't as wide as the others, read as somebody would read them who must make do with what is there.

Nothing here is certain, so that it is asked for by `lenient: true`, or `peek --lenient`. A row keeps all of its text,
and no row adds a column.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from backbone.formats.delimited.dialect import Dialect
from backbone.formats.delimited.splitting import Row, split_lines
from backbone.formats.delimited.worth import Look, look_of

_OTHERS = (",", ";", "\t", "|", ":", " ")
_MOST_JOINED = 20
_BETTER = 0.5


@dataclass(slots=True)
class Columns:
    """What the columns look like, by the rows that are as wide as they should be."""

    width: int
    looks: list[Counter[Look]] = field(default_factory=list)

    def learn(self, fields: Sequence[str]) -> None:
        """Take a row of the right width for an example."""
        if not self.looks:
            self.looks = [Counter() for _ in range(self.width)]
        for looks, cell in zip(self.looks, fields, strict=True):
            looks[look_of(cell)] += 1

    def learn_all(self, rows: Sequence[Row]) -> None:
        """Take those of some rows that have the right width."""
        for row in rows:
            if not row.trouble and len(row.fields) == self.width:
                self.learn(row.fields)

    def fit(self, fields: Sequence[str]) -> float:
        """How many cells of a row look like those of their columns, less those that look like nothing there."""
        if not self.looks:
            return 0.0
        return sum(_share(look_of(cell), looks) for cell, looks in zip(fields, self.looks, strict=True))


def _share(look: Look, looks: Counter[Look]) -> float:
    text: set[Look] = {"code", "words", "odd"}
    same = sum(looks[one] for one in text) if look in text else looks[look]
    return same / max(looks.total(), 1)


def mended(row: Row, following: Sequence[Row], dialect: Dialect, columns: Columns) -> tuple[list[str], int]:
    """The fields of a row that isn't as it should be, one for each column, and how many rows it took besides."""
    width = columns.width
    if row.trouble and (found := _by_other_quotes(row, dialect, columns)):
        return found, 0
    fields = loosely(row.raw.rstrip("\r\n"), dialect) if row.trouble else row.fields
    if len(fields) < width:
        if found := _by_other_delimiter(row, dialect, columns):
            return found, 0
        if joined := _with_next(fields, following, columns):
            return joined
        return [*fields, *[""] * (width - len(fields))], 0
    return _narrowed(fields, dialect.delimiter, columns), 0


def _by_other_quotes(row: Row, dialect: Dialect, columns: Columns) -> list[str] | None:
    """A row with odd quotes: fields end where a quote is before a delimiter, or quotes mean nothing."""
    found = loosely(row.raw.rstrip("\r\n"), dialect)
    if len(found) == columns.width:
        return found
    return row.fields if len(row.fields) == columns.width else None


def loosely(text: str, dialect: Dialect) -> list[str]:
    """The fields of a row, where a field that begins with a quote ends at the first that is before a delimiter."""
    fields, rest, quote, delimiter = list[str](), text, dialect.quotechar, dialect.delimiter
    while True:
        begins = bool(quote) and rest.startswith(quote)
        end = rest.find(quote + delimiter, 1) if begins else -1
        if begins and end < 0 and len(rest) > 1 and rest.endswith(quote):
            return [*fields, _inner(rest[1:-1], quote)]
        if begins and end > 0:
            fields.append(_inner(rest[1:end], quote))
            rest = rest[end + len(quote) + len(delimiter) :]
            continue
        cell, found, rest = rest.partition(delimiter)
        fields.append(cell)
        if not found:
            return fields


def _inner(text: str, quote: str) -> str:
    return text.replace(quote * 2, quote)


def _by_other_delimiter(row: Row, dialect: Dialect, columns: Columns) -> list[str] | None:
    """A row whose fields, or the only long one of them, are divided by another delimiter."""
    found = []
    for other in _OTHERS:
        if other == dialect.delimiter or other not in row.raw or dialect.delimiter.strip(" ") == other:
            continue
        parts = list(split_lines([row.raw], Dialect(other, dialect.quotechar, dialect.escapechar)))
        if len(parts) == 1 and not parts[0].trouble and len(parts[0].fields) == columns.width:
            found.append(parts[0].fields)
        elif not other.isspace() and not (dialect.quotechar and dialect.quotechar in row.raw):
            mixed = [cell for whole in row.fields for cell in whole.split(other)]
            if len(mixed) == columns.width:
                found.append(mixed)
    best = max(found, key=columns.fit, default=None)
    padded = [*row.fields, *[""] * (columns.width - len(row.fields))]
    return best if best and columns.fit(best) >= columns.fit(padded) + _BETTER else None


def _with_next(fields: Sequence[str], following: Sequence[Row], columns: Columns) -> tuple[list[str], int] | None:
    """A row whose last field goes on on the next lines, which are too short by themselves."""
    joined = list(fields)
    for number, row in enumerate(following[:_MOST_JOINED], 1):
        if row.trouble or len(row.fields) >= columns.width:
            return None
        more = row.fields or [""]
        joined = [*joined[:-1], f"{joined[-1]}\n{more[0]}", *more[1:]]
        if len(joined) == columns.width:
            padded = [*fields, *[""] * (columns.width - len(fields))]
            return (joined, number) if columns.fit(joined) > columns.fit(padded) else None
        if len(joined) > columns.width:
            return None
    return None


def _narrowed(fields: Sequence[str], delimiter: str, columns: Columns) -> list[str]:
    """A row of too many fields: empty last ones go, else the fields are joined that look best when they are one."""
    width, row = columns.width, list(fields)
    while len(row) > width and not row[-1].strip():
        row.pop()
    if len(row) <= width:
        return row
    extra = len(row) - width
    ways = [[*row[:i], delimiter.join(row[i : i + extra + 1]), *row[i + extra + 1 :]] for i in range(width)]
    best = max(range(width), key=lambda i: (round(columns.fit(ways[i]), 6), i))
    return ways[best]


def rows_mended(rows: Iterator[Row], dialect: Dialect, columns: Columns) -> Iterator[list[str]]:
    """All rows that aren't blank, each with as many fields as there are columns."""
    waiting: list[Row] = []
    while True:
        if not waiting and (more := next(rows, None)) is not None:
            waiting.append(more)
        if not waiting:
            return
        row = waiting.pop(0)
        if not row.fields:
            if columns.width == 1:
                yield [""]
            continue
        if not row.trouble and len(row.fields) == columns.width:
            columns.learn(row.fields)
            yield row.fields
            continue
        while len(waiting) < _MOST_JOINED and (following := next(rows, None)) is not None:
            waiting.append(following)
        if not columns.looks:  # a first row is judged by those after it
            columns.learn_all(waiting)
        fields, took = mended(row, waiting, dialect, columns)
        del waiting[:took]
        yield fields
