"""Catalogues from SQLite to PostgreSQL and back: the same tables and rows, in the types that DuckLake has there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from backbone.engine.duckdb.extensions import CONFIG, load_extension, silence
from backbone.engine.postgres import Database
from backbone.errors import LakeError
from backbone.model.names import literal, quoted
from backbone.troubles import trouble

_INLINED_IN_SQLITE = {"DOUBLE": "VARCHAR", "BOOLEAN": "BIGINT", "BLOB": "VARCHAR"}
"""What DuckLake makes in SQLite of the types that inlined rows have in PostgreSQL."""
_INLINED_IN_POSTGRES = {"varchar": "BLOB", "json": "BLOB", "float64": "DOUBLE", "boolean": "BOOLEAN"}
"""What DuckLake makes in PostgreSQL of its own types; of all others what SQLite has."""


def to_sqlite(database: Database, path: Path) -> None:
    """Write a catalogue, as it is at one moment, to a new SQLite file.

    Raises:
        LakeError: it is of another version than this DuckLake writes, or can't be read, or there is no space.
    """
    with _connected(database, path) as connection:
        _make(connection, f"sqlite:{path}")
        connection.execute(f"ATTACH {literal(str(path))} AS target (TYPE sqlite)")
        _attach_postgres(connection, "source", database, read_only=True)
        _fill(connection, f"source.{quoted(database.schema)}", "target.main", sqlite=True)


def to_postgres(path: Path, database: Database) -> None:
    """Write the catalogue in an SQLite file to a new schema of a database.

    Raises:
        LakeError: it is of another version than this DuckLake writes, or the database can't be written to.
    """
    with _connected(database, path) as connection:
        _make(connection, f"postgres:{database.parameters}", f", METADATA_SCHEMA {literal(database.schema)}")
        connection.execute(f"ATTACH {literal(str(path))} AS source (TYPE sqlite, READ_ONLY)")
        _attach_postgres(connection, "target", database, read_only=False)
        _fill(connection, "source.main", f"target.{quoted(database.schema)}", sqlite=False)


@contextmanager
def _connected(database: Database, path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for copying between a database and a file.

    Raises:
        LakeError: DuckDB says so.
    """
    try:
        with duckdb.connect(":memory:", config={**CONFIG, "threads": "1"}) as connection:
            silence(connection)
            for name in ("sqlite_scanner", "postgres_scanner", "ducklake"):
                load_extension(connection, name)
            connection.execute("SET GLOBAL TimeZone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        said = trouble(error, path.parent) or f"{database.told(str(error))}. When it can be: the same again"
        raise LakeError(f"The catalogue in {database.place} can't be copied: {said}") from None  # it quotes passwords


def _make(connection: duckdb.DuckDBPyConnection, target: str, options: str = "") -> None:
    """Let DuckLake make its tables, in the types and with the keys that they have there. No data file is written."""
    connection.execute(f"ATTACH {literal(f'ducklake:{target}')} AS made (DATA_PATH 'tables/'{options})")
    connection.execute("DETACH made")


def _attach_postgres(connection: duckdb.DuckDBPyConnection, name: str, database: Database, *, read_only: bool) -> None:
    access = ", READ_ONLY" if read_only else ""
    options = f"TYPE postgres, SCHEMA {literal(database.schema)}{access}"
    connection.execute(f"ATTACH {literal(database.parameters)} AS {name} ({options})")


def _fill(connection: duckdb.DuckDBPyConnection, source: str, target: str, *, sqlite: bool) -> None:
    """Copy all rows in one transaction, which sees one moment."""
    there, here = _columns(connection, "source"), _columns(connection, "target")
    connection.execute("BEGIN")
    _check_version(connection, source, target)
    kinds = {} if sqlite else _inlined_kinds(connection, source)
    for table, columns in there.items():
        if table not in here:
            wanted = {
                name: _INLINED_IN_SQLITE.get(kind, kind) if sqlite else kinds.get((table, name), kind)
                for name, kind in columns.items()
            }
            made = ", ".join(f"{quoted(name)} {kind}" for name, kind in wanted.items())
            connection.execute(f"CREATE TABLE {target}.{quoted(table)} ({made})")
        else:
            wanted = {name: here[table][name] for name in columns}
            connection.execute(f"DELETE FROM {target}.{quoted(table)}")
        names = ", ".join(map(quoted, columns))
        values = ", ".join(_converted(name, kind, wanted[name]) for name, kind in columns.items())
        connection.execute(
            f"INSERT INTO {target}.{quoted(table)} ({names}) SELECT {values} FROM {source}.{quoted(table)}"
        )
    connection.execute("COMMIT")


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """DuckLake's tables with their columns and types."""
    found: dict[str, dict[str, str]] = {}
    query = f"""
        SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE database_name = {literal(database)} AND starts_with(table_name, 'ducklake_') ORDER BY 1, column_index"""
    for table, column, kind in connection.execute(query).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _check_version(connection: duckdb.DuckDBPyConnection, source: str, target: str) -> None:
    query = "SELECT value FROM {0}.ducklake_metadata WHERE key = 'version'"
    known, written = (connection.execute(query.format(each)).fetchone() for each in (source, target))
    if known != written:
        raise LakeError(
            f"The catalogue is of DuckLake's version {known[0] if known else '?'}, and "
            f"{written[0] if written else '?'} is written now. First: backbone upgrade"
        )


def _inlined_kinds(connection: duckdb.DuckDBPyConnection, source: str) -> dict[tuple[str, str], str]:
    """The types of inlined rows in PostgreSQL, by table and column."""
    query = f"""
        SELECT DISTINCT i.table_name, c.column_name, c.column_type FROM {source}.ducklake_inlined_data_tables i
        JOIN {source}.ducklake_column c ON c.table_id = i.table_id AND c.parent_column IS NULL"""
    rows = connection.execute(query).fetchall()
    return {(t, column): _INLINED_IN_POSTGRES[kind] for t, column, kind in rows if kind in _INLINED_IN_POSTGRES}


def _converted(column: str, kind: str, wanted: str) -> str:
    name = quoted(column)
    if kind == wanted:
        return name
    if kind == "BLOB":
        return f"decode({name})"
    return f"encode({name})" if wanted == "BLOB" else f"CAST({name} AS {wanted})"
