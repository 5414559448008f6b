"""Landed files as tables of exact text: one row per record, with its number.

Nothing is interpreted here but the format. What the format itself rules out (too few fields, a broken quote, no JSON)
is an unreadable record, kept with its raw text and numbered like the others.
"""

from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError, did_you_mean
from backbone.formats.archives import extracted, is_zip
from backbone.formats.csv_reading import Scan, read_csv, scan_csv
from backbone.formats.json_reading import read_json, read_ndjson
from backbone.formats.parquet_reading import read_parquet
from backbone.formats.records import Records
from backbone.model.files import Template

_READERS = {"csv": read_csv, "json": read_json, "ndjson": read_ndjson, "parquet": read_parquet}


def read_records(path: Path, template: Template, session: Session, *, scratch: Path) -> Records:
    """Read a file into a session.

    Raises:
        UsageError: the file as a whole can't be read as its template says.
    """
    reader = _READERS.get(template.format)
    if reader is None:
        known = ", ".join(sorted(_READERS))
        msg = (
            f"format '{template.format}' is not built yet.{did_you_mean(template.format, _READERS)} Built are {known}."
        )
        raise UsageError(msg)
    if template.records:
        msg = f"records under '{template.records}' are not built yet; the records must be the file's own"
        raise UsageError(msg)
    return reader(extracted(path, template.member, scratch) if is_zip(path) else path, template, session, scratch)


def scan_records(path: Path, template: Template, *, scratch: Path) -> Scan | None:
    """A file that can be read in one query, without a copy of its text; None if it takes more.

    Raises:
        UsageError: the file as a whole can't be read as its template says.
    """
    if template.format != "csv" or template.records or template.footer_rows:
        return None
    return scan_csv(extracted(path, template.member, scratch) if is_zip(path) else path, template, scratch)
