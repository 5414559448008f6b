"""Stars: `select *` shows no system columns, which are there for those who name them."""

import re
from logging import getLogger

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from backbone.errors import QueryError

_IDENTIFIER = re.compile(r"(?<![\w'])_[a-z]\w*|\"_[^\"]*\"", re.IGNORECASE)
_QUERY = re.compile(r"(?>(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*)(select|with|from|values)\b", re.IGNORECASE | re.DOTALL)
getLogger("sqlglot").setLevel("ERROR")  # what it can't read, DuckDB speaks about
_FILTERS = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike)


def names_system_columns(query: str) -> bool:
    """Whether a query's text names an identifier that starts with `_`, so that system columns must be shown."""
    return _IDENTIFIER.search(query) is not None


def hide_system_columns(query: str) -> str:
    """The query with each star of a projection narrowed to the columns that don't start with `_`.

    Example:
        >>> hide_system_columns("select * from trusted.flights where _file = 1")
        "SELECT COLUMNS(LIST_FILTER(*, LAMBDA c : NOT STARTS_WITH(c, '_'))) FROM trusted.flights WHERE _file = 1"

    Raises:
        QueryError: the query joins by `NATURAL`, or has a star with `REPLACE` or `RENAME`, which can't be narrowed.
    """
    if not _QUERY.match(query):
        return query  # such as EXPLAIN, which sqlglot can't read and would complain about
    try:
        tree = parse_one(query, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return query  # DuckDB says what is wrong with it, and where
    if not isinstance(tree, exp.Query):
        return query
    for join in tree.find_all(exp.Join):
        if join.method.upper() == "NATURAL":
            raise QueryError("NATURAL JOIN would compare system columns too. Name the columns: JOIN … USING (…)")
    for select in list(tree.find_all(exp.Select)):
        for projection in list(select.expressions):
            _narrow(projection)
    return tree.sql(dialect="duckdb")


def _narrow(projection: exp.Expr) -> None:
    for columns in list(projection.find_all(exp.Columns)):
        if _is_star(columns.this):
            columns.set("this", _visible(columns.this))
    if _is_star(projection):
        projection.replace(exp.Columns(this=_visible(projection)))
        return
    test = projection.this if isinstance(projection, exp.Not | exp.Escape) else projection
    test = test.this if isinstance(test, exp.Not | exp.Escape) else test
    if isinstance(test, _FILTERS) and _is_star(test.this):
        star = test.this.copy()
        test.set("this", exp.to_identifier("c"))
        projection.replace(exp.Columns(this=_visible(star, projection.copy())))


def _is_star(node: object) -> bool:
    return isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star))


def _visible(star: exp.Expr, also: exp.Expr | None = None) -> exp.Expr:
    inner = star if isinstance(star, exp.Star) else star.this
    if inner.args.get("replace") or inner.args.get("rename"):
        word = "REPLACE" if inner.args.get("replace") else "RENAME"
        raise QueryError(f"A star with {word} can't be used beside system columns. Name the columns instead.")
    name = exp.to_identifier("c")
    shown: exp.Expr = exp.Not(this=exp.StartsWith(this=name.copy(), expression=exp.Literal.string("_")))
    if also is not None:
        shown = exp.and_(shown, also)
    return exp.Anonymous(this="LIST_FILTER", expressions=[star.copy(), exp.Lambda(this=shown, expressions=[name])])
