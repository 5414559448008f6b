"""Joins of a bound plan as Spark's SQL, and what DuckDB has made joins of: subqueries, and lists in a FROM."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from backbone.engine.spark.expressions import Expressions, Node, compared
from backbone.engine.spark.refusal import refuse
from backbone.engine.spark.selects import Rows, columns_of, named

if TYPE_CHECKING:
    from backbone.engine.spark.operators import Translation

_JOINS: Mapping[str, str] = {
    "INNER": "INNER JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
    "SEMI": "LEFT SEMI JOIN",
    "ANTI": "LEFT ANTI JOIN",
}


def cross_product(translation: "Translation", node: Node) -> Rows:
    """Every row of the left with every one of the right."""
    left, right = (translation.rows(child) for child in node["children"])
    return _joined("CROSS JOIN", left, right, "")


def any_join(translation: "Translation", node: Node) -> Rows:
    """A join on any condition."""
    left, right = (translation.rows(child) for child in node["children"])
    names = [*(f"l.c{n}" for n in range(left.width)), *(f"r.c{n}" for n in range(right.width))]
    condition = Expressions(names, translation.strict).sql(node["condition"])
    if node["join_type"] not in _JOINS:
        raise refuse(f"a join of the kind {node['join_type']}", word="join")
    return _joined(_JOINS[node["join_type"]], left, right, f" ON {condition}")


def comparison_join(translation: "Translation", node: Node) -> Rows:
    """A join on comparisons."""
    left, right = (translation.rows(child) for child in node["children"])
    return _compared_join(translation, node, left, right)


def _compared_join(translation: "Translation", node: Node, left: Rows, right: Rows) -> Rows:
    pairs = _pairs(translation, node, left, right)
    kind = node["join_type"]
    if kind == "MARK":
        return _marked(pairs, left, right)
    if kind == "SINGLE":
        keys = ", ".join(r for _, r, _ in pairs)
        once = f"SELECT *, count(*) OVER (PARTITION BY {keys.replace('r.', '')}) AS n FROM ({right.sql})"
        failing = "CASE WHEN n > 1 THEN CAST(raise_error('a subquery gave more than one row') AS BOOLEAN) ELSE true END"
        right = Rows(f"SELECT {columns_of(right.width)} FROM ({once}) WHERE {failing}", right.width)
        kind = "LEFT"
    if kind not in _JOINS:
        raise refuse(f"a join of the kind {kind}", word="join")
    condition = " AND ".join(compared(how, l_, r) for l_, r, how in pairs) or "true"
    return _joined(_JOINS[kind], left, right, f" ON {condition}")


def _pairs(translation: "Translation", node: Node, left: Rows, right: Rows) -> list[tuple[str, str, str]]:
    ours, theirs = translation.expressions(left.width, "l."), translation.expressions(right.width, "r.")
    return [(ours.sql(c["left"]), theirs.sql(c["right"]), c["comparison"]) for c in node["conditions"]]


def _joined(how: str, left: Rows, right: Rows, condition: str) -> Rows:
    alone = how in {"LEFT SEMI JOIN", "LEFT ANTI JOIN"}
    columns = [f"l.c{n}" for n in range(left.width)] + ([] if alone else [f"r.c{n}" for n in range(right.width)])
    joined = f"({left.sql}) AS l {how} ({right.sql}) AS r{condition}"
    return Rows(f"SELECT {named(columns)} FROM {joined}", len(columns))


def _marked(pairs: Sequence[tuple[str, str, str]], left: Rows, right: Rows) -> Rows:
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
        chosen = named([*columns, "(f.m IS NOT NULL)"])
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
        f"SELECT {named([*columns, mark])} FROM ({left.sql}) AS l LEFT JOIN ({found}) AS f ON {on} "
        f"LEFT JOIN (SELECT {facts} FROM ({right.sql}) AS r{by}) AS h ON {near}"
    )
    return Rows(sql, left.width + 1)


def delim_join(translation: "Translation", node: Node) -> Rows:
    """A join whose right side was written as a subquery over each row of the left."""
    unnested = _unnested(translation, node)
    if unnested:
        return unnested
    left = _numbered(translation, node["children"][0])
    name = f"d{translation.numbers()}"
    over = translation.expressions(left.width)
    columns = [over.sql(column) for column in node["duplicate_eliminated_columns"]]
    translation.distinct.append(Rows(f"SELECT DISTINCT {named(columns)} FROM {name}", len(columns)))
    try:
        right = translation.rows(node["children"][1])
    finally:
        translation.distinct.pop()
    whole = Rows(f"SELECT * FROM {name}", left.width)
    joined = _compared_join(translation, node, whole, right)
    return Rows(f"WITH {name} AS ({left.sql}) {joined.sql}", joined.width)


def _numbered(translation: "Translation", node: Node) -> Rows:
    """The left side of such a join. DuckDB may number its rows to tell equal ones apart.

    The number must be the same however often it is worked out: it follows the values, and between rows that are
    equal in all of them it makes no difference.
    """
    if node["type"] != "LOGICAL_WINDOW" or not _only_numbers(node):
        return translation.rows(node)
    below = translation.rows(node["children"][0])
    number = f"row_number() OVER (ORDER BY {columns_of(below.width)})"
    return Rows(f"SELECT *, {number} AS c{below.width} FROM ({below.sql})", below.width + 1)


def _unnested(translation: "Translation", node: Node) -> Rows | None:
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
    numbered = translation.rows(node["children"][0]["children"][0])
    left = Rows(f"SELECT *, CAST(0 AS BIGINT) AS c{numbered.width} FROM ({numbered.sql})", numbered.width + 1)
    over = translation.expressions(left.width)
    outer = [over.sql(column) for column in node["duplicate_eliminated_columns"]]
    held = inside["expressions"][0]
    if held["expression_class"] != "BOUND_COLUMN_REF":
        raise refuse("this unnest in a FROM", "Put it into the SELECT", "unnest")
    value = outer[held["binding"]["column_index"]]
    passed = [outer[e["binding"]["column_index"]] for e in inside["expressions"][1:]]
    columns = [*(f"t.c{n}" for n in range(left.width)), "u", *(f"t.{name}" for name in passed)]
    sql = f"SELECT {named(columns)} FROM ({left.sql}) AS t LATERAL VIEW explode(t.{value}) e AS u"
    return Rows(sql, len(columns))


def delim_get(translation: "Translation", _: Node) -> Rows:
    """What the right side of a join may read of the left."""
    return translation.distinct[-1]


def _only_numbers(node: Node) -> bool:
    """Whether a window operator is DuckDB's own: it numbers rows in no order."""
    return all(
        one["type"] == "WINDOW_ROW_NUMBER" and not one.get("orders") and not one.get("partitions")
        for one in node["expressions"]
    )
