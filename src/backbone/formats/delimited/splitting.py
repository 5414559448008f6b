"""Lines of text as rows of fields, exactly, whatever is wrong with them.

A row whose quotes aren't in order is no row but trouble: it is told with the line that it begins on, and the next row
begins on the next line, so that a quote that is never closed costs one line and not the rest of the file.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from backbone.formats.delimited.dialect import Dialect

_MOST_CHARACTERS = 16 << 20
"""Of a field with line ends: as long as DuckDB takes a line."""
_MOST_LINES = 5_000
_LINE_END = re.compile(r"\r\n|\r|\n")
UNCLOSED = "a quote is never closed"
STRAY = "text follows a closing quote"


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its fields, its text with the line end, and why it can't be told apart, if it can't.

    With trouble, `fields` are what the line has where quotes mean nothing.
    """

    fields: list[str]
    raw: str
    trouble: str = ""


def line_ends(text: str) -> int:
    """How many line ends a text has, of whatever kind."""
    return len(_LINE_END.findall(text))


def split_lines(lines: Iterable[str], dialect: Dialect) -> Iterator[Row]:
    """The rows of lines that have their ends; a blank line is a row without fields."""
    form, source, waiting = _form(dialect), iter(lines), deque[str]()
    special = {one for one in (dialect.quotechar, dialect.escapechar) if one}
    delimiter, patience = dialect.delimiter, _MOST_LINES
    while True:
        line = waiting.popleft() if waiting else next(source, "")
        if not line:
            return
        if not any(one in line for one in special):
            text = line.rstrip("\r\n")
            yield Row(text.split(delimiter) if text else [], line)
            continue
        fields, rest = form.fields(line.rstrip("\r\n"))
        if rest is None:
            yield Row(fields, line)
            continue
        trouble, more = STRAY, 0
        if form.is_open(rest):
            trouble = UNCLOSED
            found = _continued(form, line, waiting, source, patience)
            if found:
                row, more = found
                if row:
                    for _ in range(more):
                        waiting.popleft()
                    patience = _MOST_LINES
                    yield row
                    continue
            patience = max(1, patience // 2)
        yield Row(line.rstrip("\r\n").split(delimiter), line, trouble)


def _continued(
    form: "_Form", line: str, waiting: "deque[str]", source: Iterator[str], patience: int
) -> tuple[Row | None, int] | None:
    """The row that begins on a line and goes on with the next ones, and how many those are."""
    parts, size, number = [line], len(line), 0
    while number < patience and size < _MOST_CHARACTERS:
        if number == len(waiting):
            waiting.extend(islice(source, 1))
        if number == len(waiting):
            return None
        parts.append(waiting[number])
        size += len(waiting[number])
        number += 1
        if form.quote not in parts[-1]:
            continue
        raw = "".join(parts)
        fields, rest = form.fields(raw.rstrip("\r\n"))
        if rest is None:
            return Row(fields, raw), number
        if not form.is_open(rest):
            return None
    return None


class _Form:
    """What a dialect means, as patterns."""

    def __init__(self, dialect: Dialect) -> None:
        self.delimiter, self.quote = dialect.delimiter, dialect.quotechar
        self.escape = dialect.escapechar if dialect.escapechar != dialect.quotechar else ""
        delimiter, quote, escape = re.escape(self.delimiter), re.escape(self.quote), re.escape(self.escape)
        blanks, after = ("", "") if self.delimiter.isspace() else (" *+", " *")
        twice = f"{escape}." if escape else quote * 2
        inner = f"[^{quote}{escape}]*+(?:{twice}[^{quote}{escape}]*+)*+" if quote else ""
        self.opened = re.compile(f"{blanks}{quote}")
        self.closed = re.compile(f"{blanks}{quote}{inner}{quote}", re.DOTALL)
        self.quoted = re.compile(f"{blanks}{quote}({inner}){quote}{after}(?={delimiter}|\\Z)", re.DOTALL)
        other = f"(?!{delimiter})[^{escape}]" if escape else f"(?!{delimiter})."
        plain = f"(?:{other})*+" if len(self.delimiter) > 1 else f"[^{delimiter}{escape}]*+"
        self.plain = re.compile(f"{plain}(?:{escape}.{plain})*+" if escape else plain, re.DOTALL)
        self.escaped = re.compile(f"{escape}([{quote}{escape}\r\n]|{delimiter})") if escape else None

    def fields(self, text: str) -> tuple[list[str], str | None]:
        """The fields of a row and None; or those before the first whose quotes aren't in order, and the rest."""
        fields, at, end, step = list[str](), 0, len(text), len(self.delimiter)
        while True:
            found = self.quoted.match(text, at) if self.quote else None
            if found:
                fields.append(self._meant(found[1]))
            elif self.quote and self.opened.match(text, at):
                return fields, text[at:]
            else:
                found = self.plain.match(text, at)
                assert found is not None  # noqa: S101 - it may be empty
                fields.append(self.escaped.sub(r"\1", found[0]) if self.escaped else found[0])
            at = found.end()
            if at >= end:
                return fields, None
            at += step

    def _meant(self, inner: str) -> str:
        if self.escaped:
            return self.escaped.sub(r"\1", inner)
        return inner.replace(self.quote * 2, self.quote)

    def is_open(self, rest: str) -> bool:
        """Whether a field's quote isn't closed, so that it may go on on the next line."""
        return self.closed.match(rest) is None


@lru_cache(64)
def _form(dialect: Dialect) -> _Form:
    return _Form(dialect)
