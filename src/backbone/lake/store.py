"""A lake: what it holds and held, and how it is changed."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

import duckdb

from backbone.engine.duckdb.extensions import silence
from backbone.errors import LakeError, StoreError
from backbone.lake.attaching import attach, told
from backbone.lake.catalogue import has_dataset, last_snapshot
from backbone.lake.retrying import Tries
from backbone.lake.site import Site
from backbone.lake.transactions import Transaction, table, transaction
from backbone.model.names import literal, quoted
from backbone.troubles import refused_by_store

T = TypeVar("T")


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
        now, then = table(dataset), f"{table(dataset)} AT (VERSION => {snapshot})"
        names = self._columns(dataset)
        counts = f"SELECT (SELECT count(*) FROM {now}) = (SELECT count(*) FROM {then})"
        lost = f"SELECT 1 FROM (SELECT {names} FROM {then} EXCEPT ALL SELECT {names} FROM {now}) LIMIT 1"
        return self._asked(counts)[1] == [(True,)] and not self._asked(lost)[1]

    def copy_former(self, dataset: str, snapshot: int, path: Path) -> bool:
        """Write the rows that a table had in a snapshot to a Parquet file, if they aren't those that it has now."""
        if self.is_as_in(dataset, snapshot):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        then = f"SELECT {self._columns(dataset)} FROM {table(dataset)} AT (VERSION => {snapshot})"
        self._asked(f"COPY ({then}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd)")
        return True

    def _columns(self, dataset: str) -> str:
        return ", ".join(quoted(str(row[0])) for row in self._asked(f"DESCRIBE {table(dataset)}")[1])

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
