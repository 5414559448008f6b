"""PostgreSQL databases as origins: read in one transaction that sees one moment, a few thousand rows at a time."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backbone.connectors.secrets import conceal_passwords, concealed
from backbone.errors import MissingExtraError, OriginError
from backbone.model.passwords import without_passwords

if TYPE_CHECKING:
    import psycopg

_TIMEOUT_SECONDS = 10
_AT_ONCE = 2_000


class PostgresReading:
    """Implements `Reading`."""

    mark = "%s"
    binary = ""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection

    @contextmanager
    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[list[str], Iterable[Any]]]:
        """See `Reading`. A value is compared as what the column is: it goes as text."""
        with self._connection.cursor("backbone") as found:
            found.itersize = _AT_ONCE
            texts = [str(value) for value in values]
            found.execute((query.replace("%", "%%").replace("%%s", "%s") if texts else query).encode(), texts or None)
            yield [column.name for column in found.description or ()], found


@contextmanager
def reading_postgres(conninfo: str, told: str) -> Iterator[PostgresReading]:
    """A database at one moment.

    Raises:
        MissingExtraError: psycopg isn't installed.
        OriginError: it can't be reached, or refuses.
    """
    try:
        import psycopg
    except ImportError as error:
        raise MissingExtraError("Reading from PostgreSQL", "postgres") from error
    conceal_passwords(conninfo)
    try:
        with psycopg.connect(conninfo, connect_timeout=_TIMEOUT_SECONDS) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute("SET TimeZone TO 'UTC'")
            yield PostgresReading(connection)
    except psycopg.Error as error:
        said = " ".join(concealed(without_passwords(str(error))).split())
        raise OriginError(
            f"{told} can't be read: {said}. Nothing is lost; once it can be: backbone run"
        ) from None  # its frames have the password in them
