"""Where an export goes: `KIND:LOCATION`, or a location that tells its kind. Pure.

parquet:FOLDER   csv:FOLDER   arrow:FOLDER   delta:FOLDER   iceberg:FOLDER   duckdb:FILE   postgres:URL
FOLDER           is parquet:FOLDER
NAME.duckdb      is duckdb:NAME.duckdb
postgresql://…   is postgres:postgresql://…
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from backbone.errors import UsageError, did_you_mean
from backbone.model.passwords import without_passwords

KINDS: Mapping[str, str] = {
    "parquet": "a folder of Parquet files",
    "csv": "a folder of CSV files",
    "arrow": "a folder of Arrow IPC files",
    "duckdb": "a DuckDB file",
    "postgres": "a schema of a PostgreSQL database",
    "delta": "a folder of Delta tables",
    "iceberg": "a folder of Iceberg tables with a catalogue",
}
"""The kinds of targets, each with what it is."""
_SCHEMED = ("postgres", "iceberg")
_FILES = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow"}
_OTHERS = {".json", ".xlsx", ".xls", ".sqlite", ".db", ".zip", ".gz"}
_URL = re.compile(r"postgres(ql)?://|\s*\w+\s*=")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an export goes.

    `location` is a path, or a database's URL with its secrets filled in: never shown. `shown` is the location as it may
    be told. `schema` is that of a PostgreSQL database, or the namespace of Iceberg's.
    """

    kind: str
    location: str
    shown: str
    schema: str = ""

    @property
    def what(self) -> str:
        """The target in words: `out/parquet, a folder of Parquet files`."""
        place = f"{self.shown}, schema {self.schema}" if self.kind == "postgres" else self.shown
        return f"{place}, {KINDS[self.kind]}" if self.kind != "postgres" else place


def parse_target(text: str, schema: str | None, project: str, filled: Callable[[str], str]) -> Target:
    """The target that people name.

    Args:
        text: as it is written, with `${NAME}` for secrets.
        schema: the schema or namespace, if one is named.
        project: the project's name: the schema where none is named.
        filled: gives a text with its secrets filled in.

    Raises:
        UsageError: it names none.
    """
    kind, location = _kind(text.strip())
    if schema is not None and kind not in _SCHEMED:
        raise UsageError(f"--schema is for {' and '.join(_SCHEMED)}; {text} is {KINDS[kind]}. Leave --schema out")
    if schema == "":
        raise UsageError("--schema names no schema. For example: --schema shop")
    there = filled(location)
    if kind == "postgres" and not _URL.match(there):
        raise UsageError(
            "A PostgreSQL database is named by a URL, postgresql://USER@HOST/DATABASE, or by words, host=HOST "
            "dbname=DATABASE. Name it so, best as --to 'postgres:${PG_URL}' with the URL in secrets.env"
        )
    return Target(kind, there, without_passwords(location), (schema or project) if kind in _SCHEMED else "")


def _kind(text: str) -> tuple[str, str]:
    """The kind of a target, and its location."""
    before, colon, after = text.partition(":")
    if before in {"postgresql", "postgres"} and after.startswith("//"):
        return "postgres", text
    if colon and before in KINDS:
        if not after:
            raise UsageError(f"'{text}' names no place. For example: --to {before}:{_example(before)}")
        return before, after
    if re.match(r"[A-Za-z][\w+.-]*://", text):
        raise UsageError(f"'{before}://' is not built as a target yet. Name a folder, a DuckDB file or postgres:URL")
    if colon and re.fullmatch(r"[A-Za-z]+", before) and (near := did_you_mean(before, KINDS)):
        raise UsageError(f"There is no kind of target '{before}'.{near} Kinds: {', '.join(KINDS)}")
    if not text:
        raise UsageError("--to names no target. For example: --to out/parquet, or --to shop.duckdb")
    return _of_file(text)


def _of_file(text: str) -> tuple[str, str]:
    """The kind that a location without one tells by its suffix."""
    path, suffix = PurePath(text), PurePath(text).suffix.lower()
    if suffix == ".duckdb":
        return "duckdb", text
    if suffix in _FILES:
        raise UsageError(
            f"'{text}' is one file, and an export has a file for each dataset. Name a folder: "
            f"--to {_FILES[suffix]}:{path.with_suffix('')}"
        )
    if suffix in _OTHERS:
        raise UsageError(f"'{text}' doesn't tell its kind. Write KIND:{text}, with one of: {', '.join(KINDS)}")
    return "parquet", text


def _example(kind: str) -> str:
    return {"duckdb": "shop.duckdb", "postgres": "'${PG_URL}'"}.get(kind, f"out/{kind}")
