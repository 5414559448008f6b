"""Functional dependencies: rows that differ from what the columns in `by` determine.

A row breaks `determined` where rows of equal `by` have other values, and its own isn't that of more than half of them.
Without such a majority all rows of the group break it, and none is repaired: nobody knows which is right.
"""

from backbone.model.names import quoted
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.quality.predicates import refused, scope_condition, tested_columns, texts


def determined_scope(rule: Rule, relation: Relation) -> str:
    """SQL for the rows that the rule compares: within its scope, with a value there and in `by`."""
    scope = scope_condition(rule, relation)
    values = [f"{quoted(c)} IS NOT NULL" for c in (*tested_columns(rule, relation), *_by(rule, relation))]
    return " AND ".join([*([scope] if scope else []), *values])


def undetermined_sql(rule: Rule, relation: Relation, table: str) -> str:
    """A SELECT of the rows of a table that break the rule, with `_majority`: the value of their group (NULL: none).

    Only groups of several values are joined with the rows: where the rule holds there is nothing to do but count.
    """
    (column,) = tested_columns(rule, relation)
    by, scope = [quoted(c) for c in _by(rule, relation)], determined_scope(rule, relation)
    value, names = quoted(column), ", ".join(by)
    counts = f"SELECT {names}, {value} AS _value, count(*) AS n FROM {table} AS t WHERE {scope} GROUP BY ALL"
    groups = (
        f"SELECT {names}, CASE WHEN 2 * max(n) > sum(n) THEN max_by(_value, n) END AS _majority "
        f"FROM ({counts}) GROUP BY ALL HAVING count(*) > 1"
    )
    rows = f"(SELECT * FROM {table} AS t WHERE {scope})"
    same = " AND ".join(f"t.{c} = g.{c}" for c in by)
    return (
        f"SELECT t.*, g._majority FROM {rows} AS t JOIN ({groups}) AS g ON {same} "
        f"WHERE g._majority IS NULL OR t.{value} <> g._majority"
    )


def undetermined_condition(rule: Rule, relation: Relation) -> str:
    """The same as a condition with window functions, for a SELECT list."""
    (column,) = tested_columns(rule, relation)
    by, scope = ", ".join(quoted(c) for c in _by(rule, relation)), determined_scope(rule, relation)
    alike = f"count(*) FILTER (WHERE {scope}) OVER (PARTITION BY {by}, {quoted(column)})"
    return f"({scope} AND 2 * {alike} <= count(*) FILTER (WHERE {scope}) OVER (PARTITION BY {by}))"


def _by(rule: Rule, relation: Relation) -> tuple[str, ...]:
    columns = texts(rule.param("by"))
    for column in columns:
        if relation.domain(column) is None:
            raise refused(rule, f"there is no column '{column}' to determine {rule.columns[0]} by")
    return columns
