"""What a lake has piled up, from its catalogue: small files, deleted rows, snapshots, files that nobody needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from backbone.lake.books import Holder
from backbone.lake.catalogue import LIVE, catalogue_time, last_snapshot, present_snapshot, reading
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.model.names import quoted

SMALL_BYTES = 64_000_000
"""Files below this are worth merging."""
_MANY_FILES = 8
_MUCH_DELETED = 0.25
_MANY_DELETE_FILES = 32
_BUSY = 50


@dataclass(frozen=True, slots=True)
class Pieces:
    """The files that hold one dataset now. `small` counts those that can be merged, without deleted rows."""

    files: int
    small: int
    delete_files: int
    deleted_rows: int
    rows: int
    bytes: int

    @property
    def mergeable(self) -> bool:
        """Whether there are so many small files that merging them is worth its while."""
        return self.small >= _MANY_FILES

    @property
    def rewritable(self) -> bool:
        """Whether so many of its rows are deleted ones that writing the others again is worth its while."""
        much = self.deleted_rows >= _MUCH_DELETED * self.rows and self.deleted_rows > 0
        return (much and self.delete_files >= _MANY_FILES) or self.delete_files >= _MANY_DELETE_FILES


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A file that no snapshot needs any more: readers of an earlier catalogue may still do.

    `since` is when the transaction began that made it so. Until its end readers began that do need it.
    """

    number: int
    path: str
    since: datetime


def pieces(site: Site) -> dict[str, Pieces]:
    """Every dataset's files; rows that are kept in the catalogue are in none."""
    query = f"""
        SELECT s.schema_name || '.' || t.table_name, count(*),
            count(*) FILTER (WHERE d.data_file_id IS NULL AND f.file_size_bytes < {SMALL_BYTES}), count(d.data_file_id),
            CAST(coalesce(sum(d.delete_count), 0) AS BIGINT), CAST(sum(f.record_count) AS BIGINT),
            CAST(sum(f.file_size_bytes) AS BIGINT)
        FROM ducklake_data_file f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
        LEFT JOIN ducklake_delete_file d ON d.data_file_id = f.data_file_id AND d.end_snapshot IS NULL
        WHERE f.end_snapshot IS NULL AND t.end_snapshot IS NULL GROUP BY 1 ORDER BY 1"""
    with reading(site) as connection:
        return {name: Pieces(*numbers) for name, *numbers in connection.execute(query)}


def inlined_rows(site: Site) -> int:
    """How many rows the catalogue itself keeps, deleted ones too."""
    with reading(site) as connection:
        tables = connection.execute("SELECT table_name FROM ducklake_inlined_data_tables").fetchall()
        return sum(connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0] for (name,) in tables)


def data_files(site: Site, snapshot: int) -> dict[str, str]:
    """The data files of a snapshot, relative to the lake's tables, each with its dataset."""
    query = f"""
        SELECT s.path || t.path || f.path, s.schema_name || '.' || t.table_name
        FROM ducklake_data_file f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
        WHERE {LIVE.format("f")} AND {LIVE.format("t")} AND f.path_is_relative"""
    with reading(site) as connection:
        return dict(connection.execute(query, {"at": snapshot}))


def scheduled(site: Site) -> list[Scheduled]:
    """The files that wait for their removal."""
    query = (
        "SELECT data_file_id, path, schedule_start FROM ducklake_files_scheduled_for_deletion WHERE path_is_relative"
    )
    with reading(site) as connection:
        return [Scheduled(number, path, catalogue_time(since)) for number, path, since in connection.execute(query)]


def is_due(site: Site) -> bool:
    """Whether enough has been published since the last maintenance for another to be worth its while."""
    last = "SELECT max(snapshot_id) FROM ducklake_snapshot_changes WHERE commit_message LIKE 'maintenance %'"
    known = last_snapshot(site)
    with reading(site) as connection:
        before = connection.execute(last).fetchone()[0] or 0
    return known is not None and known[1] - int(before) >= _BUSY


def removable(site: Site, held: Iterable[Holder], before: datetime) -> list[Scheduled]:
    """The files that no snapshot has needed since `before`, and no process that holds a lease.

    Order tells, not time: a process may need every file that was scheduled after it took its lease. DuckLake doesn't
    say at which snapshot that was, so the one is noted at which maintenance first saw it. Only under the run lock.
    """
    files, present = scheduled(site), present_snapshot(site)
    noted = site.books.noted("unneeded")  # without it, all are as if they were seen for the first time
    noted = {file.path: noted.get(file.path, present) for file in files}
    site.books.note("unneeded", noted)
    oldest = min((one.last for one in held if one.process), default=present + 1)
    return [file for file in files if file.since < before and noted[file.path] < oldest]


def clean_up(lake: Lake, run: str, files: Sequence[Scheduled]) -> tuple[int, int]:
    """Remove scheduled files; returns how many, and their bytes.

    DuckLake's own function isn't used: with a SQLite catalogue it removes others, too.
    """
    if not files:
        return 0, 0
    # First forgotten, then removed: a kill between the two leaves files that nobody knows, which are swept up.
    data, names, numbers = lake.site.data, [f"tables/{file.path}" for file in files], [file.number for file in files]
    lake.publish(run, lambda transaction: transaction.forget_scheduled(numbers), "clean-up")
    freed = sum(data.sizes(names).values())
    data.remove(names)
    return len(files), freed
