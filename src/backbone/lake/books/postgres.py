"""Books in a PostgreSQL database, for several who write from different machines.

One schema an environment: DuckLake's tables, and `backbone_…` ours. What there is one of is an advisory lock; who
holds it and dies, or loses the network, has it no longer.

Locks are taken in one order, so that no two wait for each other: `writers`, which a run of some datasets shares with
others and all else has alone; the datasets by name; those that landing takes; `readers`; `publishing`.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.engine import sqlite
from backbone.engine.postgres import Database, Moment
from backbone.engine.postgres_locks import HELD, Wanted, check_held, held, holders, lock_number, try_lock
from backbone.lake.books.postgres_leases import leases_of
from backbone.lake.books.postgres_leases import without_new as without_new_leases
from backbone.lake.books.protocol import Entry, Holder, Lease, OnWait
from backbone.model.names import literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TABLES = """
    CREATE TABLE IF NOT EXISTS backbone_run (run text PRIMARY KEY, lock bigint NOT NULL, entry text NOT NULL);
    CREATE TABLE IF NOT EXISTS backbone_lease (
        lease text PRIMARY KEY, lock bigint NOT NULL, snapshot bigint NOT NULL, last bigint NOT NULL,
        who text NOT NULL, since timestamptz NOT NULL, pinned boolean NOT NULL);
    CREATE TABLE IF NOT EXISTS backbone_note (name text PRIMARY KEY, numbers text NOT NULL);
    """
_WRITERS = "writers"


@dataclass(frozen=True, slots=True)
class _Held:
    """Implements `Hold`: what this process holds is asked for again, for a connection may be cut."""

    database: Database

    def check(self) -> None:
        """See `Hold`."""
        check_held(self.database)


@dataclass(frozen=True, slots=True)
class PostgresBooks:
    """Implements `Books` in a schema of a database."""

    database: Database

    @property
    def place(self) -> str:
        """See `Books`."""
        return self.database.place

    @property
    def name(self) -> str:
        """See `Books`."""
        return self.database.place

    @property
    def shared(self) -> bool:
        """See `Books`."""
        return True

    @property
    def schema(self) -> str:
        """See `Books`."""
        return self.database.schema

    @property
    def extension(self) -> str:
        """See `Books`."""
        return "postgres_scanner"

    def target(self, *, read_only: bool) -> tuple[str, list[str]]:
        """See `Books`."""
        del read_only
        return f"postgres:{self.database.parameters}", [f"METADATA_SCHEMA {literal(self.database.schema)}"]

    def told(self, text: str) -> str:
        """See `Books`."""
        return self.database.told(text)

    def reading(self) -> AbstractContextManager[Moment]:
        """See `Books`."""
        return self.database.reading()

    def last_snapshot(self) -> tuple[str, int] | None:
        """See `Books`."""
        found = self.database.rows("""
            SELECT max(snapshot_id), (SELECT min(schema_uuid::text) FROM ducklake_schema WHERE schema_id = 0)
            FROM ducklake_snapshot""")
        if not found and self._is_hidden():
            raise self.database.forbidden("read", "it may not use the schema")
        return (str(found[0][1]), int(found[0][0])) if found and found[0][0] is not None else None

    def _is_hidden(self) -> bool:
        query = "SELECT NOT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = :schema"
        with self.reading() as rows:
            return bool((rows.execute(query, {"schema": self.database.schema}).fetchone() or (False,))[0])

    def damage(self) -> str | None:
        """See `Books`."""
        if not self.has_catalogue():
            return "it is not there"
        with self.reading() as rows:
            (odd,) = rows.execute("""
                SELECT count(*) FROM ducklake_data_file f LEFT JOIN ducklake_table t USING (table_id)
                WHERE t.table_id IS NULL""").fetchone() or (0,)
        return f"{odd:,} files are of no table" if odd else None

    def has_catalogue(self) -> bool:
        """See `Books`."""
        return self._has("ducklake_snapshot")

    def _has(self, table: str) -> bool:
        with self.reading() as rows:
            return rows.execute("SELECT to_regclass(:table)", {"table": table}).fetchone() != (None,)

    def bytes(self) -> int:
        """See `Books`."""
        query = """
            SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relkind = 'r'"""
        with self.reading() as rows:
            return int((rows.execute(query, {"schema": self.database.schema}).fetchone() or (0,))[0])

    def copy_to(self, connection: "DuckDBPyConnection", path: Path) -> None:
        """See `Books`. One transaction of DuckDB's is one of PostgreSQL's, which sees one moment."""
        del path
        source = f"{literal(self.database.parameters)} AS meta (TYPE postgres, READ_ONLY, SCHEMA {self._schema})"
        connection.execute(f"ATTACH {source}")
        named = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'meta' AND table_name LIKE 'ducklake_%'"
        tables = connection.execute(named).fetchall()
        connection.execute("BEGIN")
        for (table,) in tables:
            origin = f"meta.{quoted(self.database.schema)}.{quoted(table)}"
            connection.execute(f"CREATE TABLE frozen.main.{quoted(table)} AS FROM {origin}")
        connection.execute("COMMIT")
        connection.execute("DETACH meta")

    @property
    def _schema(self) -> str:
        return literal(self.database.schema)

    def export(self, path: Path) -> None:
        """See `Books`."""
        from backbone.lake.books.converting import to_sqlite

        path.parent.mkdir(parents=True, exist_ok=True)
        to_sqlite(self.database, path)
        sqlite.settle(path)

    def take_over(self, path: Path) -> None:
        """See `Books`. It comes into a schema beside the present one, and the two change names in one transaction."""
        from backbone.lake.books.postgres_schemas import take_over

        self.prepare()
        take_over(self.database, path)

    def keep(self, name: str) -> str:
        """See `Books`."""
        from backbone.lake.books.postgres_schemas import keep

        return keep(self.database, name)

    def put_back(self, name: str) -> None:
        """See `Books`."""
        from backbone.lake.books.postgres_schemas import put_back

        put_back(self.database, name)

    def retire(self, name: str) -> str:
        """See `Books`."""
        from backbone.lake.books.postgres_schemas import retire

        return retire(self.database, name)

    def prepare(self) -> None:
        """See `Books`."""
        if self._has("backbone_note"):
            return
        with held(self.database, [Wanted("making")]), self.database.writing() as rows:
            rows.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.database.schema)}")
            rows.execute(_TABLES)

    @contextmanager
    def writing(
        self, datasets: Collection[str] | None, *, on_wait: OnWait | None = None, wait: bool = True
    ) -> Iterator[None]:
        """See `Books`."""
        wanted = [Wanted(_WRITERS, shared=datasets is not None)]
        wanted += [Wanted(f"dataset {name}") for name in sorted(datasets or ())]
        with held(self.database, wanted, on_wait=on_wait, wait=wait):
            yield

    def writer(self) -> str:
        """See `Books`."""
        with self.reading() as rows:
            return holders(rows.connection, lock_number(self.database, _WRITERS))

    @contextmanager
    def publishing(self) -> Iterator[_Held]:
        """See `Books`."""
        with held(self.database, [Wanted("publishing")]):
            yield _Held(self.database)

    def take_lease(self, choose: Callable[[], int]) -> Lease:
        """See `Books`."""
        return leases_of(self.database).take(choose, self._last)

    def _last(self) -> int:
        known = self.last_snapshot()
        return known[1] if known else 0

    def pin(self, reader: str, snapshot: int) -> None:
        """See `Books`."""
        leases_of(self.database).pin(reader, snapshot)

    def without_new_leases(self) -> AbstractContextManager[list[Holder]]:
        """See `Books`."""
        return without_new_leases(self.database)

    def holders(self) -> list[Holder]:
        """See `Books`."""
        return leases_of(self.database).all()

    @contextmanager
    def entering(self, run: str, entry: Entry) -> Iterator[None]:
        """See `Books`."""
        name = f"run {run}"
        values = (run, lock_number(self.database, name), json.dumps(entry))
        with held(self.database, [Wanted(name)]):
            with self.database.writing() as rows:
                rows.execute("INSERT INTO backbone_run (run, lock, entry) VALUES (?, ?, ?)", values)
            yield
            self.forget([run])  # while it counts as one who lives: else others take it for killed

    def note_failure(self, run: str, failed: str) -> None:
        """See `Books`."""
        with self.database.writing() as rows:
            (text,) = rows.execute("SELECT entry FROM backbone_run WHERE run = ?", (run,)).fetchone() or ("{}",)
            entry = json.dumps({**json.loads(text), "failed": failed})
            rows.execute("UPDATE backbone_run SET entry = ? WHERE run = ?", (entry, run))

    @contextmanager
    def ended(self, also: Collection[str] = ()) -> Iterator[list[Entry]]:
        """See `Books`. Of several who find the same entry, one has its lock, and looks whether it is still there."""
        query = f"SELECT run, entry, {HELD.format('lock')} FROM backbone_run ORDER BY run"
        found = [run for run, _, lives in self.database.rows(query) if run in also or not lives]
        with held(self.database, []) as connection:
            mine = {run for run in found if run in also or try_lock(connection, self.database, f"run {run}")}
            yield [json.loads(text) for run, text, _ in (self.database.rows(query) if mine else ()) if run in mine]

    def has_ended(self) -> bool:
        """See `Books`."""
        return bool(self.database.rows(f"SELECT 1 FROM backbone_run WHERE NOT {HELD.format('lock')} LIMIT 1"))

    def entries(self) -> list[tuple[Entry, bool]]:
        """See `Books`."""
        found = self.database.rows(f"SELECT entry, {HELD.format('lock')} FROM backbone_run ORDER BY run")
        return [(json.loads(text), lives) for text, lives in found]

    def forget(self, runs: Collection[str]) -> None:
        """See `Books`."""
        with self.database.writing() as rows:
            rows.execute("DELETE FROM backbone_run WHERE run = ANY (?)", (list(runs),))

    def noted(self, name: str) -> dict[str, int]:
        """See `Books`."""
        found = self.database.rows("SELECT numbers FROM backbone_note WHERE name = ?", (name,))
        return dict(json.loads(found[0][0])) if found else {}

    def note(self, name: str, numbers: Mapping[str, int]) -> None:
        """See `Books`."""
        query = """
            INSERT INTO backbone_note (name, numbers) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET numbers = excluded.numbers"""
        with self.database.writing() as rows:
            rows.execute(query, (name, json.dumps(numbers)))
