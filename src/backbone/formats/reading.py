"""Landed files as tables of exact text: one row per record, with its number.

Nothing is interpreted here but the format. What the format itself rules out (too few fields, a broken quote, no JSON)
is an unreadable record, kept with its raw text and numbered like the others.
"""

from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError, did_you_mean
from backbone.formats.archives import extracted, is_zip
from backbone.formats.kinds import FORMATS, kind_named
from backbone.formats.records import Records, Scan
from backbone.model.files import Template


def read_records(path: Path, template: Template, session: Session, *, scratch: Path) -> Records:
    """Read a file into a session.

    Raises:
        UsageError: the file as a whole can't be read as its template says.
    """
    _refuse_unknown(template)
    return kind_named(template.format).read(_opened(path, template, scratch), template, session, scratch)


def scan_records(path: Path, template: Template, session: Session, *, scratch: Path) -> Scan | None:
    """A file to be read as it is written, without a copy of its texts; None if it takes more.

    Raises:
        UsageError: the file as a whole can't be read as its template says.
    """
    _refuse_unknown(template)
    return kind_named(template.format).scan(_opened(path, template, scratch), template, session, scratch)


def _refuse_unknown(template: Template) -> None:
    if template.format not in FORMATS:
        known = ", ".join(FORMATS)
        msg = f"format '{template.format}' is not built yet.{did_you_mean(template.format, FORMATS)} Built are {known}."
        raise UsageError(msg)
    if template.records:
        msg = f"records under '{template.records}' are not built yet; the records must be the file's own"
        raise UsageError(msg)


def _opened(path: Path, template: Template, scratch: Path) -> Path:
    return extracted(path, template.member, scratch) if is_zip(path) else path
