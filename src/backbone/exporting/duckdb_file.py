"""A DuckDB file, with keys, foreign keys, checks and comments."""

from collections.abc import Callable, Sequence
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import EngineError, UsageError
from backbone.exporting.content import MARK, Content, Table
from backbone.exporting.outcome import Outcome
from backbone.exporting.places import alone, already, staged
from backbone.exporting.target import Target
from backbone.model.domains import sql_type
from backbone.model.names import literal, quoted
from backbone.model.operations import ExportedTable

_OURS, _FORMER = "exported", "former"
_NAMES = " UNION ALL ".join(
    f"SELECT {kind}_name FROM duckdb_{kind}s() WHERE database_name = '{_FORMER}'{own}"
    for kind, own in {
        "table": "", "sequence": "", "view": " AND NOT internal", "schema": " AND NOT internal",
        "function": " AND NOT internal", "type": " AND NOT internal",
    }.items()
)  # fmt: skip
"""All that a file has names for."""
"""The catalogues under which the file that is written, and the one that it replaces, are attached."""


def write_file(
    content: Content, target: Target, session: Session, *, replace: bool, on_table: Callable[[str], None]
) -> Outcome:
    """Write a DuckDB file, and let it take the target's place when it is whole.

    Raises:
        UsageError: the target is there, and is not to be replaced.
    """
    file = Path(target.location)
    with alone(file) as beside:
        replaced = _check(file, target.shown, session, replace=replace)
        with staged(file, beside) as part:
            tables = _written(content, target, part, session, on_table)
            size = part.stat().st_size
    return Outcome(tuple(tables), size, replaced=replaced)


def _written(
    content: Content, target: Target, part: Path, session: Session, on_table: Callable[[str], None]
) -> list[ExportedTable]:
    home = session.rows("SELECT current_database()")[0][0]
    session.execute(f"ATTACH {literal(str(part))} AS {_OURS}; USE {_OURS}")  # a foreign key names no catalogue
    try:
        for table in content.tables:
            _create(table, session)
        session.execute(f"USE {home}")
        tables = []
        for table in content.tables:
            on_table(table.dataset)
            rows = int(session.rows(f"INSERT INTO {_name(table.name)} {table.query()}")[0][0])
            tables.append(ExportedTable(table.dataset, rows, None, f"{target.shown}: {table.name}"))
        _mark(content, tables, session)
    finally:
        session.execute(f"USE {home}; DETACH {_OURS}")  # which writes all to the file
    return tables


def _check(file: Path, shown: str, session: Session, *, replace: bool) -> bool:
    """Whether there is an export that is to be replaced.

    Raises:
        UsageError: it may not be, holds what no export made, or is being written to.
    """
    if not file.exists():
        return False
    if not file.is_file():
        raise UsageError(f"'{shown}' is no file. Name a file, such as --to {shown.rstrip('/')}.duckdb")
    if file.with_name(f"{file.name}.wal").exists():
        raise UsageError(f"'{shown}' is being written to: it has a log beside it. Close what has it open first")
    held = _held(file, shown, session)
    if held is None:
        raise UsageError(f"'{shown}' holds what no export made. Name another file")
    if not replace:
        raise UsageError(already(shown, held))
    return True


def _held(file: Path, shown: str, session: Session) -> str | None:
    """What a file says that it holds; None if it has more than an export's tables.

    Raises:
        UsageError: it is no DuckDB file, or in use.
    """
    try:
        session.execute(f"ATTACH {literal(str(file))} AS {_FORMER} (READ_ONLY)")
    except EngineError as error:
        raise UsageError(f"'{shown}' can't be read as a DuckDB file: {error}. Name another file") from error
    try:
        names = {name for (name,) in session.rows(_NAMES)}
        if MARK not in names:
            return None
        rows = session.rows(f'SELECT "table", project, environment, snapshot FROM {_FORMER}.main.{MARK}')
    except EngineError:
        return None
    finally:
        session.execute(f"DETACH {_FORMER}")
    if not rows or names - {MARK} - {row[0] for row in rows}:
        return None
    return f"{rows[0][1]} ({rows[0][2]}), snapshot {rows[0][3]}"


def _name(table: str) -> str:
    return f"{_OURS}.main.{quoted(table)}"


def _create(table: Table, session: Session) -> None:
    """Make a table with its constraints and comments."""
    found = table.constraints
    parts = [
        f"{quoted(c.name)} {sql_type(c.domain)}{' NOT NULL' if c.name in found.required else ''}" for c in table.columns
    ]
    parts += [f"PRIMARY KEY ({_list(found.key)})"] if found.key else []
    parts += [f"UNIQUE ({_list(columns)})" for columns in found.unique]
    parts += [
        f"FOREIGN KEY ({_list(one.columns)}) REFERENCES {quoted(one.table)} ({_list(one.by)})"
        for one in found.references
    ]
    parts += [f"CHECK ({check.sql}\n)" for check in found.checks]
    session.execute(f"CREATE TABLE {_name(table.name)} ({', '.join(parts)})")
    if table.comment:
        session.execute(f"COMMENT ON TABLE {_name(table.name)} IS {literal(table.comment)}")
    for column in table.columns:
        if column.comment:
            where = f"{_name(table.name)}.{quoted(column.name)}"
            session.execute(f"COMMENT ON COLUMN {where} IS {literal(column.comment)}")


def _list(columns: Sequence[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


def _mark(content: Content, tables: Sequence[ExportedTable], session: Session) -> None:
    """The table that says what the file holds."""
    session.execute(
        f'CREATE TABLE {_name(MARK)} ("table" VARCHAR, dataset VARCHAR, project VARCHAR, environment VARCHAR, '
        '"snapshot" BIGINT, "rows" BIGINT, exported_at TIMESTAMP WITH TIME ZONE)'
    )
    names = {table.dataset: table.name for table in content.tables}
    said = f"{literal(content.project)}, {literal(content.environment)}, {content.snapshot}"
    rows = (f"({literal(names[t.dataset])}, {literal(t.dataset)}, {said}, {t.rows}, now())" for t in tables)
    session.execute(f"INSERT INTO {_name(MARK)} VALUES {', '.join(rows)}")
