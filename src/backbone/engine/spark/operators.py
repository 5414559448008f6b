"""Operators of a bound plan as Spark's SQL: each is a SELECT whose columns are called c0, c1, … by their place."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, ClassVar

from backbone.engine.spark.aggregates import ANY_ORDER
from backbone.engine.spark.expressions import Expressions, Node
from backbone.engine.spark.joins import any_join, comparison_join, cross_product, delim_get, delim_join
from backbone.engine.spark.kinds import Kind, kind_of, name_sql, spark_type
from backbone.engine.spark.refusal import NotOnSparkError, refuse
from backbone.engine.spark.selects import Rows, columns_of, named

Leaf = Callable[[Node], str]
"""For a scan in the plan, the name under which Spark has that table."""


@dataclass(slots=True)
class Translation:
    """Translates one plan. `distinct` holds, for each join being translated, what its right side may read of the left.

    `strict` where people wrote the query: then only what is known to agree is let through. `unreadable` are the columns
    of tables that Spark has no type for: whoever asks for a translation must see to it that nothing depends on them.
    """

    leaf: Leaf
    strict: bool
    distinct: list[Rows] = field(default_factory=list)
    unreadable: list[tuple[str, Kind]] = field(default_factory=list)
    numbers: Callable[[], int] = field(default_factory=lambda: count(1).__next__)

    def rows(self, node: Node) -> Rows:
        """An operator with all below it.

        Raises:
            NotOnSparkError: it isn't known to give the same.
        """
        made = self.MAKERS.get(node["type"])
        if made is None:
            name = node["type"].removeprefix("LOGICAL_").replace("_", " ")
            raise refuse(name, word=name.partition(" ")[0])
        return made(self, node)

    def expressions(self, width: int, alias: str = "") -> Expressions:
        """A translator of expressions over so many columns."""
        return Expressions([f"{alias}c{n}" for n in range(width)], self.strict)

    def _get(self, node: Node) -> Rows:
        if node["name"] == "unnest":
            raise refuse("unnest in a FROM", "Put it into the SELECT", "unnest")
        names, kinds = node["names"], [kind_of(kind) for kind in node["returned_types"]]
        places = [column["index"] for column in node["column_indexes"]]
        columns = [self._column(names[n], kinds[n]) if n < len(names) else "CAST(0 AS BIGINT)" for n in places]
        return Rows(f"SELECT {named(columns or ['1'])} FROM {self.leaf(node)}", len(columns) or 1)

    def _column(self, name: str, kind: Kind) -> str:
        try:
            spark_type(kind)
        except NotOnSparkError:
            self.unreadable.append((name, kind))
            return "CAST(NULL AS STRING)"
        return name_sql(name)

    def _filter(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
        over = self.expressions(below.width)
        conditions = " AND ".join(over.sql(condition) for condition in node["expressions"])
        kept = node.get("projection_map") or range(below.width)
        columns = ", ".join(f"c{place} AS c{n}" for n, place in enumerate(kept))
        return Rows(f"SELECT {columns} FROM ({below.sql}) WHERE {conditions}", len(kept))

    def _projection(self, node: Node) -> Rows:
        below = self.rows(_without_order(node))
        over = self.expressions(below.width)
        columns = [over.sql(expression) for expression in node["expressions"]]
        return Rows(f"SELECT {named(columns)} FROM ({below.sql})", len(columns))

    def _aggregate(self, node: Node) -> Rows:
        child = node["children"][0]
        if child["type"] == "LOGICAL_LIMIT" and [one["name"] for one in node.get("expressions") or ()] == [
            "count_star"
        ]:
            child = {**child, ANY_ORDER: True}  # EXISTS: whether there is a row, whichever
        below = self.rows(child)
        over = self.expressions(below.width)
        groups = [over.sql(group) for group in node.get("groups") or ()]
        grouped = ", ".join(["*", *(f"{group} AS g{n}" for n, group in enumerate(groups))])
        aggregates = [over.aggregate(one) for one in node.get("expressions") or ()]
        if node.get("grouping_functions"):
            raise refuse("grouping()", word="grouping")
        columns = [*(f"g{n}" for n in range(len(groups))), *aggregates]
        sets = node.get("grouping_sets") or []
        if len(sets) > 1:
            parts = ", ".join(f"({', '.join(f'g{n}' for n in one)})" for one in sets)
            by = f" GROUP BY GROUPING SETS ({parts})"
        else:
            by = f" GROUP BY {', '.join(f'g{n}' for n in range(len(groups)))}" if groups else ""
        return Rows(f"SELECT {named(columns)} FROM (SELECT {grouped} FROM ({below.sql})){by}", len(columns))

    def _window(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
        over = self.expressions(below.width)
        columns = [f"{over.window(one)} AS c{below.width + n}" for n, one in enumerate(node["expressions"])]
        return Rows(f"SELECT *, {', '.join(columns)} FROM ({below.sql})", below.width + len(columns))

    def _order(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
        over = self.expressions(below.width)
        by = ", ".join(str(over.order(said)) for said in node["orders"])
        return Rows(f"SELECT * FROM ({below.sql}) ORDER BY {by}", below.width)

    def _limit(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
        if self.strict and ANY_ORDER not in node and not _sorts(node["children"][0]):
            raise refuse("LIMIT of rows in no order", "Give the query an ORDER BY", "limit")
        limit, offset = _limit_of(node["limit_val"]), _limit_of(node["offset_val"])
        ends = (f" LIMIT {limit}" if limit is not None else "") + (f" OFFSET {offset}" if offset is not None else "")
        return Rows(f"SELECT * FROM ({below.sql}){ends}", below.width)

    def _distinct(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
        if node["distinct_type"] == "DISTINCT":
            return Rows(f"SELECT DISTINCT * FROM ({below.sql})", below.width)
        over = self.expressions(below.width)
        targets = ", ".join(over.sql(target) for target in node["distinct_targets"])
        orders = (node.get("order_by") or {}).get("orders") or []
        if self.strict and not orders:
            raise refuse("DISTINCT ON rows in no order", "Give the query an ORDER BY", "distinct")
        by = ", ".join(str(over.order(said)) for said in orders) or "1"
        numbered = f"SELECT *, row_number() OVER (PARTITION BY {targets} ORDER BY {by}) AS n FROM ({below.sql})"
        return Rows(f"SELECT {columns_of(below.width)} FROM ({numbered}) WHERE n = 1", below.width)

    def _set_operation(self, node: Node) -> Rows:
        sides = [self.rows(child) for child in node["children"]]
        word = node["type"].removeprefix("LOGICAL_") + (" ALL" if node.get("setop_all") else "")
        # In brackets, so that an ORDER BY or LIMIT stays that of its side.
        return Rows(f" {word} ".join(f"SELECT * FROM ({side.sql})" for side in sides), sides[0].width)

    def _unnest(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
        over = self.expressions(below.width)
        lists = [over.sql(one["child"]) for one in node["expressions"]]
        names = [f"u{n}" for n in range(len(lists))]
        columns = [*(f"t.c{n}" for n in range(below.width)), *names]
        # Side by side; the shorter ones are filled up with NULLs.
        side_by_side = ", ".join(f"coalesce({one}, array())" for one in lists)
        made = f"explode({lists[0]})" if len(lists) == 1 else f"inline(arrays_zip({side_by_side}))"
        sql = f"SELECT {named(columns)} FROM ({below.sql}) AS t LATERAL VIEW {made} e AS {', '.join(names)}"
        return Rows(sql, len(columns))

    def _values(self, node: Node) -> Rows:
        over = self.expressions(0)
        rows = [f"({', '.join(over.sql(value) for value in row)})" for row in node["expressions"]]
        width = len(node["expr_types"])
        names = ", ".join(f"c{n}" for n in range(width))
        return Rows(f"SELECT * FROM (VALUES {', '.join(rows)}) AS t({names})", width)

    def _nothing(self, _: Node) -> Rows:
        return Rows("SELECT 1 AS c0", 1)

    def _empty(self, node: Node) -> Rows:
        kinds = [kind_of(kind) for kind in node["return_types"]]
        return Rows(f"SELECT {named([_null(kind) for kind in kinds])} WHERE false", len(kinds))

    def _cte(self, node: Node) -> Rows:
        held = self.rows(node["children"][0])
        below = self.rows(node["children"][1])
        return Rows(f"WITH cte{node['table_index']} AS ({held.sql}) {below.sql}", below.width)

    def _cte_ref(self, node: Node) -> Rows:
        return Rows(f"SELECT * FROM cte{node['cte_index']}", len(node["chunk_types"]))

    MAKERS: ClassVar[Mapping[str, Callable[["Translation", Node], Rows]]] = {
        "LOGICAL_GET": _get,
        "LOGICAL_FILTER": _filter,
        "LOGICAL_PROJECTION": _projection,
        "LOGICAL_AGGREGATE_AND_GROUP_BY": _aggregate,
        "LOGICAL_WINDOW": _window,
        "LOGICAL_ORDER_BY": _order,
        "LOGICAL_LIMIT": _limit,
        "LOGICAL_DISTINCT": _distinct,
        "LOGICAL_UNION": _set_operation,
        "LOGICAL_EXCEPT": _set_operation,
        "LOGICAL_INTERSECT": _set_operation,
        "LOGICAL_CROSS_PRODUCT": cross_product,
        "LOGICAL_ANY_JOIN": any_join,
        "LOGICAL_COMPARISON_JOIN": comparison_join,
        "LOGICAL_DELIM_JOIN": delim_join,
        "LOGICAL_DELIM_GET": delim_get,
        "LOGICAL_UNNEST": _unnest,
        "LOGICAL_EXPRESSION_GET": _values,
        "LOGICAL_DUMMY_SCAN": _nothing,
        "LOGICAL_EMPTY_RESULT": _empty,
        "LOGICAL_MATERIALIZED_CTE": _cte,
        "LOGICAL_CTE_REF": _cte_ref,
    }
    """What makes each operator, by its type."""


def _without_order(node: Node) -> Node:
    """What is below a projection, in which aggregates are marked whose order of values is nobody's concern.

    `list(a ORDER BY a)` is bound as a list in any order that is sorted above, and a subquery for one value as the first
    of its rows, with an error above if there are more.
    """
    below: Node = node["children"][0]
    if below["type"] != "LOGICAL_AGGREGATE_AND_GROUP_BY":
        return below
    aggregates = below.get("expressions") or []
    if [one["name"] for one in aggregates] == ["first", "count_star"] and not below.get("groups"):
        return {**below, "expressions": [{**aggregates[0], ANY_ORDER: True}, aggregates[1]]}
    first = len(below.get("groups") or ())
    free = set(range(first, first + len(aggregates))) - {place for e in node["expressions"] for place in _unsorted(e)}
    marked = [
        {**one, ANY_ORDER: True} if one["name"] in _LISTS and first + n in free else one
        for n, one in enumerate(aggregates)
    ]
    return {**below, "expressions": marked}


def _unsorted(node: Any) -> Iterator[int]:
    """The places of the columns that an expression reads without sorting them."""
    if isinstance(node, list):
        for part in node:
            yield from _unsorted(part)
    elif isinstance(node, dict):
        if node.get("expression_class") == "BOUND_REF":
            yield node["index"]
        sorts = node.get("name") == "list_sort" and node["children"][0]["expression_class"] == "BOUND_REF"
        for key, part in node.items():
            yield from _unsorted(part[1:] if sorts and key == "children" else part)


_LISTS = {"list", "array_agg"}


def _sorts(node: Node) -> bool:
    """Whether rows come in an order, through operators that keep it."""
    keeps = {"LOGICAL_PROJECTION", "LOGICAL_LIMIT"}
    if node["type"] == "LOGICAL_ORDER_BY":
        return True
    return node["type"] in keeps and _sorts(node["children"][0])


def _limit_of(said: Mapping[str, Any]) -> int | None:
    if said["type"] == "UNSET":
        return None
    if said["type"] != "CONSTANT_VALUE":
        raise refuse("LIMIT of a share, or of what isn't a constant", word="limit")
    return int(said["constant_integer"])


def _null(kind: Kind) -> str:
    return f"CAST(NULL AS {spark_type(kind)})"
