"""The planner: DuckDB binds a query to empty tables, and says in its bound plan what every part of it means.

Names, types, stars, implicit casts and subqueries are resolved by the engine that people write for. What is left to
translate is small and exact: operators over columns known by place, and functions with the types of their arguments.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.spark.kinds import name_sql
from backbone.engine.spark.operators import Translation
from backbone.engine.spark.refusal import NotOnSparkError, refuse
from backbone.errors import EngineError
from backbone.model.names import literal

if TYPE_CHECKING:
    from backbone.engine.duckdb.session import DuckDBSession
    from backbone.engine.spark.expressions import Node
    from backbone.engine.spark.kinds import Kind
    from backbone.engine.spark.operators import Leaf

_KEPT = "expression_rewriter"
"""The only optimiser that is on: it works out what is constant. Spark has its own for all else."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A query for Spark, whose columns are c0, c1, …, with the names and DuckDB's types that they have in truth.

    `tables` names the table of each scan in the `plan` that it was made of, by the scan's `id`.
    """

    sql: str
    columns: tuple[tuple[str, str], ...]
    plan: "Node"
    tables: Mapping[int, str]


def planning_engine(memory_limit: str) -> DuckDBEngine:
    """DuckDB for planning alone: it holds no rows."""
    engine = DuckDBEngine(memory_limit=memory_limit)
    with engine.session() as session:
        session.execute(f"SET GLOBAL disabled_optimizers = {literal(_all_but(session, _KEPT))}")
    return engine


def plan_query(
    planner: "DuckDBSession", query: str, table: "Leaf", view: "Callable[[str], str]" = name_sql, *, strict: bool
) -> Planned:
    """Translate a query.

    Args:
        planner: a session in which the query's tables are there, empty.
        query: a SELECT in DuckDB's SQL.
        table: names the table that a scan in the plan reads.
        view: SQL for what Spark calls a table.
        strict: let through only what is known to give the same, as for people's SQL.

    Raises:
        EngineError: DuckDB can't bind it, or something in it isn't known to give the same.
    """
    columns, tables = planner.columns(query), dict[int, str]()

    def leaf(scan: "Node") -> str:
        return view(tables.setdefault(id(scan), table(scan)))

    try:
        plan, translation = bound_plan(planner, query), Translation(leaf, strict)
        rows = translation.rows(plan)
        if translation.unreadable:
            _check_unread(planner, query, dict(translation.unreadable))
    except NotOnSparkError as error:
        raise error.at(query) from None
    except RecursionError:
        raise EngineError("This query is nested too deeply for Spark. Split it into several views") from None
    return Planned(rows.sql, columns, plan, tables)


def _check_unread(planner: "DuckDBSession", query: str, columns: "dict[str, Kind]") -> None:
    """Refuse a query that depends on columns that Spark has no type for: that DuckDB would read from the table."""
    planner.execute(f"SET GLOBAL disabled_optimizers = {literal(_all_but(planner, _KEPT, 'unused_columns'))}")
    try:
        read = _read(bound_plan(planner, query))
    finally:
        planner.execute(f"SET GLOBAL disabled_optimizers = {literal(_all_but(planner, _KEPT))}")
    for name in sorted(read & set(columns)):
        raise refuse(f"the column {name}, of the type {columns[name]},", word=name)


def _read(node: "Node") -> set[str]:
    own = {node["names"][at["index"]] for at in node.get("column_indexes", ()) if at["index"] < len(node["names"])}
    return own.union(*(_read(child) for child in node["children"]))


def _all_but(planner: "DuckDBSession", *kept: str) -> str:
    return ",".join(name for (name,) in planner.rows("SELECT name FROM duckdb_optimizers()") if name not in kept)


def bound_plan(planner: "DuckDBSession", query: str) -> "Node":
    """The bound plan of a query: every name, type and implicit cast in it resolved."""
    ((text,),) = planner.rows(f"SELECT json_serialize_plan({literal(query)}, optimize := true)")
    said: dict[str, Any] = json.loads(text)
    if said["error"]:
        if "MULTI" in said["error_message"]:
            raise refuse("PIVOT of values that only the data say", "Name them: PIVOT … ON column IN (…)", "pivot")
        raise EngineError(said["error_message"])
    plan: Node = said["plans"][0]
    return plan
