"""Where in a text file a record begins, for people who open it in an editor."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from backbone.formats.delimited.dialect import dialect_of
from backbone.formats.delimited.splitting import line_ends, split_lines
from backbone.model.files import Template

_RECORDS_AT_MOST = 2_000_000


def line_of(path: Path, template: Template, record: int) -> int | None:
    """The line, from 1, on which a record of a delimited file begins; None where that can't be told cheaply.

    Record number and line number differ by header and preamble, and by every line break inside quotes before it. Where
    lines were joined (`lenient`), it may be off by those.
    """
    if template.format != "csv" or record > _RECORDS_AT_MOST or path.suffix == ".zip":
        return None
    try:
        with path.open(encoding=template.encoding, newline="") as file:
            return _line(file, template, template.header_rows + record)
    except (UnicodeError, LookupError):
        return None


def _line(lines: Iterable[str], template: Template, wanted: int) -> int | None:
    """The line on which a row begins. Blank lines are no rows, but where there is only one column."""
    before, rows, only_one = template.preamble_rows, 0, False
    for row in split_lines(islice(lines, template.preamble_rows, None), dialect_of(template)):
        if row.fields or only_one:
            rows += 1
            only_one = only_one or (rows == 1 and len(row.fields) == 1)
            if rows == wanted:
                return before + 1
        before += line_ends(row.raw)
    return None
