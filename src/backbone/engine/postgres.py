"""PostgreSQL databases in which others read and write at the same time, reached by `psycopg`.

What they hold is read in transactions that see one moment. Connections that were used are kept for the next use, a few
a process: a fork opens its own. Errors name host and database, never how one gets in.
"""

import atexit
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from backbone.errors import ForbiddenError, LakeError, MissingExtraError
from backbone.model.passwords import without_passwords

if TYPE_CHECKING:
    import psycopg

_TIMEOUT_SECONDS = 10
_QUIET_SECONDS = 30
"""After so long without an answer, either side asks whether the other is there: a lost machine frees its locks."""
_SESSION = """
    SELECT set_config('search_path', %(schema)s, false), set_config('TimeZone', 'UTC', false),
        (SELECT count(set_config(name, '0', false)) FROM pg_settings WHERE name = ANY (%(endless)s)),
        (SELECT count(set_config(name, %(quiet)s, false)) FROM pg_settings WHERE name = ANY (%(probing)s))"""
_ENDLESS = ["statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout"]
"""Waiting for a lock may take hours, and a reader may rest: who limits that for others doesn't mean these."""
_PROBING = ["tcp_keepalives_idle", "tcp_keepalives_interval", "client_connection_check_interval"]
_NAMED = re.compile(r"(?<!:):(\w+)")
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Database:
    """A schema in a database. `conninfo` is what libpq understands: a URL, or `key=value` pairs."""

    conninfo: str = field(repr=False)
    schema: str

    @property
    def parameters(self) -> str:
        """How to connect, as `key=value` pairs, with a name by which others know who holds what."""
        return _parameters(self.conninfo, os.getpid())

    @property
    def place(self) -> str:
        """Where it is, as people are told."""
        return f"PostgreSQL at {_host(self.conninfo)}, schema {self.schema}"

    def told(self, text: str) -> str:
        """A text without what lets one in, and not too long: DuckLake quotes all that it sends."""
        for secret in (self.parameters, self.conninfo):
            text = text.replace(secret, "…")
        said = without_passwords(text)
        return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"

    def connect(self) -> "psycopg.Connection[Any]":
        """A connection of one's own, to be closed: each statement a transaction, names looked up in the schema.

        Raises:
            LakeError: the database can't be reached, or lets nobody in.
        """
        import psycopg

        try:
            connection = psycopg.connect(self.parameters, autocommit=True)
            values = {"schema": self.schema, "endless": _ENDLESS, "probing": _PROBING, "quiet": f"{_QUIET_SECONDS}s"}
            connection.execute(_SESSION, values)
        except psycopg.Error as error:
            raise self._unreachable(error) from None  # its frames have the password in them
        return connection

    def _unreachable(self, error: Exception) -> LakeError:
        return LakeError(
            f"{self.place} can't be used: {self._said(error)}. Nothing is lost. How it is reached: "
            "`storage: {catalogue: …}` in backbone.yml. When it can be: backbone run"
        )

    def _said(self, error: Exception) -> str:
        return self.told(" ".join(str(error).split())).rstrip("?.")

    def forbidden(self, doing: str, why: str) -> ForbiddenError:
        """The error that tells people that the role may not."""
        return ForbiddenError(
            f"{self.place} can't be {doing} by this role: {why}. What it must be granted: docs/team.md"
        )

    @contextmanager
    def explained(self, doing: str = "used") -> Iterator[None]:
        """Tell what the database says in the block as an error that people can act on.

        Raises:
            ForbiddenError: the role may not do that, or nothing may be written there.
            LakeError: it can't be reached, the connection is lost, or something else is wrong.
        """
        import psycopg

        try:
            yield
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction) as error:
            raise self.forbidden(doing, self._said(error)) from error
        except psycopg.OperationalError as error:
            raise self._unreachable(error) from error
        except psycopg.Error as error:
            raise LakeError(f"{self.place} can't be {doing}: {self._said(error)}. Check it: backbone doctor") from error

    @contextmanager
    def reading(self) -> Iterator["Moment"]:
        """The database as it is at one moment, to be read.

        Raises:
            LakeError: see `explained`.
        """
        with self._begun("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "read") as moment:
            yield moment

    @contextmanager
    def writing(self) -> Iterator["Moment"]:
        """A transaction: committed at the end of the block, rolled back on any error.

        Raises:
            LakeError: see `explained`.
        """
        with self._begun("BEGIN", "written to") as moment:
            yield moment
            moment.connection.execute("COMMIT")

    def rows(self, query: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Any]:
        """The rows of a query: none where one of its tables isn't there yet.

        Raises:
            LakeError: see `explained`.
        """
        import psycopg

        with self.reading() as moment:
            try:
                return moment.execute(query, values).fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    @contextmanager
    def _begun(self, begin: str, doing: str) -> Iterator["Moment"]:
        with self.explained(doing):
            connection = self._connection_after(begin)
            try:
                yield Moment(connection)
            finally:
                self._put_back(connection)

    def _connection_after(self, begin: str) -> "psycopg.Connection[Any]":
        """A connection in a transaction: one that rests, unless it was cut meanwhile."""
        import psycopg

        idle = _idle(self)
        while idle:
            with suppress(IndexError):  # another thread was quicker
                connection = idle.pop()
                try:
                    connection.execute(begin)
                except psycopg.Error:
                    connection.close()
                else:
                    return connection
        connection = self.connect()
        connection.execute(begin)
        return connection

    def _put_back(self, connection: "psycopg.Connection[Any]") -> None:
        import psycopg

        try:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        else:
            _idle(self).append(connection)


class Moment:
    """A transaction that is asked in the words that SQLite has, too: values stand for `:name` or `?`."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection

    def execute(self, query: str, values: Mapping[str, object] | Sequence[object] = (), /) -> "psycopg.Cursor[Any]":
        """Run one statement."""
        if not values:
            return self.connection.execute(query.encode())
        return self.connection.execute(_translated(query).encode(), values)


_IDLE: dict[tuple[int, Database], list["psycopg.Connection[Any]"]] = {}


def _idle(database: Database) -> list["psycopg.Connection[Any]"]:
    """The connections that rest. Those of the process that this one was forked from are left to it."""
    key = (os.getpid(), database)
    if key not in _IDLE:
        atexit.register(_close_all, key)
    return _IDLE.setdefault(key, [])


def _close_all(key: tuple[int, Database]) -> None:
    if key[0] == os.getpid():
        for connection in _IDLE.pop(key, ()):
            connection.close()


@cache
def _translated(query: str) -> str:
    return _NAMED.sub(r"%(\1)s", query.replace("%", "%%")).replace("?", "%s")


@cache
def _parsed(conninfo: str) -> Mapping[str, Any]:
    """The parts of a connection string.

    Raises:
        LakeError: it is none.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtraError("A catalogue in PostgreSQL", "postgres") from error
    try:
        return psycopg.conninfo.conninfo_to_dict(conninfo)
    except psycopg.Error:  # whose words quote it
        raise LakeError(
            "`storage: {catalogue: 'postgres:…'}` in backbone.yml isn't followed by how to connect. Expected: "
            "postgres:postgresql://USER:PASSWORD@HOST/DATABASE, best from the environment: 'postgres:${PG_URL}'"
        ) from None


@cache
def _parameters(conninfo: str, pid: int) -> str:
    known = _parsed(conninfo)
    import psycopg

    ours = {
        "application_name": f"{_OURS}process {pid} on {socket.gethostname()}"[:63],
        "connect_timeout": _TIMEOUT_SECONDS,
        "keepalives_idle": _QUIET_SECONDS,
        "keepalives_interval": 10,
        "keepalives_count": 3,
    }
    return psycopg.conninfo.make_conninfo("", **{**ours, **known, "application_name": ours["application_name"]})


_OURS = "backbone, "


def who_of(application: str) -> str:
    """The process that a connection's name tells."""
    return application.removeprefix(_OURS)


def _host(conninfo: str) -> str:
    known = _parsed(conninfo)
    host = known.get("host") or known.get("hostaddr") or os.environ.get("PGHOST") or "this machine"
    port = known.get("port") or os.environ.get("PGPORT") or "5432"
    name = known.get("dbname") or os.environ.get("PGDATABASE") or known.get("user") or "its default"
    return f"{host}:{port}, database {name}"
