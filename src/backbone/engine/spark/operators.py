"""Operators of a bound plan as Spark's SQL: each is a SELECT whose columns are called c0, c1, … by their place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from backbone.engine.spark.aggregates import ANY_ORDER
from backbone.engine.spark.expressions import Expressions, Node, compared
from backbone.engine.spark.kinds import Kind, kind_of, name_sql, spark_type
from backbone.engine.spark.refusal import NotOnSparkError, refuse

_JOINS: Mapping[str, str] = {
    "INNER": "INNER JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
    "SEMI": "LEFT SEMI JOIN",
    "ANTI": "LEFT ANTI JOIN",
}
Leaf = Callable[[Node], str]
"""For a scan in the plan, the name under which Spark has that table."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A SELECT, and how many columns it has."""

    sql: str
    width: int


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
        made = _MAKERS.get(node["type"])
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
        return Rows(f"SELECT {_named(columns or ['1'])} FROM {self.leaf(node)}", len(columns) or 1)

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
        return Rows(f"SELECT {_named(columns)} FROM ({below.sql})", len(columns))

    def _aggregate(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
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
        return Rows(f"SELECT {_named(columns)} FROM (SELECT {grouped} FROM ({below.sql})){by}", len(columns))

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
        if self.strict and not _sorts(node["children"][0]):
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
        return Rows(f"SELECT {_columns(below.width)} FROM ({numbered}) WHERE n = 1", below.width)

    def _set_operation(self, node: Node) -> Rows:
        sides = [self.rows(child) for child in node["children"]]
        word = node["type"].removeprefix("LOGICAL_") + (" ALL" if node.get("setop_all") else "")
        # In brackets, so that an ORDER BY or LIMIT stays that of its side.
        return Rows(f" {word} ".join(f"SELECT * FROM ({side.sql})" for side in sides), sides[0].width)

    def _cross(self, node: Node) -> Rows:
        left, right = (self.rows(child) for child in node["children"])
        return self._joined("CROSS JOIN", left, right, "")

    def _any_join(self, node: Node) -> Rows:
        left, right = (self.rows(child) for child in node["children"])
        names = [*(f"l.c{n}" for n in range(left.width)), *(f"r.c{n}" for n in range(right.width))]
        condition = Expressions(names, self.strict).sql(node["condition"])
        if node["join_type"] not in _JOINS:
            raise refuse(f"a join of the kind {node['join_type']}", word="join")
        return self._joined(_JOINS[node["join_type"]], left, right, f" ON {condition}")

    def _join(self, node: Node) -> Rows:
        left, right = (self.rows(child) for child in node["children"])
        return self._compared_join(node, left, right)

    def _compared_join(self, node: Node, left: Rows, right: Rows) -> Rows:
        pairs = self._pairs(node, left, right)
        kind = node["join_type"]
        if kind == "MARK":
            return self._marked(pairs, left, right)
        if kind == "SINGLE":
            keys = ", ".join(r for _, r, _ in pairs)
            once = f"SELECT *, count(*) OVER (PARTITION BY {keys.replace('r.', '')}) AS n FROM ({right.sql})"
            failing = (
                "CASE WHEN n > 1 THEN CAST(raise_error('a subquery gave more than one row') AS BOOLEAN) ELSE true END"
            )
            right = Rows(f"SELECT {_columns(right.width)} FROM ({once}) WHERE {failing}", right.width)
            kind = "LEFT"
        if kind not in _JOINS:
            raise refuse(f"a join of the kind {kind}", word="join")
        condition = " AND ".join(compared(how, l_, r) for l_, r, how in pairs)
        return self._joined(_JOINS[kind], left, right, f" ON {condition}")

    def _pairs(self, node: Node, left: Rows, right: Rows) -> list[tuple[str, str, str]]:
        ours, theirs = self.expressions(left.width, "l."), self.expressions(right.width, "r.")
        return [(ours.sql(c["left"]), theirs.sql(c["right"]), c["comparison"]) for c in node["conditions"]]

    def _joined(self, how: str, left: Rows, right: Rows, condition: str) -> Rows:
        alone = how in {"LEFT SEMI JOIN", "LEFT ANTI JOIN"}
        columns = [f"l.c{n}" for n in range(left.width)] + ([] if alone else [f"r.c{n}" for n in range(right.width)])
        joined = f"({left.sql}) AS l {how} ({right.sql}) AS r{condition}"
        return Rows(f"SELECT {_named(columns)} FROM {joined}", len(columns))

    def _marked(self, pairs: Sequence[tuple[str, str, str]], left: Rows, right: Rows) -> Rows:
        """The rows of the left, each with whether the right has one like it: NULL where that can't be known."""
        same = [pair for pair in pairs if pair[2] == "COMPARE_NOT_DISTINCT_FROM"]
        asked = [pair for pair in pairs if pair[2] != "COMPARE_NOT_DISTINCT_FROM"]
        if len(asked) > 1 or any(pair[2] != "COMPARE_EQUAL" for pair in asked):
            raise refuse("ANY or ALL of a subquery", "Compare with its min or max", "any")
        keys = [f"{r} AS k{n}" for n, (_, r, _) in enumerate([*same, *asked])]
        found = f"SELECT DISTINCT {', '.join(keys)}, true AS m FROM ({right.sql}) AS r"
        on = " AND ".join(compared(how, l_, f"f.k{n}") for n, (l_, _, how) in enumerate([*same, *asked]))
        columns = [f"l.c{n}" for n in range(left.width)]
        if not asked:
            chosen = _named([*columns, "(f.m IS NOT NULL)"])
            sql = f"SELECT {chosen} FROM ({left.sql}) AS l LEFT JOIN ({found}) AS f ON {on}"
            return Rows(sql, left.width + 1)
        value = asked[0]
        groups = [f"{r} AS g{n}" for n, (_, r, _) in enumerate(same)]
        facts = ", ".join([*groups, "count(*) AS rows", f"count({value[1]}) AS known"])
        by = f" GROUP BY {', '.join(r for _, r, _ in same)}" if same else ""
        near = " AND ".join(compared(how, l_, f"h.g{n}") for n, (l_, _, how) in enumerate(same)) or "true"
        mark = (
            f"CASE WHEN f.m THEN true WHEN coalesce(h.rows, 0) = 0 THEN false "
            f"WHEN {value[0]} IS NULL OR h.known < h.rows THEN CAST(NULL AS BOOLEAN) ELSE false END"
        )
        sql = (
            f"SELECT {_named([*columns, mark])} FROM ({left.sql}) AS l LEFT JOIN ({found}) AS f ON {on} "
            f"LEFT JOIN (SELECT {facts} FROM ({right.sql}) AS r{by}) AS h ON {near}"
        )
        return Rows(sql, left.width + 1)

    def _delim_join(self, node: Node) -> Rows:
        """A join whose right side was written as a subquery over each row of the left."""
        unnested = self._unnested(node)
        if unnested:
            return unnested
        left = self.rows(node["children"][0])
        name = f"d{self.numbers()}"
        over = self.expressions(left.width)
        columns = [over.sql(column) for column in node["duplicate_eliminated_columns"]]
        self.distinct.append(Rows(f"SELECT DISTINCT {_named(columns)} FROM {name}", len(columns)))
        try:
            right = self.rows(node["children"][1])
        finally:
            self.distinct.pop()
        whole = Rows(f"SELECT * FROM {name}", left.width)
        joined = self._compared_join(node, whole, right)
        return Rows(f"WITH {name} AS ({left.sql}) {joined.sql}", joined.width)

    def _unnested(self, node: Node) -> Rows | None:
        """`FROM t, unnest(t.list)`: the rows of the left, each once for every element."""
        chain, at = list[Node](), node["children"][1]
        while at["type"] == "LOGICAL_PROJECTION" and at["children"][0]["type"] != "LOGICAL_DELIM_GET":
            chain.append(at)
            at = at["children"][0]
        if at["type"] != "LOGICAL_GET" or at["name"] != "unnest":
            return None
        inside = at["children"][0]
        if chain or node["join_type"] != "INNER" or inside["children"][0]["type"] != "LOGICAL_DELIM_GET":
            raise refuse("this unnest in a FROM", "Put it into the SELECT", "unnest")
        # DuckDB numbers the rows to find them again; here they are never lost.
        numbered = self.rows(node["children"][0]["children"][0])
        left = Rows(f"SELECT *, CAST(0 AS BIGINT) AS c{numbered.width} FROM ({numbered.sql})", numbered.width + 1)
        over = self.expressions(left.width)
        outer = [over.sql(column) for column in node["duplicate_eliminated_columns"]]
        held = inside["expressions"][0]
        if held["expression_class"] != "BOUND_COLUMN_REF":
            raise refuse("this unnest in a FROM", "Put it into the SELECT", "unnest")
        value = outer[held["binding"]["column_index"]]
        passed = [outer[e["binding"]["column_index"]] for e in inside["expressions"][1:]]
        columns = [*(f"t.c{n}" for n in range(left.width)), "u", *(f"t.{name}" for name in passed)]
        sql = f"SELECT {_named(columns)} FROM ({left.sql}) AS t LATERAL VIEW explode(t.{value}) e AS u"
        return Rows(sql, len(columns))

    def _delim_get(self, _: Node) -> Rows:
        return self.distinct[-1]

    def _unnest(self, node: Node) -> Rows:
        below = self.rows(node["children"][0])
        over = self.expressions(below.width)
        lists = [over.sql(one["child"]) for one in node["expressions"]]
        names = [f"u{n}" for n in range(len(lists))]
        columns = [*(f"t.c{n}" for n in range(below.width)), *names]
        # Side by side; the shorter ones are filled up with NULLs.
        side_by_side = ", ".join(f"coalesce({one}, array())" for one in lists)
        made = f"explode({lists[0]})" if len(lists) == 1 else f"inline(arrays_zip({side_by_side}))"
        sql = f"SELECT {_named(columns)} FROM ({below.sql}) AS t LATERAL VIEW {made} e AS {', '.join(names)}"
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
        return Rows(f"SELECT {_named([_null(kind) for kind in kinds])} WHERE false", len(kinds))

    def _cte(self, node: Node) -> Rows:
        held = self.rows(node["children"][0])
        below = self.rows(node["children"][1])
        return Rows(f"WITH cte{node['table_index']} AS ({held.sql}) {below.sql}", below.width)

    def _cte_ref(self, node: Node) -> Rows:
        return Rows(f"SELECT * FROM cte{node['cte_index']}", len(node["chunk_types"]))


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


def _named(columns: Sequence[str]) -> str:
    return ", ".join(f"{column} AS c{n}" for n, column in enumerate(columns))


def _columns(width: int) -> str:
    return ", ".join(f"c{n}" for n in range(width))


_MAKERS: Mapping[str, Callable[[Translation, Node], Rows]] = {
    "LOGICAL_GET": Translation._get,  # noqa: SLF001 - its own
    "LOGICAL_FILTER": Translation._filter,  # noqa: SLF001 - its own
    "LOGICAL_PROJECTION": Translation._projection,  # noqa: SLF001 - its own
    "LOGICAL_AGGREGATE_AND_GROUP_BY": Translation._aggregate,  # noqa: SLF001 - its own
    "LOGICAL_WINDOW": Translation._window,  # noqa: SLF001 - its own
    "LOGICAL_ORDER_BY": Translation._order,  # noqa: SLF001 - its own
    "LOGICAL_LIMIT": Translation._limit,  # noqa: SLF001 - its own
    "LOGICAL_DISTINCT": Translation._distinct,  # noqa: SLF001 - its own
    "LOGICAL_UNION": Translation._set_operation,  # noqa: SLF001 - its own
    "LOGICAL_EXCEPT": Translation._set_operation,  # noqa: SLF001 - its own
    "LOGICAL_INTERSECT": Translation._set_operation,  # noqa: SLF001 - its own
    "LOGICAL_CROSS_PRODUCT": Translation._cross,  # noqa: SLF001 - its own
    "LOGICAL_ANY_JOIN": Translation._any_join,  # noqa: SLF001 - its own
    "LOGICAL_COMPARISON_JOIN": Translation._join,  # noqa: SLF001 - its own
    "LOGICAL_DELIM_JOIN": Translation._delim_join,  # noqa: SLF001 - its own
    "LOGICAL_DELIM_GET": Translation._delim_get,  # noqa: SLF001 - its own
    "LOGICAL_UNNEST": Translation._unnest,  # noqa: SLF001 - its own
    "LOGICAL_EXPRESSION_GET": Translation._values,  # noqa: SLF001 - its own
    "LOGICAL_DUMMY_SCAN": Translation._nothing,  # noqa: SLF001 - its own
    "LOGICAL_EMPTY_RESULT": Translation._empty,  # noqa: SLF001 - its own
    "LOGICAL_MATERIALIZED_CTE": Translation._cte,  # noqa: SLF001 - its own
    "LOGICAL_CTE_REF": Translation._cte_ref,  # noqa: SLF001 - its own
}
