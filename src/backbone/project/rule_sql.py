"""Pieces of SQL in rules: which columns they use, and whether they look at one row or at many."""

from typing import TYPE_CHECKING

from backbone.project.catalogue import SYSTEM_COLUMNS, Domains, missing_column
from backbone.project.sql import Parsed, duckdb_dialect
from backbone.quality import expressions

if TYPE_CHECKING:
    from backbone.errors import Problem


def check_part_columns(parsed: Parsed, columns: Domains | None, where: str, problems: "list[Problem]") -> None:
    """Note each column of a piece of SQL that is not in `columns`."""
    from sqlglot import exp

    if columns is None:
        return
    known = {name.lower() for name in (*columns, *SYSTEM_COLUMNS)}
    for column in parsed.all(exp.Column):
        first = column.parts[0]
        # A name with dots is a column and its fields.
        if isinstance(first, exp.Identifier) and first.name.lower() not in known:
            problems.append(parsed.place(first).problem(missing_column(first.name, columns, where)))


def is_aggregate(parsed: Parsed) -> bool:
    """Whether a piece of SQL sums up many rows; quality knows aggregates that sqlglot doesn't."""
    from sqlglot import exp

    if parsed.all(exp.AggFunc):
        return True
    # In brackets, so that a column called `comment` or `show` isn't taken for a statement.
    return bool(parsed.all(exp.Anonymous)) and expressions.is_aggregate(f"({parsed.text.value}\n)")


def with_column(sql: str, column: str) -> str:
    """A piece of SQL about `this`, about a column instead."""
    from sqlglot import exp

    dialect = duckdb_dialect()
    tree = dialect.parser().parse_into(exp.Condition, dialect.tokenize(sql), sql)[0]
    if tree is None:
        return sql
    for found in tree.find_all(exp.Column):
        if found.parts[0].name.lower() == "this":
            found.parts[0].replace(exp.to_identifier(column, quoted=True))
    return str(tree.sql(dialect=dialect))
