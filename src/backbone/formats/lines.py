"""Where in a text file a record begins, for people who open it in an editor."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.model.files import Template

if TYPE_CHECKING:
    from _csv import Reader

_RECORDS_AT_MOST = 2_000_000


def line_of(path: Path, template: Template, record: int) -> int | None:
    """The line, from 1, on which a record of a delimited file begins; None where that can't be told cheaply.

    Record number and line number differ by header and preamble, and by every line break inside quotes before it. A
    record that no reader can tell apart may be off by the lines that it swallows.
    """
    if template.format != "csv" or record > _RECORDS_AT_MOST or path.suffix == ".zip" or len(template.delimiter) != 1:
        return None
    wanted = template.preamble_rows + template.header_rows + record
    try:
        with path.open(encoding=template.encoding, newline="") as file:
            quotes = template.quotechar or None
            reader = csv.reader(
                file,
                delimiter=template.delimiter,
                quotechar=quotes,
                quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
            )
            return _line(reader, template, wanted)
    except (UnicodeError, csv.Error, LookupError):
        return None


def _line(reader: "Reader", template: Template, wanted: int) -> int | None:
    """The line on which a record begins. Blank lines are no records, but where there is only one column."""
    records, before, only_one = 0, 0, False
    for row in reader:
        if row or only_one or records < template.preamble_rows:
            records += 1
            only_one = only_one or (records == template.preamble_rows + 1 and len(row) == 1)
            if records == wanted:
                return before + 1
        before = reader.line_num
    return None
