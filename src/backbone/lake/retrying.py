"""What to do about a transaction that failed for a reason that passes: another was quicker, a connection was cut."""

import re
import time

import duckdb

from backbone.errors import LakeError
from backbone.lake.catalogue import reading
from backbone.lake.site import Site

RETRIES = (0.1, 0.3, 1.0, 3.0, 6.0, 10.0)
"""How long to wait before each further try, in seconds, half as much more or less. A server that restarts is back."""
_PASSING = re.compile(
    "Transaction conflict|database is locked|Exceeded the maximum retry count|could not serialize|deadlock detected|"
    "server closed the connection|terminating connection|connection to server|no connection to the server|"
    "SSL connection has been closed|Connection refused|Connection reset|could not receive data|could not send data|"
    "the database system is (?:starting up|shutting down|in recovery mode)|too many clients",
    re.IGNORECASE,
)


def is_passing(error: LakeError) -> bool:
    """Whether the same transaction may well succeed in a moment.

    Where a commit fails, DuckDB often tells no more than that.
    """
    return isinstance(error.__cause__, duckdb.TransactionException) or _PASSING.search(str(error)) is not None


def is_committed(site: Site, message: str, base: int) -> bool:
    """Whether a transaction was committed after snapshot `base`, though its connection was lost meanwhile.

    Raises:
        LakeError: nobody can tell, for the catalogue can't be reached any more.
    """
    query = "SELECT 1 FROM ducklake_snapshot_changes WHERE snapshot_id > ? AND commit_message = ?"
    for pause in (*RETRIES, None):
        try:
            with reading(site) as rows:
                return rows.execute(query, (base, message)).fetchone() is not None
        except LakeError as error:
            if pause is None:
                raise LakeError(
                    f"The connection was lost while {message} was committed. Whether it was says, when the catalogue "
                    f"can be reached again: backbone history. ({error})"
                ) from error
            time.sleep(pause)
    raise AssertionError
