"""Queries of people, sealed: they read the lake's datasets at one snapshot, and can do nothing else.

With the SQLite scanner loaded, a locked connection could still be escaped. So the query runs on a frozen copy of the
catalogue, in a DuckDB file, on a connection that loads only DuckLake and whose configuration is locked.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar

import duckdb

from backbone.engine import sqlite
from backbone.engine.duckdb.extensions import CONFIG, load_extension, silence
from backbone.errors import BackboneError, LakeError, QueryError, did_you_mean
from backbone.lake.attaching import told
from backbone.lake.books import Lease
from backbone.lake.catalogue import datasets_at, last_snapshot, present_snapshot
from backbone.lake.ceiling import ceiling
from backbone.lake.lock import locked
from backbone.lake.remote import reach
from backbone.lake.sealing import check_sealed
from backbone.lake.site import Site
from backbone.lake.versions import refuse_others
from backbone.model.memory import DEFAULT_LIMIT, memory_bytes
from backbone.model.names import ZONES, is_system, literal, quoted, quoted_dataset, stem_of, zone_of
from backbone.model.statements import bare
from backbone.troubles import store_trouble

TIMEOUT_SECONDS = 600.0
_MANY = 50
_NO_TABLE = re.compile(r'Table with name "?([\w.]+)"? does not exist')
_KEPT_SECONDS = 60.0
_INLINED_TYPES = {
    "float64": "DOUBLE",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "boolean": "BOOLEAN",
    "int64": "BIGINT",
}
"""DuckLake's names for the types that governance tables have and SQLite hasn't, in DuckDB's words."""
_TEXTS = ("varchar", "json")
"""Those that PostgreSQL keeps as bytes, since its own text has no NUL."""

T = TypeVar("T")


def frozen_catalogue(site: Site, snapshot: int) -> Path:
    """A copy of the lake's catalogue at its last snapshot, as a DuckDB file; made once a snapshot.

    Raises:
        LakeError: the catalogue can't be read.
    """
    with suppress(OSError, duckdb.Error):  # no space, or a lake that one may only read
        return _frozen(site, site.folder / "cache", snapshot)
    try:
        return _frozen(site, sqlite.elsewhere(site.folder), snapshot)
    except duckdb.Error as error:  # which may quote how one gets in
        raise LakeError(f"The catalogue in {site.books.place} can't be read: {told(error, site)}") from None


def _frozen(site: Site, copies: Path, snapshot: int) -> Path:
    path = copies / f"catalogue-{_name(site, snapshot)}.duckdb"
    if path.exists():
        with suppress(OSError):
            os.utime(path)  # in use: not to be removed before it is open
            return path
        if not os.access(copies, os.W_OK):  # nobody removes it
            return path
    with locked(copies / "lock"):  # one copies, and whoever else needs the same waits for it
        if not path.exists():
            _remove_old(copies)
            part = path.with_suffix(".part")
            try:
                _freeze(site, part)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    return path


def _name(site: Site, snapshot: int) -> str:
    """What tells a catalogue from others: its lake, too, where that may be lost while machines keep copies of it."""
    known = last_snapshot(site) if site.books.shared else None
    return f"{known[0][:8]}-{snapshot}" if known else str(snapshot)


def _freeze(site: Site, path: Path) -> None:
    """Copy a lake's catalogue, as it is at one moment, into a DuckDB file."""
    refuse_others(site)
    with duckdb.connect(":memory:", config={**CONFIG, "threads": "1"}) as connection:
        silence(connection)
        load_extension(connection, site.books.extension)
        connection.execute(f"ATTACH {literal(str(path))} AS frozen")
        site.books.copy_to(connection, path)
        _retype_inlined(connection)
        connection.execute("DETACH frozen")


def _remove_old(cache: Path) -> None:
    """Remove copies of earlier snapshots that nobody is about to open, and what a killed process left.

    Only to be called under the lock, where nobody copies.
    """
    for old in cache.glob("catalogue-*"):
        with suppress(FileNotFoundError):
            if old.suffix != ".duckdb" or time.time() - old.stat().st_mtime > _KEPT_SECONDS:
                old.unlink()


def _retype_inlined(connection: duckdb.DuckDBPyConnection) -> None:
    """Give inlined rows their types: other databases keep some as text or bytes, where DuckLake expects values."""
    columns = connection.execute("""
        SELECT i.table_name, c.column_name, c.column_type, child.column_type, d.data_type
        FROM frozen.ducklake_inlined_data_tables i
        JOIN frozen.ducklake_column c ON c.table_id = i.table_id AND c.parent_column IS NULL AND c.end_snapshot IS NULL
        LEFT JOIN frozen.ducklake_column child ON child.table_id = c.table_id AND child.parent_column = c.column_id
        JOIN duckdb_columns() d ON d.database_name = 'frozen' AND d.table_name = i.table_name
            AND d.column_name = c.column_name
        """).fetchall()
    for table, column, kind, child, present in columns:
        wanted = f"{_INLINED_TYPES.get(child, 'VARCHAR')}[]" if kind == "list" else _INLINED_TYPES.get(kind)
        alter = f"ALTER TABLE frozen.{quoted(table)} ALTER {quoted(column)} TYPE"
        if kind in _TEXTS and present == "BLOB":
            connection.execute(f"{alter} VARCHAR USING decode({quoted(column)})")
        elif wanted and wanted != present:
            connection.execute(f"{alter} {wanted}")


def sealed_connection(
    site: Site,
    *,
    last: int,
    snapshot: int,
    datasets: Mapping[str, tuple[str, ...]],
    memory_limit: str = DEFAULT_LIMIT,
    writable: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """A locked connection that shows `datasets` (with these columns) as they were at `snapshot`.

    A bare name means the most refined zone that has it. `last` is the lake's last snapshot. `writable` is the one file
    that may be written.
    """
    connection = duckdb.connect(":memory:", config={**CONFIG, "memory_limit": memory_limit})
    with ExitStack() as failing:
        failing.callback(connection.close)
        load_extension(connection, "ducklake")
        reach(connection, site)
        tables = site.data.uri("tables")
        frozen = frozen_catalogue(site, last)
        options = f"READ_ONLY, DATA_PATH {literal(tables)}, OVERRIDE_DATA_PATH true"
        connection.execute(f"ATTACH {literal(f'ducklake:{frozen}')} AS lake ({options})")
        silence(connection)
        connection.execute("SET GLOBAL TimeZone = 'UTC'; SET python_enable_replacements = false")
        for sql in _views(datasets, snapshot):
            connection.execute(sql)
        if writable:
            connection.execute(f"SET allowed_paths = [{literal(str(writable))}]")
        connection.execute(f"SET allowed_directories = [{literal(f'{tables}/')}]")
        connection.execute("SET temp_directory = ''; SET enable_external_access = false; SET lock_configuration = true")
        failing.pop_all()
    return connection


def _views(datasets: Mapping[str, tuple[str, ...]], snapshot: int) -> list[str]:
    statements = [f"CREATE SCHEMA {quoted(zone)}" for zone in sorted({zone_of(d) for d in datasets})]
    for dataset, columns in datasets.items():
        names = ", ".join(quoted(c) for c in columns)
        at = f"lake.{quoted_dataset(dataset)} AT (VERSION => {snapshot})"
        statements.append(f"CREATE VIEW {quoted_dataset(dataset)} AS SELECT {names} FROM {at}")
    for stem, dataset in most_refined(datasets).items():
        statements.append(f"CREATE VIEW main.{quoted(stem)} AS FROM {quoted_dataset(dataset)}")
    return statements


def most_refined(datasets: Mapping[str, object]) -> dict[str, str]:
    """What each bare name means: the dataset of that name in the most refined zone."""
    order: dict[str, int] = {zone: number for number, zone in enumerate(ZONES)}
    refined = sorted((d for d in datasets if zone_of(d) in order), key=lambda d: order[zone_of(d)])
    return {stem_of(dataset): dataset for dataset in refined}


class SealedLake:
    """A lake's datasets at one snapshot, for people's queries. `run` and `write` may be called again and again.

    The snapshot stays readable for as long as this object lives.
    """

    def __init__(self, site: Site, lease: Lease, *, memory_limit: str = DEFAULT_LIMIT) -> None:
        self._site, self._lease, self._snapshot, self._memory_limit = site, lease, lease.snapshot, memory_limit
        self._closed = False
        self._last = present_snapshot(site)
        columns = datasets_at(site, lease.snapshot)
        self._all = {dataset: tuple(name for name, _ in found) for dataset, found in columns.items()}

    def run(self, query: str, collect: Callable[[duckdb.DuckDBPyConnection], T], *, system: bool = False) -> T:
        """Run one SELECT and collect its rows; `system` shows system columns.

        Raises:
            QueryError: it isn't one SELECT, fails, or takes too long.
            LakeError: a file that it reads is missing or damaged.
        """
        with self._connection(query, system=system) as connection:
            try:
                return run_query(connection, query, collect, memory_limit=self._memory_limit)
            except QueryError as error:
                raise self._told(error) from error

    def batches(self, query: str, rows: int, *, system: bool = False) -> Iterator[Any]:
        """Run one SELECT and give its rows in Arrow record batches of about so many rows, as they are asked for.

        Each batch may take what a query may: who reads them may take any time.

        Raises:
            QueryError: it isn't one SELECT, or fails.
            LakeError: a file that it reads is missing or damaged.
        """
        import pyarrow as pa

        def begin() -> Any:
            return connection.execute(query).to_arrow_reader(rows)

        def following() -> Any:
            try:
                return next(reader, None)
            except (pa.ArrowException, OSError) as error:  # as Arrow tells what DuckDB says in its stream
                raise duckdb.Error(str(error)) from error

        with self._connection(query, system=system) as connection:
            try:
                check_sealed(connection, query)
                reader = _limited(connection, begin, self._memory_limit)
                while (batch := _limited(connection, following, self._memory_limit)) is not None:
                    yield batch
            except QueryError as error:
                raise self._told(error) from error

    def close(self) -> None:
        """Give the snapshot back; then nothing can be asked any more."""
        self._closed = True
        self._lease.close()

    def write(self, query: str, path: Path, options: str, *, system: bool = False) -> int:
        """Write the rows of one SELECT to a file, the only one that can be written, and return how many there are."""
        with self._connection(query, system=system, writable=path) as connection:
            check_sealed(connection, query)
            copy = f"COPY ({bare(query)}\n) TO {literal(str(path))} ({options})"
            try:
                copied = _limited(connection, lambda: connection.execute(copy).fetchone(), self._memory_limit)
            except QueryError as error:
                raise self._told(error) from error
        return int(copied[0]) if copied else 0

    def _told(self, error: QueryError) -> BackboneError:
        """A table that isn't there, with a near name from those that are; a file of the lake that can't be read."""
        if told := store_trouble(str(error)):
            return LakeError(f"The lake can't be read: {told}")
        if f"{self._site.folder}/" in str(error):
            return LakeError(f"A file of the lake can't be read: {error}. Check it: backbone doctor")
        match = _NO_TABLE.search(str(error))
        if not match:
            return error
        known = [*self._all, *most_refined(self._all)]
        near = did_you_mean(match[1], known)
        return QueryError(f"There is no dataset '{match[1]}' in snapshot {self._snapshot}.{near} All: backbone status")

    def _connection(self, query: str, *, system: bool, writable: Path | None = None) -> duckdb.DuckDBPyConnection:
        """Views only for datasets whose name occurs in the query, where there are many.

        Raises:
            QueryError: this was closed.
        """
        if self._closed:
            raise QueryError("This result was closed, and its snapshot given back. Ask again: workspace.sql(…)")
        words = set(re.findall(r"\w+", query.lower()))
        many = len(self._all) > _MANY
        named = {d: c for d, c in self._all.items() if not many or stem_of(d).lower() in words}
        shown = {d: c if system else tuple(n for n in c if not is_system(n)) for d, c in named.items()}
        return sealed_connection(
            self._site,
            last=self._last,
            snapshot=self._snapshot,
            datasets=shown,
            memory_limit=self._memory_limit,
            writable=writable,
        )


def run_query(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    collect: Callable[[duckdb.DuckDBPyConnection], T],
    *,
    memory_limit: str = DEFAULT_LIMIT,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> T:
    """Run one SELECT on a sealed connection and collect its rows as `collect` does.

    Raises:
        QueryError: it isn't one SELECT, fails, or takes more memory or time than it may.
    """
    check_sealed(connection, query)
    return _limited(connection, lambda: collect(connection.execute(query)), memory_limit, timeout_seconds)


def _limited(
    connection: duckdb.DuckDBPyConnection,
    work: Callable[[], T],
    memory_limit: str,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> T:
    """Work that is stopped in words when it has taken its time, or its memory."""
    timer = Timer(timeout_seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        with ceiling(2 * (memory_bytes(memory_limit) or 0)):
            return work()
    except duckdb.InterruptException as error:
        raise QueryError(
            f"The query took longer than {timeout_seconds:g} seconds and was stopped. "
            "Ask for less, or make it a dataset: exploitation/NAME.sql"
        ) from error
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise QueryError(
            f"The query, or its rows, need more memory than memory_limit allows ({memory_limit}). Ask for less; write "
            "many rows to a file: -o FILE; or raise `memory_limit` in backbone.yml"
        ) from error
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from error
    finally:
        timer.cancel()
