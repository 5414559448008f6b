"""The files that a lake's catalogue knows, and what it says of each."""

from dataclasses import dataclass

from backbone.lake.catalogue import reading
from backbone.lake.site import Site


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A data or delete file, `path` relative to the lake's `tables`. `live`: the last snapshot needs it.

    `rows` counts those that it holds, or takes away if it `deletes`.
    """

    path: str
    dataset: str
    rows: int
    bytes: int
    deletes: bool
    live: bool


def known_files(site: Site) -> tuple[KnownFile, ...]:
    """Every file that the catalogue knows, but for those that it has replaced and will remove."""
    return (*_files(site, "ducklake_data_file", "record_count"), *_files(site, "ducklake_delete_file"))


def _files(site: Site, table: str, rows: str = "delete_count") -> tuple[KnownFile, ...]:
    query = f"""
        SELECT s.path || t.path || f.path, s.schema_name || '.' || t.table_name, f.{rows}, f.file_size_bytes,
            f.end_snapshot IS NULL AND t.end_snapshot IS NULL
        FROM {table} f JOIN ducklake_table t USING (table_id) JOIN ducklake_schema s USING (schema_id)
        WHERE f.path_is_relative ORDER BY 1"""
    deletes = table == "ducklake_delete_file"
    with reading(site) as connection:
        found = connection.execute(query).fetchall()
    # A table that was altered has a row for each form: its files are listed once, alive if any of them is.
    alive = {path for path, *_, live in found if live}
    one = {path: (dataset, count, size) for path, dataset, count, size, _ in found}
    return tuple(KnownFile(path, *values, deletes, path in alive) for path, values in one.items())
