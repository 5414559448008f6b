"""DuckDB's files, of this version and earlier ones. Types are kept."""

from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import EngineError, UsageError
from backbone.formats.kinds.database import about, attached, chosen, table_sql, tables_of
from backbone.formats.kinds.kind import About, Kind
from backbone.formats.kinds.plain import as_parquet
from backbone.model.files import Template
from backbone.model.names import path_literal, quoted

_AT, _MAGIC = 8, b"DUCK"
_AS_TEXT = ("UHUGEINT", "INTERVAL", "TIME WITH TIME ZONE", "BIT", "BIGNUM", "UUID", "ENUM")
"""Types that Parquet doesn't have, or not as DuckDB writes them."""


def _detect(path: Path, head: bytes, part: str | None) -> Template | None:
    if head[_AT : _AT + len(_MAGIC)] == _MAGIC:
        return Template(format="duckdb", table=part)
    if path.suffix.lower() in {".duckdb", ".ddb"}:
        raise UsageError(f"{path.name} is no DuckDB file, whatever its name says: rename it as what it is")
    return None


def _parts(path: Path, session: Session) -> tuple[str, ...]:
    name = attached(path, session, "duckdb")
    try:
        return tuple(tables_of(session, name))
    finally:
        session.execute(f"DETACH {name}")


def _convert(path: Path, template: Template, session: Session, target: Path) -> None:
    name = attached(path, session, "duckdb")
    try:
        tables = tables_of(session, name)
        table = table_sql(name, chosen(path, tables, template.table), tables)
        columns = session.rows(f"SELECT column_name, column_type FROM (DESCRIBE FROM {table})")
        fields = ", ".join(_field(str(column), str(kind)) for column, kind in columns)
        session.execute(f"COPY (SELECT {fields} FROM {table}) TO {path_literal(target)} (FORMAT parquet)")
    except EngineError as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"{path.name} can't be read as DuckDB's: {reason}") from error
    finally:
        session.execute(f"DETACH {name}")


def _field(name: str, kind: str) -> str:
    if kind.startswith(_AS_TEXT):
        return f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}"
    if kind == "HUGEINT":
        return f"CAST({quoted(name)} AS DECIMAL(38, 0)) AS {quoted(name)}"
    return quoted(name)


def _about(path: Path, template: Template, session: Session) -> About:
    return about(path, template, _parts(path, session))


_READ, _SCAN = as_parquet(_convert)
KIND = Kind(
    "duckdb",
    "a DuckDB file",
    _READ,
    _SCAN,
    _detect,
    endings=(".duckdb", ".ddb"),
    keys=frozenset({"table"}),
    part="table",
    parts=_parts,
    about=_about,
)
