"""Quick looks into a lake's catalogue, without an engine. Every query runs on SQLite and on PostgreSQL.

The tables are those of DuckLake's specification 1.0; an entry lives from `begin_snapshot` to before `end_snapshot`.
"""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from backbone.errors import LakeError, UsageError
from backbone.lake.books import Rows
from backbone.lake.site import Site

LIVE = "{0}.begin_snapshot <= :at AND ({0}.end_snapshot IS NULL OR {0}.end_snapshot > :at)"
"""Whether a row of the catalogue, of the alias that is filled in, belongs to snapshot `:at`."""

_EVER = 2**62
"""Later than any snapshot: what is live then is live now."""


def reading(site: Site) -> AbstractContextManager[Rows]:
    """The catalogue, to be read as it is at one moment."""
    return site.books.reading()


def last_snapshot(site: Site) -> tuple[str, int] | None:
    """The lake's identity and its last snapshot, or None where there is no lake yet."""
    return site.books.last_snapshot()


def present_snapshot(site: Site) -> int:
    """The lake's last snapshot.

    Raises:
        LakeError: there is no lake.
    """
    known = last_snapshot(site)
    if known is None:
        raise LakeError(f"There is no lake in {site.books.place}. Make it: backbone run")
    return known[1]


def is_finished(site: Site) -> bool:
    """Whether a lake is there and all that it begins with, up to the option that is set last."""
    if last_snapshot(site) is None:
        return False
    last = "SELECT 1 FROM ducklake_metadata WHERE key = 'data_inlining_row_limit' AND scope = 'schema'"
    with reading(site) as connection:
        return connection.execute(last).fetchone() is not None


def snapshot_at(site: Site, moment: str) -> int:
    """The snapshot that `moment` names: its number, or the last one not after an ISO time (UTC).

    Raises:
        UsageError: there is no such snapshot, or the clock jumped, so that the time doesn't tell which one it is.
    """
    known = snapshots(site)
    number = int(moment) if moment.isdigit() else _last_until(_time_of(moment), known)
    if number in known:
        return number
    if number is not None and 0 <= number < max(known):
        raise UsageError(f"Snapshot {number} is kept no longer. Those that are: {_listed(known)}")
    raise UsageError(f"There is no snapshot {moment}. Those there are: backbone history")


def _last_until(time: datetime, known: Mapping[int, datetime]) -> int | None:
    """The last snapshot not after a time: one that has expired where there may have been one.

    Raises:
        UsageError: the clock jumped, so that the time doesn't tell.
    """
    before = [number for number, at in known.items() if at <= time]
    later = [number for number, at in known.items() if at > time]
    if before and later and min(later) < max(before):
        raise UsageError(
            f"The clock was set back between snapshots {min(later)} and {max(before)}, so {time.isoformat()} may mean "
            "either. Name one by its number: backbone history"
        )
    if not before or max(before) == max(known) or max(before) + 1 in known:
        return max(before, default=None)
    return max(before) + 1


def _listed(known: Collection[int]) -> str:
    numbers = sorted(known)
    first = next(n for n in numbers if n and all(m in known for m in range(n, numbers[-1])))
    alone = [str(n) for n in numbers if 0 < n < first]
    return ", ".join([*alone[:5], f"{first} to {numbers[-1]}"])


def _time_of(moment: str) -> datetime:
    """A time as people write it, in UTC where they don't say.

    Raises:
        UsageError: it is none.
    """
    try:
        time = datetime.fromisoformat(moment)
    except ValueError as error:
        raise UsageError(
            f"'{moment}' is neither a snapshot's number nor a time such as 2026-03-02T09:14. "
            "Which there are: backbone history"
        ) from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def snapshots(site: Site) -> dict[int, datetime]:
    """The snapshots that can be read, by number, each with its time."""
    with reading(site) as connection:
        rows = connection.execute("SELECT snapshot_id, snapshot_time FROM ducklake_snapshot ORDER BY 1").fetchall()
    return {number: catalogue_time(text) for number, text in rows}


def catalogue_time(time: str | datetime) -> datetime:
    """A time as DuckLake writes it: `2026-11-22 23:54:59.694972+00` where the catalogue has no times but texts."""
    return (datetime.fromisoformat(time) if isinstance(time, str) else time).astimezone(UTC)


def datasets_at(site: Site, snapshot: int) -> dict[str, tuple[tuple[str, str], ...]]:
    """All datasets of a snapshot, as `zone.name`, with their columns and DuckLake's types."""
    query = f"""
        SELECT s.schema_name || '.' || t.table_name, c.column_name, c.column_type
        FROM ducklake_table t
        JOIN ducklake_schema s USING (schema_id)
        JOIN ducklake_column c USING (table_id)
        WHERE {LIVE.format("t")} AND {LIVE.format("c")} AND {LIVE.format("s")} AND c.parent_column IS NULL
        ORDER BY 1, c.column_order"""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    with reading(site) as connection:
        for dataset, column, kind in connection.execute(query, {"at": snapshot}):
            found[dataset] = (*found.get(dataset, ()), (column, kind))
    return found


def has_dataset(site: Site, dataset: str, snapshot: int | None = None) -> bool:
    """Whether there is such a table, now or in a snapshot; DuckDB's own list would take seconds."""
    query = f"""
        SELECT 1 FROM ducklake_table t JOIN ducklake_schema s USING (schema_id)
        WHERE s.schema_name || '.' || t.table_name = :dataset AND {LIVE.format("t")} AND {LIVE.format("s")}"""
    at = _EVER if snapshot is None else snapshot
    with reading(site) as connection:
        return connection.execute(query, {"dataset": dataset, "at": at}).fetchone() is not None


def registered_files(site: Site) -> set[str]:
    """Every data and delete file that the catalogue knows, relative to the lake's `tables` folder.

    Among them those that it has replaced and will remove: readers at an earlier snapshot may still need them.
    """
    query = """
        SELECT s.path || t.path || f.path FROM {0} f JOIN ducklake_table t USING (table_id)
        JOIN ducklake_schema s USING (schema_id) WHERE f.path_is_relative"""
    queries = [query.format("ducklake_data_file"), query.format("ducklake_delete_file")]
    queries.append("SELECT path FROM ducklake_files_scheduled_for_deletion WHERE path_is_relative")
    with reading(site) as connection:
        return {path for each in queries for (path,) in connection.execute(each)}


def dataset_bytes(site: Site, snapshot: int) -> dict[str, int]:
    """The size of each dataset's data files at a snapshot, in bytes."""
    query = f"""
        SELECT s.schema_name || '.' || t.table_name, CAST(sum(f.file_size_bytes) AS BIGINT)
        FROM ducklake_data_file f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
        WHERE {LIVE.format("f")} AND {LIVE.format("t")} GROUP BY 1"""
    with reading(site) as connection:
        return dict(connection.execute(query, {"at": snapshot}))


def last_commits(site: Site, limit: int = 50) -> list[tuple[int, str]]:
    """The last snapshots that runs made, each with the run's id, newest first."""
    if last_snapshot(site) is None:
        return []
    query = """
        SELECT snapshot_id, commit_extra_info FROM ducklake_snapshot_changes WHERE commit_extra_info IS NOT NULL
        ORDER BY snapshot_id DESC LIMIT ?"""
    with reading(site) as connection:
        return connection.execute(query, (limit,)).fetchall()


def committed_runs(site: Site) -> set[str]:
    """The ids of all runs that published a snapshot, from their commits' extra information."""
    if last_snapshot(site) is None:
        return set()
    with reading(site) as connection:
        rows = connection.execute(
            "SELECT commit_extra_info FROM ducklake_snapshot_changes WHERE commit_extra_info IS NOT NULL"
        )
        return {run for (run,) in rows}
