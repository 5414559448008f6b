"""What the SQL in a rule is about: the columns that it reads, and whether it is over one row or over all."""

from functools import lru_cache
from typing import TYPE_CHECKING

from backbone.errors import Problem, ProjectError
from backbone.lineage.aggregates import AGGREGATES

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

    from backbone.model.rules import Rule

_TIMES = frozenset({"now", "get_current_timestamp", "transaction_timestamp", "age"})


@lru_cache(maxsize=1024)
def _parsed(sql: str) -> "Expr":
    # Imported here: a run with nothing to do needs no SQL parser, and importing it costs more than all it does.
    from sqlglot import parse_one

    # In brackets, a column called `comment` or `set` begins no statement.
    return parse_one(f"({sql}\n)", dialect="duckdb")


def columns_in(sql: str | None) -> frozenset[str]:
    """The names of the columns that an SQL expression reads, in small letters."""
    from sqlglot.expressions import Column

    return frozenset(c.name.lower() for c in _parsed(sql).find_all(Column)) if sql else frozenset()


def is_aggregate(sql: str | None) -> bool:
    """Whether an SQL expression is over all rows: it holds an aggregate function."""
    if not sql or "(" not in sql:
        return False
    from sqlglot.expressions import AggFunc, Anonymous

    tree = _parsed(sql)
    others = any(call.name.lower() in AGGREGATES for call in tree.find_all(Anonymous))
    return others or tree.find(AggFunc) is not None


def depends_on_the_day(sql: str) -> bool:
    """Whether an SQL expression asks for the present date or time."""
    from sqlglot.expressions import Anonymous, CurrentDate, CurrentTime, CurrentTimestamp, Localtimestamp

    tree = _parsed(sql)
    called = {call.name.lower() for call in tree.find_all(Anonymous)}
    return tree.find(CurrentDate, CurrentTime, CurrentTimestamp, Localtimestamp) is not None or bool(called & _TIMES)


def is_dataset_check(rule: "Rule") -> bool:
    """Whether a rule is an `expect` that is true or not of the whole dataset, not of each row."""
    return rule.kind == "expect" and is_aggregate(rule.sql)


def refuse_queries(rule: "Rule") -> None:
    """Refuse SQL in a rule that reads more than the row or the dataset that it judges.

    Raises:
        ProjectError: it has a subquery or a window, can't be parsed, or has an aggregate where rows are judged.
    """
    from sqlglot.errors import ParseError
    from sqlglot.expressions import Query, Window

    by_row = (rule.where, rule.param("to") if rule.kind == "set" else None)
    for sql in (rule.sql, *by_row):
        if sql is None:
            continue
        try:
            tree = _parsed(str(sql))
        except ParseError as error:
            raise _refused(rule, f"{str(sql)!r} is no SQL expression: {str(error).splitlines()[0]}") from error
        if tree.find(Query):
            raise _refused(rule, "a rule takes no subquery. Join in a view of the exploitation zone instead")
        if tree.find(Window):
            raise _refused(rule, "a rule takes no window function. Use unique, or a view of the exploitation zone")
    if any(is_aggregate(str(sql)) for sql in by_row if sql):
        raise _refused(rule, "an aggregate is no condition on one row")


def _refused(rule: "Rule", message: str) -> ProjectError:
    return ProjectError([Problem(rule.at, f"{rule.name}: {message}")])
