"""A schema of a PostgreSQL database, with keys, foreign keys, checks, comments and grants: in one transaction.

Rows go from DuckDB to the server as blocks of bytes, in PostgreSQL's own binary format. Tables are loaded under names
of their own and take their places last, so that those who read the former ones don't wait for the loading.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from backbone.connectors.secrets import concealed
from backbone.engine.duckdb.extensions import extension_path
from backbone.engine.protocol import Session
from backbone.errors import EngineError, ExportError, LakeError, MissingExtraError, UsageError
from backbone.exporting.content import MARK, Column, Content, Table
from backbone.exporting.outcome import Outcome
from backbone.exporting.places import already
from backbone.exporting.postgres_sql import NotCarriedError, carried, postgres_type
from backbone.exporting.target import Target
from backbone.model.names import literal, quoted
from backbone.model.operations import ExportedTable

if TYPE_CHECKING:
    import psycopg

_LONGEST_NAME = 63
_BLOCK = 1 << 18
_MARK_COLUMNS = (
    '"table" text PRIMARY KEY, dataset text, project text, environment text, "snapshot" bigint, "rows" bigint, '
    "exported_at timestamptz DEFAULT now()"
)


def write_schema(
    content: Content, target: Target, session: Session, *, replace: bool, on_table: Callable[[str], None]
) -> Outcome:
    """Write tables into a schema; all of them appear together.

    Raises:
        UsageError: some are there, and are not to be replaced.
        ExportError: the server can't be reached, or refuses something. Nothing has changed there.
    """
    try:
        import psycopg

        session.execute(f"LOAD {literal(str(extension_path('postgres_scanner')))}")
    except (ImportError, LakeError) as error:
        raise MissingExtraError("Exporting to PostgreSQL", "postgres") from error
    for name in (target.schema, *(table.name for table in content.tables)):
        if len(name.encode()) > _LONGEST_NAME:
            raise UsageError(f"'{name}' is too long for PostgreSQL, whose names have at most {_LONGEST_NAME} bytes")
    with _told(target), psycopg.connect(target.location, client_encoding="UTF8") as connection:
        return _Schema(connection, session, target).write(content, replace=replace, on_table=on_table)


@contextmanager
def _told(target: Target) -> Iterator[None]:
    """Tell what the server says without the secrets of its URL.

    Raises:
        ExportError: the server said it.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        told = concealed(
            f"{target.shown}: {str(error).strip()}\nNothing was changed there. Mend it there, or name another target"
        )
        # Not from it: a traceback would show what the driver says, with the URL.
        raise ExportError(told) from None


class _Schema:
    """The work on one schema, within one transaction."""

    def __init__(self, connection: "psycopg.Connection[Any]", session: Session, target: Target) -> None:
        self._connection, self._session, self._target = connection, session, target
        self._token = secrets.token_hex(4)

    def write(self, content: Content, *, replace: bool, on_table: Callable[[str], None]) -> Outcome:
        known = self._prepared(content, replace=replace)
        tables, left_out = [], []
        temporary = {table.name: f"{MARK}_{self._token}_{number}" for number, table in enumerate(content.tables)}
        for table in content.tables:
            on_table(table.dataset)
            rows = self._load(table, temporary[table.name])
            left_out += self._constrain(table, temporary)
            tables.append(ExportedTable(table.dataset, rows, None, f"{self._target.schema}.{table.name}"))
        self._connection.execute(f'DELETE FROM {self._name(MARK)} WHERE "table" = ANY(%s)', [list(temporary)])
        grants = self._dropped([name for name in temporary if name in known])
        for table, done in zip(content.tables, tables, strict=True):
            self._put(table.name, temporary[table.name], grants.get(table.name, ()))
            row = [table.name, table.dataset, content.project, content.environment, content.snapshot, done.rows]
            self._connection.execute(f"INSERT INTO {self._name(MARK)} VALUES (%s, %s, %s, %s, %s, %s)", row)
        sized = [self._sized(one, table) for one, table in zip(tables, content.tables, strict=True)]
        kept = tuple(sorted(name for name in known if name not in temporary))
        return Outcome(
            tuple(sized), sum(one.bytes or 0 for one in sized), bool(set(known) & set(temporary)), tuple(left_out), kept
        )

    def _name(self, table: str) -> str:
        return f"{quoted(self._target.schema)}.{quoted(table)}"

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def _prepared(self, content: Content, *, replace: bool) -> set[str]:
        """Make the schema; returns the tables that earlier exports made in it.

        Raises:
            UsageError: tables are there, and are not to be replaced, or no export made them.
        """
        schema = self._target.schema
        if not self._rows("SELECT 1 FROM pg_namespace WHERE nspname = %s", schema):
            self._connection.execute(f"CREATE SCHEMA {quoted(schema)}")
        there = {name for (name,) in self._rows(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s "
            "AND relkind IN ('r', 'p', 'v', 'm', 'f')", schema)}  # fmt: skip
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {self._name(MARK)} ({_MARK_COLUMNS})")
        self._connection.execute(f"LOCK TABLE {self._name(MARK)} IN SHARE ROW EXCLUSIVE MODE")  # one export at a time
        known = self._rows(f'SELECT "table", project, environment, "snapshot" FROM {self._name(MARK)}')
        ours = {row[0] for row in known} & there
        wanted = [table.name for table in content.tables if table.name in there]
        if foreign := [name for name in wanted if name not in ours]:
            raise UsageError(
                f"{self._target.shown} has a table {schema}.{foreign[0]} that no export made. Name another --schema"
            )
        if wanted and not replace:
            title = next(f"{row[1]} ({row[2]}), snapshot {row[3]}" for row in known if row[0] == wanted[0])
            raise UsageError(already(f"{self._target.shown}, schema {schema}", title))
        return ours

    def _load(self, table: Table, temporary: str) -> int:
        """Make a table and copy its rows; returns how many."""
        required = table.constraints.required
        columns = ", ".join(
            f"{quoted(c.name)} {postgres_type(c.domain)}{' NOT NULL' if c.name in required else ''}"
            for c in table.columns
        )
        self._connection.execute(f"CREATE TABLE {self._name(temporary)} ({columns})")
        form = {c.name: _as_json(c) for c in table.columns if postgres_type(c.domain) == "json"}
        copy = f"COPY {self._name(temporary)} FROM STDIN (FORMAT binary)"
        cursor = self._connection.cursor()
        with _piped(self._session, table.query(form)) as blocks, cursor.copy(copy) as rows:
            for block in blocks:
                rows.write(block)
        return cursor.rowcount

    def _constrain(self, table: Table, temporary: dict[str, str]) -> list[str]:
        """Give a table its constraints and comments; returns those that it can't have, each with why."""
        found, name = table.constraints, self._name(temporary[table.name])
        if found.key:
            self._connection.execute(f"ALTER TABLE {name} ADD PRIMARY KEY ({_list(found.key)})")
        for columns in found.unique:
            self._connection.execute(f"ALTER TABLE {name} ADD UNIQUE ({_list(columns)})")
        for one in found.references:
            self._connection.execute(
                f"ALTER TABLE {name} ADD CONSTRAINT {_constraint(one.name)} FOREIGN KEY ({_list(one.columns)}) "
                f"REFERENCES {self._name(temporary[one.table])} ({_list(one.by)})"
            )
        for column in table.columns:
            if column.comment:
                where = f"{name}.{quoted(column.name)}"
                self._connection.execute(f"COMMENT ON COLUMN {where} IS {literal(column.comment)}")
        if table.comment:
            self._connection.execute(f"COMMENT ON TABLE {name} IS {literal(table.comment)}")
        return self._check(table, name)

    def _check(self, table: Table, name: str) -> list[str]:
        import psycopg

        domains = {c.name: c.domain for c in table.columns}
        left_out = []
        for check in table.constraints.checks:
            try:
                sql = carried(check.sql, domains)
                with self._connection.transaction():
                    self._connection.execute(
                        f"ALTER TABLE {name} ADD CONSTRAINT {_constraint(check.name)} CHECK ({sql})"
                    )
            except (NotCarriedError, psycopg.ProgrammingError, psycopg.DataError, psycopg.IntegrityError) as error:
                left_out.append(f"{table.dataset} {check.name}: {str(error).splitlines()[0]}")
        return left_out

    def _dropped(self, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Drop tables, at once since they may refer to each other; returns who was granted what on each."""
        granted = self._rows(
            "SELECT relname, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, "
            "a.privilege_type, a.is_grantable FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, "
            "aclexplode(c.relacl) AS a WHERE nspname = %s AND relname = ANY(%s) AND a.grantee <> c.relowner",
            self._target.schema, tables,
        )  # fmt: skip
        if tables:
            self._connection.execute(f"DROP TABLE {', '.join(map(self._name, tables))}")
        found: dict[str, list[tuple[Any, ...]]] = {}
        for table, *grant in granted:
            found.setdefault(table, []).append(tuple(grant))
        return found

    def _put(self, table: str, temporary: str, grants: Sequence[tuple[Any, ...]]) -> None:
        """Let a table take its place, with its constraints' names and the grants of the one that was there."""
        self._connection.execute(f"ALTER TABLE {self._name(temporary)} RENAME TO {quoted(table)}")
        for (constraint,) in self._rows(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND starts_with(conname, %s)",
            self._name(table), temporary,
        ):  # fmt: skip
            final = f"{table}{constraint.removeprefix(temporary)}"
            rename = f"RENAME CONSTRAINT {quoted(constraint)} TO {_constraint(final)}"
            self._connection.execute(f"ALTER TABLE {self._name(table)} {rename}")
        for grantee, privilege, grantable in grants:
            option = " WITH GRANT OPTION" if grantable else ""
            self._connection.execute(f"GRANT {privilege} ON {self._name(table)} TO {grantee}{option}")

    def _sized(self, one: ExportedTable, table: Table) -> ExportedTable:
        size = self._rows("SELECT pg_total_relation_size(%s::regclass)", self._name(table.name))[0][0]
        return ExportedTable(one.dataset, one.rows, size, one.place)


def _as_json(column: Column) -> str:
    """JSON as the text that it is; a list of lists or of JSON as JSON."""
    name = quoted(column.name)
    return f"CAST({name if column.domain == 'json' else f'to_json({name})'} AS VARCHAR)"


def _list(columns: Sequence[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


def _constraint(name: str) -> str:
    """A constraint's name, no longer than PostgreSQL has them."""
    return quoted(name.encode()[:_LONGEST_NAME].decode(errors="ignore"))


@contextmanager
def _piped(session: Session, query: str) -> Iterator[Iterator[bytes]]:
    """The rows of a query in PostgreSQL's binary format, block by block: never all at once, and never on the disk.

    Raises:
        EngineError: the query fails.
    """
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            session.execute(f"COPY ({query}) TO '/dev/fd/{writing}' (FORMAT postgres_binary, USE_TMP_FILE false)")
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that reads
            failed.append(error)
        finally:
            os.close(writing)

    thread = Thread(target=write)
    thread.start()
    try:
        yield _blocks(reading, failed)
    finally:
        os.close(reading)  # a query that still writes then fails
        thread.join()


def _blocks(handle: int, failed: Sequence[BaseException]) -> Iterator[bytes]:
    while block := os.read(handle, _BLOCK):
        yield block
    for error in failed:
        if "NULL-byte" in str(error):
            message = (
                "a text has a NUL character, which PostgreSQL can't hold. Take it out: replace(COLUMN, chr(0), '')"
            )
            raise EngineError(message) from error
        raise error
