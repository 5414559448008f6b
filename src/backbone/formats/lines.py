"""Where in a text file a record begins, for people who open it in an editor."""

import csv
from pathlib import Path

from backbone.model.files import Template

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
            before = 0
            for number, _ in enumerate(reader, 1):
                if number == wanted:
                    return before + 1
                before = reader.line_num
    except (UnicodeError, csv.Error, LookupError):
        return None
    return None
