"""Formats that DuckDB can't read: each file becomes a plain one, CSV of texts or Parquet of types, which is then read.

So the plain file's reader does what is hard: in parts side by side, in bounded memory, with every record accounted for.
"""

import hashlib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.formats.delimited.reading import read_csv, scan_csv
from backbone.formats.kinds.kind import Look, Read
from backbone.formats.parquet_reading import read_parquet, scan_parquet
from backbone.formats.records import Records, Scan
from backbone.model.files import Template

Convert = Callable[[Path, Template, Session, Path], None]
"""Writes what is in a file, read as its template says, to the last path."""


def as_csv(convert: Convert) -> tuple[Read, Look]:
    """How files are read that `convert` writes as CSV: see `grids.write_csv`."""

    def read(path: Path, template: Template, session: Session, scratch: Path) -> Records:
        return read_csv(_converted(convert, path, template, session, scratch), Template(), session, scratch)

    def scan(path: Path, template: Template, session: Session, scratch: Path) -> Scan | None:
        return scan_csv(_converted(convert, path, template, session, scratch), Template(), session, scratch)

    return read, scan


def as_parquet(convert: Convert) -> tuple[Read, Look]:
    """How files are read that `convert` writes as Parquet."""

    def read(path: Path, template: Template, session: Session, scratch: Path) -> Records:
        return read_parquet(_converted(convert, path, template, session, scratch), Template(), session, scratch)

    def scan(path: Path, template: Template, session: Session, scratch: Path) -> Scan | None:
        return scan_parquet(_converted(convert, path, template, session, scratch), Template(), session, scratch)

    return read, scan


def _converted(convert: Convert, path: Path, template: Template, session: Session, scratch: Path) -> Path:
    """The plain file of a file, made once for all that look at it in the same scratch folder."""
    said = [path, *(getattr(template, field.name) for field in fields(template))]
    folder = scratch / "plain" / hashlib.sha256(repr(said).encode()).hexdigest()[:16]
    target = folder / path.name
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part = target.with_name("part")
        convert(path, template, session, part)
        part.replace(target)
    return target
