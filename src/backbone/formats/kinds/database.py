"""Database files: each table a dataset. They are read as they landed, and never written."""

from collections.abc import Sequence
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import EngineError, UsageError, did_you_mean, shown_value
from backbone.formats.archives import listed
from backbone.formats.kinds.kind import About
from backbone.formats.records import fresh_names
from backbone.model.files import Template
from backbone.model.names import literal, path_literal, quoted


def attached(path: Path, session: Session, kind: str) -> str:
    """The name under which a file is attached, to be detached by who asked.

    Raises:
        UsageError: it can't be opened.
    """
    (name,) = fresh_names("file")
    try:
        session.execute(f"ATTACH {path_literal(path)} AS {name} (TYPE {kind}, READ_ONLY)")
    except EngineError as error:
        reason = str(error).strip().partition("\n")[0].replace(str(path), path.name)
        raise UsageError(f"{path.name} can't be opened: {reason}") from error
    return name


def tables_of(session: Session, database: str) -> list[str]:
    """The tables of an attached database, then its views; those of other schemas than `main` with it."""
    rows = session.rows(
        "SELECT CASE WHEN table_schema = 'main' THEN table_name ELSE table_schema || '.' || table_name END "
        f"FROM information_schema.tables WHERE table_catalog = {literal(database)} "
        "AND table_schema NOT IN ('information_schema', 'pg_catalog') AND table_name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
        "ORDER BY table_type <> 'BASE TABLE', table_name"
    )
    return [str(name) for (name,) in rows]


def chosen(path: Path, tables: Sequence[str], wanted: str | None) -> str:
    """The table that is wanted, or the only one.

    Raises:
        UsageError: there is none, no such, or there are several.
    """
    if not tables:
        raise UsageError(f"{path.name} has no tables. Add it when it has some")
    if wanted is None and len(tables) == 1:
        return tables[0]
    if wanted in tables:
        return str(wanted)
    if wanted is None:
        raise UsageError(
            f"{path.name} has {len(tables)} tables: {listed(tables)}. Say which: --part {tables[0]}, or --part all; "
            f"in a template `table: {tables[0]}`"
        )
    near = did_you_mean(wanted, tables)
    raise UsageError(f"{path.name} has no table '{shown_value(wanted)}'.{near} It has {listed(tables)}")


def table_sql(database: str, table: str, tables: Sequence[str]) -> str:
    """SQL: a table of an attached database. A name with a point is one of another schema, if it isn't its own."""
    schema, point, name = table.partition(".")
    others = {one.partition(".")[0] for one in tables if "." in one}
    parts = (schema, name) if point and schema in others else ("main", table)
    return f"{database}.{quoted(parts[0])}.{quoted(parts[1])}"


def about(path: Path, template: Template, tables: Sequence[str]) -> About:
    """That there are other tables."""
    name = chosen(path, tables, template.table)
    others = [other for other in tables if other != name]
    if not others:
        return About()
    text = f"table '{shown_value(name)}' of {len(tables)}; the others are {listed(others)}: --part NAME, or --part all"
    return About((text,))
