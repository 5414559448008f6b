"""Changing a lake: what becomes visible together, or not at all."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from glob import has_magic
from os.path import commonprefix
from pathlib import Path

import duckdb

from backbone.errors import LakeError
from backbone.lake.attaching import INLINED_ROWS
from backbone.lake.catalogue import dataset_bytes, last_snapshot
from backbone.lake.remote import reach
from backbone.lake.retrying import committed_as
from backbone.lake.site import Site
from backbone.model.domains import sql_type
from backbone.model.names import literal, parquet_table, quoted, quoted_dataset, stem_of, zone_of
from backbone.model.relations import Relation
from backbone.model.steps import Removal
from backbone.troubles import trouble

_ALONE = "SET threads = 1"
"""While the catalogue is written: the scanner then reads with the connection that writes, which threads can't share.

And while rows are flushed from it (ADR 30): a flush of many tables is one plan, whose parts note what they have flushed
in one list of DuckLake's, without a lock. Two that did so at once damaged the heap of the process.
"""


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
        self._connection.execute(f"CREATE OR REPLACE TABLE {table(dataset)} ({_columns(relation)})")
        self._add(dataset, files)

    def change(
        self, dataset: str, new: Relation, *, removed: Sequence[Removal] = (), files: Sequence[Path] = ()
    ) -> None:
        """Remove and add rows of a dataset; columns of `new` that it lacks are added, NULL in earlier rows."""
        known = {row[0] for row in self._connection.execute(f"DESCRIBE {table(dataset)}").fetchall()}
        for attribute in new.attributes:
            if attribute.name not in known:
                column = f"{quoted(attribute.name)} {sql_type(attribute.domain)}"
                self._connection.execute(f"ALTER TABLE {table(dataset)} ADD COLUMN {column}")
        for removal in removed:
            equal = " AND ".join(f"t.{quoted(c)} IS NOT DISTINCT FROM r.{quoted(c)}" for c in removal.columns)
            self._delete(dataset, f"AS t USING {parquet_table(removal.paths)} AS r WHERE {equal}")
        self._add(dataset, files)

    def _delete(self, dataset: str, which: str) -> None:
        """Delete rows; the lake writes files that name them at once, before the transaction ends.

        It doesn't tell their names before that, so they are those that weren't there.
        """
        before = self._delete_files(dataset)
        self._connection.execute(f"DELETE FROM {table(dataset)} {which}")
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
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table(dataset)} ({_columns(relation)})")

    def insert(self, dataset: str, relation: Relation, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert plain values (what JSON can hold, and datetimes) into a table; `json` columns take JSON text."""
        if rows:
            shape = json.dumps([{a.name: sql_type(a.domain) for a in relation.attributes}])
            text = json.dumps([_plain(row, relation) for row in rows], default=str)
            values = f"unnest(from_json_strict({literal(text)}, {literal(shape)}), max_depth := 2)"
            self._connection.execute(f"INSERT INTO {table(dataset)} BY NAME SELECT {values}")

    def insert_file(self, dataset: str, path: Path) -> None:
        """Insert a Parquet file's rows: few into the catalogue (the file goes), many by registering the file."""
        source = f"read_parquet({literal(str(path))})"
        counted = self._connection.execute(f"SELECT count(*) FROM {source}").fetchone()
        if counted and counted[0] > INLINED_ROWS:
            self._add(dataset, [path])
            return
        self._connection.execute(f"INSERT INTO {table(dataset)} BY NAME SELECT * FROM {source}")
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
        self._connection.execute(f"DROP TABLE IF EXISTS {table(dataset)}")

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


def table(dataset: str) -> str:
    """A dataset's name in SQL."""
    return f"lake.{quoted_dataset(dataset)}"


def _columns(relation: Relation) -> str:
    return ", ".join(f"{quoted(a.name)} {sql_type(a.domain)}" for a in relation.attributes)


def _plain(row: Mapping[str, object], relation: Relation) -> dict[str, object]:
    """A row with a value for every column; JSON text as what it stands for, so that it isn't quoted once more."""
    values = {a.name: row.get(a.name) for a in relation.attributes}
    texts = {a.name: values[a.name] for a in relation.attributes if a.domain == "json"}
    return values | {name: json.loads(text) for name, text in texts.items() if isinstance(text, str)}
