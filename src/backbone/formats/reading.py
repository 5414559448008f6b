"""Landed files as tables of exact text: one row per record, with its number.

Nothing is interpreted here but the format. What the format itself rules out (too few fields, a broken quote, no JSON)
is an unreadable record, kept with its raw text and numbered like the others.
"""

from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError, did_you_mean
from backbone.formats import archives
from backbone.formats.joining import joined
from backbone.formats.kinds import FORMATS, kind_named
from backbone.formats.records import Records, Scan
from backbone.model.files import Template


def read_records(path: Path, template: Template, session: Session, *, scratch: Path) -> Records:
    """Read a file into a session; all files of an archive, or those that its template says, one after the other.

    Raises:
        UsageError: the file as a whole can't be read as its template says.
    """
    _refuse_unknown(template)
    read, made = kind_named(template.format).read, list[Records]()
    files = opened(path, template, scratch)
    try:
        for file in files:
            made.append(read(file, template, session, scratch))
        return joined([file.name for file in files], made, session, path.name)
    except BaseException:
        for records in made:
            records.drop(session)
        raise


def scan_records(path: Path, template: Template, session: Session, *, scratch: Path) -> Scan | None:
    """A file to be read as it is written, without a copy of its texts; None if it takes more.

    Raises:
        UsageError: the file as a whole can't be read as its template says.
    """
    _refuse_unknown(template)
    files = opened(path, template, scratch)
    return kind_named(template.format).scan(files[0], template, session, scratch) if len(files) == 1 else None


def opened(path: Path, template: Template, scratch: Path) -> tuple[Path, ...]:
    """The file itself, or those that its template wants of an archive, unpacked."""
    if kind_named(template.format).whole or not archives.is_archive(path):
        return (path,)
    return archives.opened(path, template.member, scratch)


def _refuse_unknown(template: Template) -> None:
    if template.format not in FORMATS:
        known = ", ".join(FORMATS)
        msg = f"format '{template.format}' is not built yet.{did_you_mean(template.format, FORMATS)} Built are {known}."
        raise UsageError(msg)
    if template.records and "records" not in kind_named(template.format).keys:
        msg = f"records under '{template.records}' are not built yet; the records must be the file's own"
        raise UsageError(msg)
