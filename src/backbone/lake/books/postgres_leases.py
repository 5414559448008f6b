"""Leases in PostgreSQL: a row for each, and an advisory lock that says whether who took it still lives.

A process has one connection for all its leases. If it is cut, they count no longer until the next one is taken: what
is read then is as safe as without a lease.
"""

import atexit
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any

from backbone.engine.postgres import Database, who_of
from backbone.engine.postgres_locks import HELD, Wanted, held, lock_number
from backbone.errors import ForbiddenError
from backbone.lake.books.protocol import Holder, Lease

if TYPE_CHECKING:
    import psycopg

GUARD = "readers"
_COLUMNS = "lease, lock, snapshot, last, who, since, pinned"
_ROW = f"""
    INSERT INTO backbone_lease ({_COLUMNS})
    VALUES (%s, %s, %s, %s, regexp_replace(current_setting('application_name'), '^backbone, ', ''), now(), false)
    ON CONFLICT (lease) DO NOTHING"""
_PIN = f"""
    INSERT INTO backbone_lease ({_COLUMNS}) VALUES (?, 0, ?, ?, ?, now(), true)
    ON CONFLICT (lease) DO UPDATE SET snapshot = excluded.snapshot, last = excluded.last, since = excluded.since"""
_COUNTING = f"pinned OR {HELD.format('lock')}"


class Leases:
    """The leases of this process in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._mine: dict[str, tuple[int, int]] = {}
        self._returned: deque[str] = deque()

    def take(self, choose: Callable[[], int], last: Callable[[], int]) -> Lease:
        """Hold the snapshot that `choose` returns; `last` tells the lake's last snapshot.

        A role that may only read has no lease.
        """
        import psycopg

        lease, guard = secrets.token_hex(8), lock_number(self._database, GUARD)
        with self._lock, self._database.explained():
            connection = self._opened()
            try:
                connection.execute("BEGIN")
                connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (guard,))
                snapshot = choose()
                known = last()
                self._write(connection, lease, snapshot, known)
                connection.execute("COMMIT")
                self._mine[lease] = (snapshot, known)
            except BaseException as error:
                self._undo(connection, lease)
                if isinstance(error, psycopg.errors.InsufficientPrivilege | psycopg.errors.ReadOnlySqlTransaction):
                    return Lease(snapshot)
                raise
        return Lease(snapshot, partial(self._give_back, lease, os.getpid()))

    def _undo(self, connection: "psycopg.Connection[Any]", lease: str) -> None:
        """Leave nothing of a lease that wasn't taken: its row goes with the transaction, its lock would not."""
        import psycopg

        self._mine.pop(lease, None)
        with suppress(psycopg.Error):  # cut, and all of it gone
            connection.execute("ROLLBACK")
            self._unlock(connection, lease)

    def _write(self, connection: "psycopg.Connection[Any]", lease: str, snapshot: int, last: int) -> None:
        number = lock_number(self._database, f"lease {lease}")
        connection.execute("SELECT pg_advisory_lock(%s)", (number,))
        connection.execute(_ROW.encode(), (lease, number, snapshot, last))

    def _opened(self) -> "psycopg.Connection[Any]":
        """The connection; where it was cut, another that has all leases again."""
        import psycopg

        if self._connection is not None:
            with suppress(psycopg.Error):
                self._drain(self._connection)
                self._connection.execute("SELECT 1")
                return self._connection
            self._connection.close()
        self._connection = self._database.connect()
        for lease, (snapshot, last) in self._mine.items():
            self._write(self._connection, lease, snapshot, last)
        return self._connection

    def _give_back(self, lease: str, owner: int) -> None:
        """End a lease, soon: the interpreter may call this in the midst of anything, taking a lease too."""
        if os.getpid() != owner:  # a forked process goes away without taking its parent's lease with it
            return
        self._returned.append(lease)
        if self._lock.acquire(blocking=False):
            import psycopg

            try:
                if self._connection is not None:
                    with suppress(psycopg.Error):
                        self._drain(self._connection)
            finally:
                self._lock.release()

    def _drain(self, connection: "psycopg.Connection[Any]") -> None:
        while self._returned:
            lease = self._returned.popleft()
            self._mine.pop(lease, None)
            connection.execute("DELETE FROM backbone_lease WHERE lease = %s", (lease,))
            self._unlock(connection, lease)

    def _unlock(self, connection: "psycopg.Connection[Any]", lease: str) -> None:
        connection.execute("SELECT pg_advisory_unlock(%s)", (lock_number(self._database, f"lease {lease}"),))

    def pin(self, reader: str, snapshot: int) -> None:
        """Hold a snapshot for a project elsewhere, in place of the one that it held before."""
        lease = f"project-{sha256(reader.encode()).hexdigest()[:16]}"
        with suppress(ForbiddenError), self._database.writing() as rows:  # a lake that others may only read
            rows.execute(_PIN, (lease, snapshot, snapshot, f"project {reader}"))

    def all(self) -> list[Holder]:
        """All leases that count, of whatever process."""
        found = self._database.rows(
            f"SELECT snapshot, last, who, since, NOT pinned FROM backbone_lease WHERE {_COUNTING} ORDER BY since"
        )
        return [Holder(snapshot, last, who_of(who), since, alive) for snapshot, last, who, since, alive in found]

    def close(self) -> None:
        """Let go of all."""
        if self._connection is not None:
            self._connection.close()


@contextmanager
def without_new(database: Database) -> Iterator[list[Holder]]:
    """Who holds what, while nobody can take a lease. Rows of the dead go."""
    with held(database, [Wanted(GUARD)]):
        with database.writing() as rows:
            rows.execute(f"DELETE FROM backbone_lease WHERE NOT ({_COUNTING})")
        yield leases_of(database).all()


_LEASES: dict[tuple[int, Database], Leases] = {}


def leases_of(database: Database) -> Leases:
    """The leases of this process; one that was forked has its own."""
    key = (os.getpid(), database)
    if key not in _LEASES:
        made = _LEASES.setdefault(key, Leases(database))
        atexit.register(_close, made, os.getpid())
    return _LEASES[key]


def _close(leases: Leases, owner: int) -> None:
    if os.getpid() == owner:
        leases.close()
