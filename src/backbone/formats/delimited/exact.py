"""The exact way: what DuckDB's reader can't tell, split here and written as text that any reader reads alike.

It costs a multiple of DuckDB's time, and is taken only for files that need it: escapes and delimiters that DuckDB
doesn't know, line ends of several kinds, quotes that aren't in order, and rows that are to be mended.
"""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Self

from backbone.engine.protocol import Session
from backbone.formats.delimited.dialect import dialect_of
from backbone.formats.delimited.mending import Columns, rows_mended
from backbone.formats.delimited.splitting import Row, split_lines
from backbone.formats.records import Records, counted, field_name, fresh_names
from backbone.model.files import Template
from backbone.model.names import literal, path_literal

_MOST_DELIMITER_BYTES = 4
_RECORDS, _ASIDE = "records", "aside"


def is_exact(template: Template) -> str:
    """Why a dialect is one that DuckDB's reader can't be told; nothing if it can."""
    if len(template.delimiter.encode()) > _MOST_DELIMITER_BYTES:
        return "a long delimiter"
    if any(len(one.encode()) > 1 for one in (template.quotechar, template.escapechar)):
        return "a quote beyond ASCII"
    if template.escapechar == "\0" or (template.escapechar and not template.quotechar):
        return "an escape that isn't usual"
    return ""


def read_exactly(
    file: Path, template: Template, headers: tuple[str, ...], session: Session, scratch: Path, *, why: str
) -> Records:
    """Read a delimited file in UTF-8, whatever is wrong with its rows; see `read_records`. `why` that is needed."""
    folder = scratch / f"{file.name}.exact"
    folder.mkdir(parents=True, exist_ok=True)
    rows, aside = folder / _RECORDS, folder / _ASIDE
    with _Written(rows) as kept, _Written(aside) as left:
        for number, row in enumerate(_without_last(_records(file, template, len(headers)), template.footer_rows), 1):
            if isinstance(row, list):
                kept.write([number, *row])
            else:
                left.write([number, row.raw.rstrip("\r\n"), row.trouble or _why(row, len(headers))])
    table, unreadable, texts = fresh_names("records", "unreadable", "texts")
    names = ["_record", *(field_name(i) for i in range(len(headers)))]
    session.execute(f"CREATE TEMP TABLE {texts} AS {_scan(rows, names)}")
    session.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM {texts}")
    session.execute(f"CREATE TEMP TABLE {unreadable} AS {_scan(aside, ['record', 'raw', 'reason'])}")
    for path in (rows, aside):
        path.unlink()
    made = (f"DROP VIEW {table}", f"DROP TABLE {texts}", f"DROP TABLE {unreadable}")
    good, bad = counted(session, texts), counted(session, unreadable)
    return Records(headers, table, unreadable, good, bad, made=made, remark=f"read line by line: {why}")


def exact_rows(file: Path, template: Template, width: int) -> Iterator[list[str]]:
    """The records of a delimited file in UTF-8 that can be read, without remarks after them."""
    found = _without_last(_records(file, template, width), template.footer_rows)
    return (row for row in found if isinstance(row, list))


def _records(file: Path, template: Template, width: int) -> Iterator[list[str] | Row]:
    """Records as fields, or as the row that is none."""
    dialect = dialect_of(template)
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        text = map(_decoded, lines) if template.lenient else lines
        rows = split_lines(islice(text, template.preamble_rows, None), dialect)
        filled = (row for row in rows if row.fields or width == 1)
        for _ in islice((row for row in rows if row.fields), template.header_rows):
            pass
        if template.lenient:
            yield from rows_mended(rows, dialect, Columns(width))
            return
        for row in filled:
            fields = row.fields or [""]
            if len(fields) > width and not any(fields[width:]):
                fields = fields[:width]
            yield fields if not row.trouble and len(fields) == width and _is_text(row.raw) else row


def _decoded(line: str) -> str:
    """A line, as Windows-1252 where it is no UTF-8."""
    if _is_text(line):
        return line
    data = line.encode("utf-8", errors="surrogateescape")
    try:
        return data.decode("windows-1252")
    except UnicodeDecodeError:  # a byte that means nothing there
        return data.decode("latin-1")


def _without_last(rows: Iterator[list[str] | Row], count: int) -> Iterator[list[str] | Row]:
    """All but the last rows."""
    waiting = list(islice(rows, count))
    for row in rows:
        yield waiting.pop(0) if waiting else row
        if count:
            waiting.append(row)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _why(row: Row, width: int) -> str:
    found = len(row.fields)
    if found == width or not _is_text(row.raw):
        return "its bytes are no characters of the file's encoding"
    return f"{found} fields, where {width} are expected"


class _Written:
    """A file of rows that DuckDB reads as they are: every text quoted, quotes doubled."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL, lineterminator="\n")

    def write(self, row: list[object]) -> None:
        self._writer.writerow(row)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _scan(file: Path, names: list[str]) -> str:
    """SQL: the rows of a written file; the first is a number, and an empty text is NULL."""
    types = ", ".join(f"{literal(name)}: '{'VARCHAR' if i else 'BIGINT'}'" for i, name in enumerate(names))
    return (
        f"SELECT * FROM read_csv({path_literal(file)}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        f"escape = '\"', columns = {{{types}}}, nullstr = '', allow_quoted_nulls = true, max_line_size = {64 << 20}, "
        f"buffer_size = {128 << 20}, new_line = '\\n', parallel = false)"
    )
