"""Locks between processes on any machines: advisory locks of a database, freed when the connection that has them ends.

Each set of locks has a connection of its own. If that is cut, others may have the locks: so before anything is
published, those that this process holds are asked for once more.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from backbone.engine.postgres import Database, who_of
from backbone.errors import BusyError, LakeError

if TYPE_CHECKING:
    import psycopg

_PATIENCE = "600s"
"""How long a lock is waited for that nobody holds for long."""
_LOCKS = """
    FROM pg_locks l WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = {0}"""
_GONE = "another process"
"""Who held a lock and has let go of it before it could be asked who that is."""
HELD = f"EXISTS (SELECT {_LOCKS})"
"""Whether anybody holds the lock of a number that is filled in."""
_HOLDERS = f"""
    SELECT DISTINCT a.application_name FROM pg_stat_activity a
    WHERE a.pid IN (SELECT l.pid {_LOCKS.format("%s")}) ORDER BY 1"""

OnWait = Callable[[str], None]
_MINE: dict[tuple[int, Database], list["psycopg.Connection[Any]"]] = {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A lock by its name. Any number of holders may have it `shared`, or one alone."""

    name: str
    shared: bool = False


def lock_number(database: Database, name: str) -> int:
    """The number of a lock: those of different schemas differ."""
    digest = blake2b(f"{database.schema}\0{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@contextmanager
def held(
    database: Database,
    wanted: Sequence[Wanted],
    *,
    on_wait: OnWait | None = None,
    wait: bool = True,
) -> Iterator["psycopg.Connection[Any]"]:
    """Hold locks, taken in this order. Without `on_wait` nobody holds them for long, and patience ends.

    Yields:
        The connection that has them.

    Raises:
        BusyError: somebody else has one, and `wait` is False.
        LakeError: it takes too long, or the database can't be reached.
    """
    mine = _MINE.setdefault((os.getpid(), database), [])
    connection = database.connect()
    try:
        for one in wanted:
            _take(connection, database, one, on_wait, wait=wait)
        mine.append(connection)
        try:
            yield connection
        finally:
            mine.remove(connection)
            _release(connection)
    finally:
        connection.close()


def _release(connection: "psycopg.Connection[Any]") -> None:
    """Give all locks back now: the server notices only later that a connection was closed."""
    import psycopg

    with suppress(psycopg.Error):  # cut already, and the locks with it
        connection.execute("SELECT pg_advisory_unlock_all()")


def _take(
    connection: "psycopg.Connection[Any]", database: Database, one: Wanted, on_wait: OnWait | None, *, wait: bool
) -> None:
    import psycopg

    number, kind = lock_number(database, one.name), "_shared" if one.shared else ""
    with database.explained():
        if _asked(connection, f"SELECT pg_try_advisory_lock{kind}(%s)", number):
            return
        who = holders(connection, number) or _GONE
        if not wait:
            raise BusyError(f"Another run is under way, {who}, and you asked not to wait for it")
        if on_wait:  # a run may take hours, and whoever waits for it is told
            on_wait(who)
        try:
            connection.execute(f"SET lock_timeout = '{'0' if on_wait else _PATIENCE}'")
            connection.execute(f"SELECT pg_advisory_lock{kind}(%s)".encode(), (number,))
        except psycopg.errors.LockNotAvailable:
            raise LakeError(
                f"{holders(connection, number) or _GONE} has held a lock in {database.place} for {_PATIENCE}. "
                "Which connection: pg_stat_activity"
            ) from None


def try_lock(connection: "psycopg.Connection[Any]", database: Database, name: str) -> bool:
    """Take one more lock on a connection that holds locks, if nobody has it."""
    with database.explained():
        return bool(_asked(connection, "SELECT pg_try_advisory_lock(%s)", lock_number(database, name)))


def holders(connection: "psycopg.Connection[Any]", number: int) -> str:
    """Who holds a lock; empty where nobody does."""
    return ", ".join(who_of(name) for (name,) in connection.execute(_HOLDERS.encode(), (number,)))


def _asked(connection: "psycopg.Connection[Any]", query: str, number: int) -> Any:
    row = connection.execute(query.encode(), (number,)).fetchone()
    return row[0] if row else None


def check_held(database: Database) -> None:
    """Make sure that this process still has all locks that it holds.

    Raises:
        LakeError: a connection was cut, and its locks with it.
    """
    import psycopg

    for connection in tuple(_MINE.get((os.getpid(), database), ())):
        try:
            connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise LakeError(
                f"The connection to {database.place} was cut, and with it the locks of this run, which others may have "
                "now. Nothing was published. Again: backbone run"
            ) from error
