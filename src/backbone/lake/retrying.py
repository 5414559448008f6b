"""What to do about a transaction that failed for a reason that passes: another was quicker, a connection was cut."""

import random
import re
import time
from typing import TYPE_CHECKING, Generic, TypeVar

import duckdb

from backbone.errors import LakeError
from backbone.lake.catalogue import present_snapshot, reading
from backbone.lake.site import Site

if TYPE_CHECKING:
    from backbone.lake.transactions import Transaction

T = TypeVar("T")

PAUSES = (0.1, 0.3, 1.0, 3.0, 6.0, 10.0)
"""How long to wait before each further try, in seconds, half as much more or less. A server that restarts is back."""
_PASSING = re.compile(
    "Transaction conflict|database is locked|Exceeded the maximum retry count|could not serialize|deadlock detected|"
    "server closed the connection|terminating connection|connection to server|no connection to the server|"
    "SSL connection has been closed|Connection refused|Connection reset|could not receive data|could not send data|"
    "the database system is (?:starting up|shutting down|in recovery mode)|too many clients",
    re.IGNORECASE,
)
_WRITTEN_BY_LAKE = "-delete.parquet"


class Tries(Generic[T]):
    """The tries of one transaction, of which one at most is committed.

    One whose connection was cut may be committed all the same, even a moment after its client gave it up. So before
    each further try the catalogue is asked for it; and if it is committed after that, the further one isn't: both
    would be the same snapshot.
    """

    def __init__(self, site: Site, message: str) -> None:
        self._site, self._message = site, message
        self._pauses = iter(PAUSES if site.books.shared else ())
        self._base = present_snapshot(site) if site.books.shared else 0
        self._made: list[tuple[Transaction, T]] = []

    def note(self, transaction: "Transaction", result: T) -> None:
        """Remember what a try came to, before it is committed."""
        self._made.append((transaction, result))

    def committed(self) -> tuple[T] | None:
        """What the try came to that was committed though it seemed to fail; None if there is none.

        Raises:
            LakeError: nobody can tell, for the catalogue can't be reached any more, or tells of what wasn't tried.
        """
        if not self._made or (snapshot := committed_as(self._site, self._message, self._base)) is None:
            return None
        for transaction, result in self._made:
            if transaction.snapshot == snapshot:
                transaction.finish()
                return (result,)
        raise LakeError(
            f"{self._message} became snapshot {snapshot}, under which nothing was written down of it. What is there "
            "now says: backbone doctor"
        )

    def wait(self, error: LakeError) -> None:
        """Wait before the next try.

        Raises:
            LakeError: there is none: `error` doesn't pass.
        """
        pause = next(self._pauses, None) if _is_passing(error) else None
        if pause is None:
            raise error
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - so that two who collided don't again

    def tidy(self) -> None:
        """Remove what the lake wrote for tries before the last one, which is committed: they never can be any more."""
        if len(self._made) > 1:
            kept = {name for _, name in self._made[-1][0].files}
            names = {name for transaction, _ in self._made[:-1] for _, name in transaction.files}
            self._site.data.remove([name for name in names - kept if name.endswith(_WRITTEN_BY_LAKE)])


def _is_passing(error: LakeError) -> bool:
    """Whether the same transaction may well succeed in a moment. Where a commit fails, DuckDB often tells no more."""
    return isinstance(error.__cause__, duckdb.TransactionException) or _PASSING.search(str(error)) is not None


def committed_as(site: Site, message: str, base: int) -> int | None:
    """The snapshot after `base` that a transaction became, though its connection was lost meanwhile; None if none.

    Raises:
        LakeError: nobody can tell, for the catalogue can't be reached any more.
    """
    query = "SELECT snapshot_id FROM ducklake_snapshot_changes WHERE snapshot_id > ? AND commit_message = ?"
    for pause in (*PAUSES, None):
        try:
            with reading(site) as rows:
                found = rows.execute(query, (base, message)).fetchone()
            return int(found[0]) if found else None
        except LakeError as error:
            if pause is None:
                raise LakeError(
                    f"The connection was lost while {message} was committed. Whether it was says, when the catalogue "
                    f"can be reached again: backbone history. ({error})"
                ) from error
            time.sleep(pause)
    raise AssertionError
