"""Tables that were made here, given to Spark: it needn't make them once more to read them."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from backbone.engine.spark.kinds import Kind, name_sql, spark_type
from backbone.engine.spark.operators import Translation
from backbone.model.names import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from backbone.engine.duckdb.session import DuckDBSession
    from backbone.engine.spark.expressions import Node
    from backbone.engine.spark.planner import Planned

_ALIKE = frozenset(
    {
        "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "VARCHAR", "BLOB", "DATE",
        "TIMESTAMP", "TIMESTAMP WITH TIME ZONE",
    }
)  # fmt: skip
"""Types that Spark reads from DuckDB's Parquet as they are; so decimals. Of no other type is a table given."""
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_SIGNED = (
    "CAST(CASE WHEN {0} > 9223372036854775807 THEN CAST({0} AS HUGEINT) - 18446744073709551616 ELSE {0} END AS BIGINT)"
)
"""A hash: where its highest bit is set, it is negative in Spark."""


def schema_of(columns: "Sequence[tuple[str, str]]") -> str | None:
    """The columns as Spark declares them; None where a table of them isn't given."""
    kinds = [_kind(kind) for _, kind in columns]
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds):
        return None
    return ", ".join(f"{name_sql(name)} {spark_type(kind)}" for (name, _), kind in zip(columns, known, strict=True))


def write_given(session: "DuckDBSession", table: str, columns: "Sequence[tuple[str, str]]", path: "Path") -> "Path":
    """Write a table of the session's for Spark."""
    chosen = ", ".join(
        f"{_SIGNED.format(quoted(name))} AS {quoted(name)}" if kind == "UBIGINT" else quoted(name)
        for name, kind in columns
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    session.execute(f"COPY (SELECT {chosen} FROM {table}) TO {literal(str(path))} (FORMAT parquet)")
    return path


def compares_hashes(plan: "Node") -> bool:
    """Whether a query works out a hash, which is another number on each engine."""
    match plan:
        case {"name": "hash"}:
            return True
        case dict():
            return any(map(compares_hashes, plan.values()))
        case list():
            return any(map(compares_hashes, plan))
    return False


def reading_given(planned: "Planned", given: "Mapping[str, str]", view: "Callable[[str], str]") -> "Planned":
    """The same query, reading other tables in the place of some."""
    tables = {scan: given.get(name, name) for scan, name in planned.tables.items()}
    rows = Translation(lambda scan: view(tables[id(scan)]), strict=False).rows(planned.plan)
    return replace(planned, sql=rows.sql, tables=tables)


def can_be_given(planned: "Planned", given: "Iterable[str]", made_there: "Iterable[str]") -> bool:
    """Whether Spark may read tables from here: if it has none of its own in this query, nor works out hashes."""
    tables = set(planned.tables.values())
    return bool(tables & set(given)) and not tables & set(made_there) and not compares_hashes(planned.plan)


def _kind(said: str) -> Kind | None:
    if found := _DECIMAL.fullmatch(said):
        return Kind("DECIMAL", int(found[1]), int(found[2]))
    return Kind(said) if said in _ALIKE or said == "UBIGINT" else None
