"""Attaching a lake, and changing it in one transaction."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from glob import has_magic
from os.path import commonprefix
from pathlib import Path
from typing import TypeVar

import duckdb

from backbone.engine.duckdb.extensions import load_extension, silence
from backbone.errors import LakeError, StoreError
from backbone.lake.catalogue import dataset_bytes, has_dataset, is_finished, last_snapshot
from backbone.lake.claiming import claim, refuse_strangers
from backbone.lake.remote import reach
from backbone.lake.retrying import Tries, committed_as
from backbone.lake.site import Site
from backbone.lake.versions import refuse_others
from backbone.model.domains import sql_type
from backbone.model.names import literal, parquet_table, quoted, quoted_dataset, stem_of, zone_of
from backbone.model.relations import Relation
from backbone.model.steps import Removal
from backbone.troubles import refused_by_store, trouble

T = TypeVar("T")

INLINED_ROWS = 100
"""Governance rows up to this many are kept in the catalogue: a file each would be thousands of tiny files."""

_ALONE = "SET threads = 1"
"""While the catalogue is written: the scanner then reads with the connection that writes, which threads can't share.

And while rows are flushed from it (ADR 30): a flush of many tables is one plan, whose parts note what they have flushed
in one list of DuckLake's, without a lock. Two that did so at once damaged the heap of the process.
"""


def attach(
    connection: duckdb.DuckDBPyConnection,
    site: Site,
    *,
    name: str = "lake",
    read_only: bool = False,
    snapshot: int | None = None,
) -> None:
    """Attach a lake to a connection, making it first where there is none.

    With a `snapshot` (only where it is attached read-only) the connection sees that one and nothing later.

    Raises:
        LakeError: it can't be opened.
    """
    load_extension(connection, site.books.extension)
    load_extension(connection, "ducklake")
    if read_only and last_snapshot(site) is None:
        raise LakeError(f"There is no lake in {site.books.place}. Make it: backbone run")
    if not read_only:
        (site.tables if site.data.is_local else site.folder).mkdir(parents=True, exist_ok=True)
        site.books.prepare()
        if site.books.shared:  # its own retries would publish under another number than is written down
            connection.execute("SET ducklake_max_retry_count = 0")
    reach(connection, site, name)
    try:
        if read_only or is_finished(site):
            _attach(connection, site, name, read_only=read_only, snapshot=snapshot)
        else:
            refuse_strangers(site)
            with site.books.publishing():  # of several who come first, one makes it
                _attach(connection, site, name, read_only=False)
                known = last_snapshot(site)
                claim(site, known[0] if known else "")
                _initialise(connection)
    except duckdb.Error as error:
        if "version" in str(error):
            refuse_others(site)
        raise LakeError(f"The lake in {site.books.place} can't be opened: {told(error, site)}") from error


def _attach(
    connection: duckdb.DuckDBPyConnection, site: Site, name: str, *, read_only: bool, snapshot: int | None = None
) -> None:
    target, options = site.books.target(read_only=read_only)
    options += [f"DATA_PATH {literal(site.data.uri('tables'))}", "OVERRIDE_DATA_PATH true"]
    options += ["READ_ONLY"] if read_only else []
    options += [f"SNAPSHOT_VERSION {snapshot}"] if snapshot is not None else []
    connection.execute(f"ATTACH {literal(f'ducklake:{target}')} AS {name} ({', '.join(options)})")


def _initialise(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS lake.governance")
    connection.execute("CALL lake.set_option('data_inlining_row_limit', 0)")
    connection.execute(f"CALL lake.set_option('data_inlining_row_limit', {INLINED_ROWS}, schema => 'governance')")


def told(error: duckdb.Error, site: Site) -> str:
    """What went wrong with a lake, as people may see it, and what to do."""
    return trouble(error, site.folder) or f"{site.books.told(str(error))}. Check it: backbone doctor"


class Transaction:
    """Changes to a lake that become visible together, or not at all.

    `files` are those that it has added so far, each with its dataset: data files and files of deleted rows, by the
    names that they have in the lake's data. What is added must be there already: see `send`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, site: Site, known: int) -> None:
        self._connection = connection
        self._site = site
        self._schemas: set[str] = set()
        self._in_files = set(dataset_bytes(site, known))
        self.snapshot = known + 1
        self.files: list[tuple[str, str]] = []
        self.discarded: list[Path] = []

    def replace(self, dataset: str, relation: Relation, files: Sequence[Path]) -> None:
        """Start a new generation of a dataset, with the rows of `files` alone."""
        self._schema(zone_of(dataset))
        self._connection.execute(f"CREATE OR REPLACE TABLE {_table(dataset)} ({_columns(relation)})")
        self._add(dataset, files)

    def change(
        self, dataset: str, new: Relation, *, removed: Sequence[Removal] = (), files: Sequence[Path] = ()
    ) -> None:
        """Remove and add rows of a dataset; columns of `new` that it lacks are added, NULL in earlier rows."""
        known = {row[0] for row in self._connection.execute(f"DESCRIBE {_table(dataset)}").fetchall()}
        for attribute in new.attributes:
            if attribute.name not in known:
                column = f"{quoted(attribute.name)} {sql_type(attribute.domain)}"
                self._connection.execute(f"ALTER TABLE {_table(dataset)} ADD COLUMN {column}")
        for removal in removed:
            equal = " AND ".join(f"t.{quoted(c)} IS NOT DISTINCT FROM r.{quoted(c)}" for c in removal.columns)
            self._delete(dataset, f"AS t USING {parquet_table(removal.paths)} AS r WHERE {equal}")
        self._add(dataset, files)

    def _delete(self, dataset: str, which: str) -> None:
        """Delete rows; the lake writes files that name them at once, before the transaction ends.

        It doesn't tell their names before that, so they are those that weren't there.
        """
        before = self._delete_files(dataset)
        self._connection.execute(f"DELETE FROM {_table(dataset)} {which}")
        self.files += [(dataset, name) for name in sorted(self._delete_files(dataset) - before)]

    def _delete_files(self, dataset: str) -> set[str]:
        if dataset not in self._in_files:  # its rows are in the catalogue, and those that go are noted there
            return set()
        folder = f"tables/{zone_of(dataset)}/{stem_of(dataset)}"
        names = (one.name for one in self._site.data.list(f"{folder}/ducklake-"))
        return {name for name in names if name.endswith("-delete.parquet")}

    def _add(self, dataset: str, files: Sequence[Path]) -> None:
        names = f"'lake', {literal(stem_of(dataset))}"
        for path in _patterns(files):
            where = self._site.data.uri(self._site.name_of(Path(path)))
            self._connection.execute(
                f"CALL ducklake_add_data_files({names}, {literal(where)}, "
                f"schema => {literal(zone_of(dataset))}, allow_missing => true)"
            )
        self._in_files |= {dataset} if files else set()
        self.files += [(dataset, self._site.name_of(path)) for path in files]

    def ensure(self, dataset: str, relation: Relation) -> None:
        """Make a table where there is none."""
        self._schema(zone_of(dataset))
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {_table(dataset)} ({_columns(relation)})")

    def insert(self, dataset: str, relation: Relation, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert plain values (what JSON can hold, and datetimes) into a table; `json` columns take JSON text."""
        if rows:
            shape = json.dumps([{a.name: sql_type(a.domain) for a in relation.attributes}])
            text = json.dumps([_plain(row, relation) for row in rows], default=str)
            values = f"unnest(from_json_strict({literal(text)}, {literal(shape)}), max_depth := 2)"
            self._connection.execute(f"INSERT INTO {_table(dataset)} BY NAME SELECT {values}")

    def insert_file(self, dataset: str, path: Path) -> None:
        """Insert a Parquet file's rows: few into the catalogue (the file goes), many by registering the file."""
        source = f"read_parquet({literal(str(path))})"
        counted = self._connection.execute(f"SELECT count(*) FROM {source}").fetchone()
        if counted and counted[0] > INLINED_ROWS:
            self._add(dataset, [path])
            return
        self._connection.execute(f"INSERT INTO {_table(dataset)} BY NAME SELECT * FROM {source}")
        self.discard(path)

    def discard(self, path: Path) -> None:
        """Remove a file once the transaction is committed: until then it may have to be read again."""
        self.discarded.append(path)

    def finish(self) -> None:
        """Remove what was discarded: all is published."""
        for path in self.discarded:
            path.unlink(missing_ok=True)

    def delete(self, dataset: str, where: str) -> None:
        """Delete the rows for which an SQL condition of our own is true."""
        self._delete(dataset, f"WHERE {where}")

    def drop(self, dataset: str) -> None:
        """Drop a table; earlier snapshots still show it."""
        self._connection.execute(f"DROP TABLE IF EXISTS {_table(dataset)}")

    def flush(self) -> None:
        """Write rows that are kept in the catalogue to files."""
        self._connection.execute(_ALONE)
        self._connection.execute("CALL ducklake_flush_inlined_data('lake')")

    def merge(self, dataset: str, max_file_bytes: int) -> None:
        """Make one file of adjacent smaller ones. What changed when is still known, so change feeds stay true.

        Nothing else can be done in the same transaction but this and `rewrite`.
        """
        where = f"'lake', {literal(stem_of(dataset))}, schema => {literal(zone_of(dataset))}"
        self._connection.execute(f"CALL ducklake_merge_adjacent_files({where}, max_file_size => {max_file_bytes})")

    def rewrite(self, dataset: str) -> None:
        """Write files again without their deleted rows. A change feed then tells of changes that were none."""
        where = f"'lake', {literal(stem_of(dataset))}, schema => {literal(zone_of(dataset))}"
        self._connection.execute(f"CALL ducklake_rewrite_data_files({where}, delete_threshold => 0.1)")

    def expire(self, snapshots: Sequence[int]) -> None:
        """Forget snapshots; files that no other one needs are scheduled for removal."""
        if snapshots:
            self._connection.execute(_ALONE)
            self._connection.execute(f"CALL ducklake_expire_snapshots('lake', versions => {list(snapshots)})")

    def forget_scheduled(self, files: Sequence[int]) -> None:
        """Take files off the list of those to be removed."""
        numbers = ", ".join(str(number) for number in files)
        schema = f"__ducklake_metadata_lake.{quoted(self._site.books.schema)}"
        scheduled = f"{schema}.ducklake_files_scheduled_for_deletion"
        self._connection.execute(f"DELETE FROM {scheduled} WHERE data_file_id IN ({numbers})")

    def _schema(self, zone: str) -> None:
        if zone not in self._schemas:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS lake.{quoted(zone)}")
            self._schemas.add(zone)


class Lake:
    """A lake attached to an engine's connection as `lake`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        site: Site,
        *,
        read_only: bool = False,
        snapshot: int | None = None,
    ) -> None:
        self._connection = connection
        self._snapshot = snapshot
        self.site = site
        attach(connection, site, read_only=read_only, snapshot=snapshot)

    @property
    def snapshot(self) -> tuple[str, int]:
        """The lake's identity and its last snapshot, or the one to which it is attached."""
        known = last_snapshot(self.site)
        if known is None:
            raise LakeError(f"The lake in {self.site.books.place} has no catalogue. Check it: backbone doctor")
        return known if self._snapshot is None else (known[0], self._snapshot)

    def records(self, query: str) -> list[dict[str, object]]:
        """The rows of a query of our own, by column name.

        Raises:
            LakeError: the lake can't answer: something of it is missing or damaged.
        """
        names, rows = self._asked(query)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _asked(self, query: str) -> tuple[list[str], list[tuple[object, ...]]]:
        """The columns and rows of a query of our own.

        Raises:
            LakeError: the lake can't answer, or a file can't be written.
        """
        cursor = self._connection.cursor()
        silence(cursor)
        try:
            rows = cursor.execute(query).fetchall()
        except duckdb.Error as error:
            kind = StoreError if refused_by_store(error) else LakeError
            raise kind(f"The lake can't be read: {told(error, self.site)}") from error
        return [column[0] for column in cursor.description or ()], rows

    def is_as_in(self, dataset: str, snapshot: int) -> bool:
        """Whether a table has the rows that it had in a snapshot. It must have had the columns that it has now."""
        now, then = _table(dataset), f"{_table(dataset)} AT (VERSION => {snapshot})"
        names = self._columns(dataset)
        counts = f"SELECT (SELECT count(*) FROM {now}) = (SELECT count(*) FROM {then})"
        lost = f"SELECT 1 FROM (SELECT {names} FROM {then} EXCEPT ALL SELECT {names} FROM {now}) LIMIT 1"
        return self._asked(counts)[1] == [(True,)] and not self._asked(lost)[1]

    def copy_former(self, dataset: str, snapshot: int, path: Path) -> bool:
        """Write the rows that a table had in a snapshot to a Parquet file, if they aren't those that it has now."""
        if self.is_as_in(dataset, snapshot):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        then = f"SELECT {self._columns(dataset)} FROM {_table(dataset)} AT (VERSION => {snapshot})"
        self._asked(f"COPY ({then}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        return True

    def _columns(self, dataset: str) -> str:
        return ", ".join(quoted(str(row[0])) for row in self._asked(f"DESCRIBE {_table(dataset)}")[1])

    def has(self, dataset: str) -> bool:
        """Whether there is such a table."""
        return has_dataset(self.site, dataset, self._snapshot)

    def attach_upstream(self, site: Site) -> None:
        """Attach another project's lake, read-only, as `upstream`."""
        attach(self._connection, site, name="upstream", read_only=True)

    def transaction(self, run: str, kind: str = "run") -> AbstractContextManager[Transaction]:
        """See `transaction`."""
        return transaction(self._connection, self.site, run, kind)

    def publish(self, run: str, work: Callable[[Transaction], T], kind: str = "run") -> T:
        """Do work in one transaction, all of it again where others or the network came in between.

        `work` must do the same whenever it is called: files that are of no use once it is published, it discards
        through the transaction.

        Raises:
            LakeError: it can't be published; nothing has changed.
        """
        tries, first = Tries[T](self.site, f"{kind} {run}"), True
        while True:
            try:
                if not first:  # with new connections: those of before may have been cut
                    if done := tries.committed():
                        return done[0]
                    self._connection.execute("DETACH DATABASE IF EXISTS lake")
                    attach(self._connection, self.site)
                with self.transaction(run, kind) as transaction:
                    result = work(transaction)
                    tries.note(transaction, result)
            except LakeError as error:
                tries.wait(error)
                first = False
            else:
                tries.tidy()
                return result


@contextmanager
def transaction(
    connection: duckdb.DuckDBPyConnection, site: Site, run: str, kind: str = "run"
) -> Iterator[Transaction]:
    """One transaction on the attached lake: committed at the end of the block, rolled back on any error.

    The lock is held from before BEGIN to after COMMIT: locking only the commit would fail.

    Raises:
        LakeError: it can't be committed; nothing has changed.
    """
    message = f"{kind} {run}"
    with site.books.publishing() as hold:
        known = last_snapshot(site)
        if known is None:
            raise LakeError(f"The lake in {site.books.place} has no catalogue. Check it: backbone doctor")
        threads = connection.execute("SELECT current_setting('threads')").fetchone()
        changes = Transaction(connection, site, known[1])
        reach(connection, site)
        try:
            connection.execute("BEGIN")
            yield changes
            connection.execute(
                f"CALL lake.set_commit_message('backbone', {literal(message)}, extra_info => {literal(run)})"
            )
            connection.execute(_ALONE)
            hold.check()
            _commit(connection, site, message, known[1])
        except BaseException as error:
            # After an error the transaction is dead until it is rolled back; it may be gone already.
            with suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            if not isinstance(error, duckdb.Error):
                raise
            said = trouble(error, site.folder) or site.books.told(str(error))
            raise LakeError(f"Nothing could be published: {said}") from error
        finally:
            with suppress(duckdb.Error):
                connection.execute(f"SET threads = {threads[0] if threads else 1}")
    changes.finish()


def _commit(connection: duckdb.DuckDBPyConnection, site: Site, message: str, base: int) -> None:
    """Commit. Where the connection is lost meanwhile, the catalogue tells whether it was done."""
    try:
        connection.execute("COMMIT")
    except duckdb.Error:
        if not site.books.shared or committed_as(site, message, base) is None:
            raise
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")


def _patterns(files: Sequence[Path]) -> list[str]:
    """One pattern for all files where it means just these: DuckLake looks at them at once, ten times as quickly."""
    paths = [str(path) for path in files]
    together = f"{commonprefix(paths)}*.parquet"  # noqa: RUF071 - names are to begin alike
    folder, _, names = together.rpartition("/")
    if not paths[1:] or has_magic(together[: -len("*.parquet")]) or set(Path(folder).glob(names)) != set(files):
        return paths
    return [together]


def _table(dataset: str) -> str:
    return f"lake.{quoted_dataset(dataset)}"


def _columns(relation: Relation) -> str:
    return ", ".join(f"{quoted(a.name)} {sql_type(a.domain)}" for a in relation.attributes)


def _plain(row: Mapping[str, object], relation: Relation) -> dict[str, object]:
    """A row with a value for every column; JSON text as what it stands for, so that it isn't quoted once more."""
    values = {a.name: row.get(a.name) for a in relation.attributes}
    texts = {a.name: values[a.name] for a in relation.attributes if a.domain == "json"}
    return values | {name: json.loads(text) for name, text in texts.items() if isinstance(text, str)}
