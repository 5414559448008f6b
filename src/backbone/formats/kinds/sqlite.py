"""SQLite's files. A column's values may be of any type there, so that each becomes its text, and all say the type."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.grids import write_csv
from backbone.formats.kinds.database import about, chosen
from backbone.formats.kinds.kind import About, Kind
from backbone.formats.kinds.plain import as_csv
from backbone.model.files import Template
from backbone.model.names import quoted

_MAGIC = b"SQLite format 3\x00"
_ENDINGS = (".sqlite", ".sqlite3", ".db", ".db3", ".gpkg")


def _detect(_path: Path, head: bytes, part: str | None) -> Template | None:
    return Template(format="sqlite", table=part) if head.startswith(_MAGIC) else None


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, as it landed: nothing is written beside it either.

    Raises:
        UsageError: it is damaged or encrypted.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            yield connection
    except sqlite3.Error as error:
        raise UsageError(f"{path.name} can't be read as SQLite's: {error}. It is damaged, or encrypted") from error


def _parts(path: Path, _session: Session) -> tuple[str, ...]:
    with _opened(path) as connection:
        return tuple(_tables(connection))


def _tables(connection: sqlite3.Connection) -> list[str]:
    """Tables, then views."""
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return [str(name) for (name,) in connection.execute(f"{query} ORDER BY type, name")]


def _convert(path: Path, template: Template, _session: Session, target: Path) -> None:
    with _opened(path) as connection:
        table = chosen(path, _tables(connection), template.table)
        rows = connection.execute(f"SELECT * FROM {quoted(table)}")
        headers = [str(column[0]) for column in rows.description]
        write_csv(headers, ([_text(value) for value in row] for row in rows), target)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return "".join(f"\\x{byte:02X}" for byte in value)
    return repr(value)


def _about(path: Path, template: Template, session: Session) -> About:
    return about(path, template, _parts(path, session))


_READ, _SCAN = as_csv(_convert)
KIND = Kind(
    "sqlite",
    "an SQLite file",
    _READ,
    _SCAN,
    _detect,
    endings=_ENDINGS,
    keys=frozenset({"table"}),
    part="table",
    parts=_parts,
    about=_about,
)
