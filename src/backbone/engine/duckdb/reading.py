"""How DuckDB reads a dataset's rows, given its extent. Lakes are attached under the names that extents give."""

from backbone.model.domains import sql_type
from backbone.model.names import RECORD, literal, parquet_table, quoted, quoted_dataset, stem_of, zone_of
from backbone.model.steps import Extent, Removal


def extent_sql(extent: Extent, columns: tuple[str, ...]) -> str:
    """A SELECT of all the rows of a dataset."""
    parts = []
    if extent.snapshot is not None:
        parts.append(_without(extent, _at(extent), columns))
    if extent.added or not parts:
        parts.append(_added(extent, columns))
    return " UNION ALL ".join(parts)


def inserted_sql(extent: Extent) -> str:
    """A SELECT of the rows that came since `extent.since`, with all columns."""
    names = extent.relation.names
    if extent.snapshot is None:
        return extent_sql(extent, names)
    if extent.since == extent.snapshot:
        return _added(extent, names)
    # A row that came after `since` and went again in this run is not one that came.
    since = _without(extent, _feed(extent, "insertions"), names)
    return f"{since} UNION ALL {_added(extent, names)}"


def deleted_sql(extent: Extent) -> str:
    """A SELECT of the rows that went since `extent.since`, with all columns."""
    names = extent.relation.names
    if extent.snapshot is None:
        return f"SELECT {_list(names)} FROM ({extent_sql(extent, names)}) WHERE false"
    parts = (
        []
        if extent.since == extent.snapshot
        else [f"SELECT {_held(extent, names)} FROM ({_feed(extent, 'deletions')}) AS t"]
    )
    parts += [
        f"SELECT {_held(extent, names)} FROM ({_at(extent)}) AS t SEMI JOIN {_on(removal)}"
        for removal in extent.removed
    ]
    return " UNION ALL ".join(parts) if parts else f"SELECT {_list(names)} FROM ({_added(extent, names)}) WHERE false"


def _at(extent: Extent) -> str:
    return f"FROM {extent.lake}.{quoted_dataset(extent.dataset)} AT (VERSION => {extent.snapshot})"


def _without(extent: Extent, rows: str, columns: tuple[str, ...]) -> str:
    joins = "".join(f" ANTI JOIN {_on(removal, i)}" for i, removal in enumerate(extent.removed))
    held = f"SELECT {_held(extent, columns)} FROM ({rows}) AS t"
    if len(extent.removed) != 1 or extent.removed[0].records is None:
        return f"{held}{joins}"
    # Corrections are mostly late: blocks of rows outside their range aren't looked at.
    low, high = extent.removed[0].records
    outside = f"{held} WHERE t.{RECORD} < {low} OR t.{RECORD} > {high}"
    return f"{outside} UNION ALL {held}{joins} WHERE t.{RECORD} BETWEEN {low} AND {high}"


def _held(extent: Extent, columns: tuple[str, ...]) -> str:
    held = extent.relation.names if extent.held is None else extent.held
    domains = {a.name: a.domain for a in extent.relation.attributes}
    return ", ".join(f"t.{quoted(c)}" if c in held else f"NULL::{sql_type(domains[c])} AS {quoted(c)}" for c in columns)


def _on(removal: Removal, number: int = 0) -> str:
    alias = f"r{number}"
    equal = " AND ".join(f"t.{quoted(c)} IS NOT DISTINCT FROM {alias}.{quoted(c)}" for c in removal.columns)
    return f"{parquet_table(removal.paths)} AS {alias} ON {equal}"


def _added(extent: Extent, columns: tuple[str, ...]) -> str:
    if not extent.added:
        nulls = ", ".join(
            f"NULL::{sql_type(a.domain)} AS {quoted(a.name)}" for a in extent.relation.attributes if a.name in columns
        )
        return f"SELECT {nulls} WHERE false"
    return f"SELECT {_list(columns)} FROM {parquet_table(extent.added)}"


def _feed(extent: Extent, which: str) -> str:
    since, snapshot = (extent.since or 0) + 1, extent.snapshot
    names = f"{literal(zone_of(extent.dataset))}, {literal(stem_of(extent.dataset))}"
    return f"FROM ducklake_table_{which}('{extent.lake}', {names}, {since}::BIGINT, {snapshot}::BIGINT)"


def _list(columns: tuple[str, ...]) -> str:
    return ", ".join(quoted(c) for c in columns)
