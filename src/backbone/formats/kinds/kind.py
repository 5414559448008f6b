"""What a format is: how a file of it is told, what its template may say, and how it becomes records."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import MissingExtraError
from backbone.formats.records import Records, Scan
from backbone.model.files import Inside, Template

HEAD_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself beside its records: sentences, and descriptions of columns by their headers."""

    evidence: tuple[str, ...] = ()
    descriptions: Mapping[str, str] = field(default_factory=dict)


Read = Callable[[Path, Template, Session, Path], Records]
"""Path, template, session, scratch folder: see `read_records`."""
Look = Callable[[Path, Template, Session, Path], Scan | None]
"""The same for a file that is read as it is written: see `scan_records`."""


Detect = Callable[[Path, bytes, str | None], Template | None]
"""A file, its first bytes, and the name of the table in it that is wanted, if one is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One format. `says` is what a message calls a file of it; `endings` are those that its files usually have.

    Attributes:
        detect: the template of a file, given it and its first bytes; None if the file is none of this format.
        keys: template keys that it has beside `format`, `null_tokens` and `member`, of those that not all formats have;
            `children` among them says that a source of it may have that key.
        extra: what must be installed besides, as in `pip install 'backbone[extra]'`.
        part: the key that names one of several tables in a file.
        parts: the tables of a file, where it may have several.
        about: what a file says of itself, for people who look at it.
        place: where in a file a record is, for people who open it in its own program; None where nobody knows.
        whole: its files are read as they are, archives too.
        placed: the template with the place of the records in a file, given the part that is wanted, where files of it
            may have them anywhere.
        children: the lists in the records of a file that are relations of their own.
    """

    name: str
    says: str
    read: Read
    scan: Look
    detect: Detect = lambda _path, _head, _part: None
    endings: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset()
    extra: str = ""
    part: str = ""
    parts: Callable[[Path, Session], tuple[str, ...]] = lambda _path, _session: ()
    about: Callable[[Path, Template, Session], About] = lambda _path, _template, _session: About()
    place: Callable[[Path, Template, int], str | None] = lambda _path, _template, _record: None
    whole: bool = False
    placed: Callable[[Path, Template, str | None], Template] = lambda _path, template, _part: template
    children: Callable[[Path, Template, Path], tuple[Inside, ...]] = lambda _path, _template, _scratch: ()


def needed(module: str, kind_says: str, extra: str) -> Any:
    """A library that a format needs, imported now.

    Raises:
        MissingExtraError: it isn't installed; says which extra brings it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"Reading {kind_says}", extra) from error
