"""Whatever is let through is compared: every function, aggregate, window and cast stands in the suite."""

from collections.abc import Iterator
from typing import Any

from tests.contract.conftest import EDGES, NOBODY, OTHERS
from tests.contract.test_expressions import EXPRESSIONS
from tests.contract.test_queries import ORDERED, QUERIES

from backbone.engine.spark.aggregates import AGGREGATES, WINDOWS
from backbone.engine.spark.casts import castable, family
from backbone.engine.spark.expressions import node_kind
from backbone.engine.spark.functions import FUNCTIONS, INTERNAL
from backbone.engine.spark.kinds import kind_of
from backbone.engine.spark.planner import bound_plan, planning_engine

UNDER_OTHER_NAMES = {
    "+ and - of moments",
    "last",
    "mean",
    "pi",
    "quantile",
    "stddev_samp",
    "var_samp",
}
"""What DuckDB binds as something else: `last(a ORDER BY b)` as a maximum, `mean` as `avg`, `pi()` as its value."""
OF_RULES = {"constant_or_null"}
"""What DuckDB makes of our own queries alone."""


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from _nodes(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _nodes(inner)


def test_all_that_is_let_through_is_compared() -> None:
    engine = planning_engine("1GB")
    with engine.session() as session:
        session.execute("CREATE SCHEMA trusted")
        for name, query in (("edges", EDGES), ("others", OTHERS), ("nobody", NOBODY)):
            session.execute(f"CREATE TABLE trusted.{name} AS {query}")
        queries = [*(f"SELECT {e} AS v FROM trusted.edges" for e in EXPRESSIONS), *QUERIES, *ORDERED]
        nodes = [node for query in queries for node in _nodes(bound_plan(session, query))]
    engine.close()

    names = {name for node in nodes if "expression_class" in node for name in (node.get("name"), node["type"]) if name}
    casts = {
        (family(node_kind(node["child"])), family(kind_of(node["return_type"])))
        for node in nodes
        if node.get("expression_class") == "BOUND_CAST"
    }
    known = {*FUNCTIONS, *AGGREGATES, *WINDOWS} - INTERNAL - UNDER_OTHER_NAMES - OF_RULES
    assert sorted(known - names) == []
    assert sorted({*castable()} - casts) == []
