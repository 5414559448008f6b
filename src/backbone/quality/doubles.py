"""Rows that are equal in some columns, found by hash first: hashing 10M rows costs less than grouping wide keys."""

from backbone.model.names import quoted
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.quality.predicates import is_all, scope_condition, tested_columns


def hash_sql(columns: tuple[str, ...], alias: str = "") -> str:
    """SQL for a 64-bit hash of the values of some columns; equal values (NULL equals NULL) hash alike."""
    return f"hash({column_list(columns, alias)})"


def column_list(columns: tuple[str, ...], alias: str = "") -> str:
    """Column names, quoted, for a SELECT or GROUP BY."""
    return ", ".join(f"{alias}.{quoted(c)}" if alias else quoted(c) for c in columns)


def unique_scope(rule: Rule, relation: Relation) -> str:
    """SQL for the rows that a `unique` rule compares.

    As everywhere, a missing value breaks no rule: rows that lack one of the columns named are equal to none.
    With `all` a missing value equals another, else no two rows with a gap would ever be doubles.
    """
    scope = [scope_condition(rule, relation)] if scope_condition(rule, relation) else []
    values = [] if is_all(rule) else [f"{quoted(c)} IS NOT NULL" for c in tested_columns(rule, relation)]
    return " AND ".join([*scope, *values]) or "true"


def repeated_sql(table: str, columns: tuple[str, ...], scope: str) -> str:
    """A SELECT of the hashes `h` that several rows in scope have: few, and none where there are no doubles."""
    return f"SELECT {hash_sql(columns)} AS h FROM {table} AS t WHERE {scope} GROUP BY h HAVING count(*) > 1"


def doubles_sql(table: str, columns: tuple[str, ...], scope: str, repeated: str) -> str:
    """A SELECT of the groups of equal rows: the columns, and `n` rows in each. Exact: `repeated` only narrows."""
    names = column_list(columns)
    candidates = f"SELECT {names}, {hash_sql(columns)} AS _h FROM {table} AS t WHERE {scope}"
    return (
        f"SELECT {names}, count(*) AS n FROM ({candidates}) AS c SEMI JOIN {repeated} AS r ON c._h = r.h "
        f"GROUP BY {names} HAVING count(*) > 1"
    )
