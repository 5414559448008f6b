"""Rules as SQL, judged by the real engine."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.protocol import Session
from backbone.errors import ProjectError
from backbone.model.domains import sql_type
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.quality.predicates import relation_after, repair_expression, repaired_columns, row_predicate


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with DuckDBEngine().session() as one:
        yield one


def relation(**domains: str) -> Relation:
    return Relation(tuple(Attribute(name, domain) for name, domain in domains.items()))


def rule(kind: str, column: str = "x", **params: Any) -> Rule:
    own = {k: params.pop(k) for k in ("where", "exceptions", "sql") if k in params}
    texts = tuple((name.rstrip("_"), value) for name, value in params.items())
    return Rule(kind, f"{kind}({column})", columns=(column,), action="warn", params=texts, **own)


def evaluated(session: Session, expression: str, domain: str, *values: object) -> list[Any]:
    """An expression over the column `x`, for each value."""
    rows = ", ".join("(NULL, 0)" if v is None else f"('{v}', {i})" for i, v in enumerate(values))
    table = f"(SELECT CAST(v AS {sql_type(domain)}) AS x, i AS n FROM (VALUES {rows}) AS t(v, i))"
    return [row[0] for row in session.rows(f"SELECT {expression} FROM {table}")]


@pytest.mark.parametrize(
    ("one", "domain", "values", "expected"),
    [
        (rule("not_null"), "text", ("a", None), [True, False]),
        (rule("in_range", from_="1", to="3"), "integer", (0, 1, 3, 4, None), [False, True, True, False, True]),
        (rule("in_range", from_="0.5", to="1.5"), "integer", (0, 1, 2), [False, True, False]),
        (rule("in_range", to="0.999"), "decimal(2)", ("0.99", "1.00"), [True, False]),
        (rule("in_range", to="today"), "timestamp", ("2013-01-01 12:00", "9999-01-01"), [True, False]),
        (rule("in_range", from_="2013-01-01"), "date", ("2012-12-31", "2013-01-01"), [False, True]),
        (rule("in_range", from_="b"), "text", ("a", "b"), [False, True]),
        (rule("one_of", values=("NO", "007")), "text", ("NO", "7", None), [True, False, True]),
        (rule("one_of", values="007"), "integer", (7, 8), [True, False]),
        (rule("matches", pattern="[0-9A-Z]{2}"), "text", ("UA", "UAL", None), [True, False, True]),
        (rule("matches", pattern="\\d{4}"), "integer", (2013, 13), [True, False]),
        (rule("length", from_="2", to="3"), "text", ("é", "éé", "éééé", None), [False, True, False, True]),
        (rule("length", to="1"), "text[]", ("[a]", "[a, b]"), [True, False]),
        (rule("expect", sql="x > 1 -- why"), "integer", (1, 2, None), [False, True, True]),
        (rule("not_null", where="n = 0"), "text", (None, "a"), [False, True]),
        (rule("in_range", to="1", where="n > 0"), "integer", (5, 5), [True, False]),
        (rule("type", as_="integer"), "text", ("7", "1.0", " 8 ", None), [True] * 4),
        (rule("type", as_="integer"), "text", ("1.5", "x"), [False, False]),
        (rule("type", as_="integer"), "float", ("1.0", "1.5"), [True, False]),
        (rule("type", as_="decimal(2)"), "text", ("1", "1.25", "1.250", ".5"), [True] * 4),
        (rule("type", as_="decimal(2)"), "text", ("1.251", "."), [False, False]),
        (rule("type", as_="date"), "text", ("2013-02-28", "2013-02-30"), [True, False]),
    ],
)  # fmt: skip
def test_which_values_satisfy_a_rule(
    session: Session, one: Rule, domain: str, values: tuple[object, ...], expected: list[bool]
) -> None:
    predicate = row_predicate(one, relation(x=domain, n="integer"))

    assert evaluated(session, predicate, domain, *values) == expected


def test_records_named_in_except_are_left_alone(session: Session) -> None:
    one = rule("in_range", to="1", exceptions=((12, 640), (12, 641), (13, 1)))
    rows = "(VALUES (5, 12, 640), (5, 12, 642), (5, 13, 1), (5, NULL, NULL)) AS t(x, _file, _record)"

    predicate = row_predicate(one, relation(x="integer", _file="integer", _record="integer"))

    assert [row[0] for row in session.rows(f"SELECT {predicate} FROM {rows}")] == [True, False, True, False]


@pytest.mark.parametrize(
    ("one", "domain", "values", "expected"),
    [
        (rule("trim"), "text", (" a b\t", "\u00a0é\u3000", "", "  ", None), ["a b", "é", "", "", None]),
        (rule("null_tokens", tokens=("NA", "-")), "text", ("NA", " - ", "N", ""), [None, None, "N", ""]),
        (rule("null_tokens", tokens=("NA", "-1")), "integer", (-1, 1), [None, 1]),
        (rule("replace", with_=(("a", "b"), ("c", "d"))), "text", ("a", "c", "A", None), ["b", "d", "A", None]),
        (rule("set", to="0", where="x = 2400"), "integer", (2400, 1, None), [0, 1, None]),
        (rule("set", to="x / 2"), "integer", (4, -2, None), [2, -1, None]),
        (rule("set", to="x // 2"), "integer", (5,), [2]),
        (rule("set", to="round(x * 1.1, 2)"), "decimal(2)", ("1.25",), [Decimal("1.38")]),
        (rule("set", to="x + INTERVAL 1 DAY"), "date", ("2024-02-28",), [date(2024, 2, 29)]),
        (rule("set", to="x / 2"), "float", ("5",), [2.5]),
        (rule("type", as_="integer"), "text", ("007", "1.5"), [7, None]),
    ],
)
def test_what_repairs_make_of_values(
    session: Session, one: Rule, domain: str, values: tuple[object, ...], expected: list[Any]
) -> None:
    expression = repair_expression(one, "x", relation(x=domain))

    assert evaluated(session, expression, domain, *values) == expected


@pytest.mark.parametrize(
    ("to", "domain", "value", "message"),
    [
        ("x / 2", "integer", 5, "2.5 is no integer. Say how it becomes one"),
        ("x * 1.1", "decimal(2)", "1.25", r"1.375 is no decimal\(2\). Say"),
        ("x + INTERVAL 1 HOUR", "date", "2024-02-28", "2024-02-28 01:00:00 is no date. Say"),
    ],
)
def test_set_rounds_nothing(session: Session, to: str, domain: str, value: object, message: str) -> None:
    expression = repair_expression(rule("set", to=to), "x", relation(x=domain))

    with pytest.raises(Exception, match=message):
        evaluated(session, expression, domain, value)


def test_trim_all_is_about_text() -> None:
    columns = repaired_columns(rule("trim", "all"), relation(a="text", b="integer", _file="integer"))

    assert columns == ("a",)


def test_type_changes_the_domain() -> None:
    after = relation_after([rule("type", as_="decimal(2)")], relation(x="text", y="text"))

    assert after == relation(x="decimal(2)", y="text")


@pytest.mark.parametrize(
    ("one", "domain", "message"),
    [
        (rule("not_null", "air_tme"), "text", "there is no column 'air_tme'"),
        (rule("in_range", from_="9"), "text", "x is text, where '9' comes after '10'"),
        (rule("in_range", from_="soon"), "date", "'soon' is no date"),
        (rule("one_of", values=("a",)), "integer", "'a' is no integer"),
        (rule("one_of", values=("1.5",)), "integer", "'1.5' is no integer"),
        (rule("expect", sql="x IN (SELECT 1)"), "integer", "a rule takes no subquery"),
        (rule("expect", sql="x = first(x) OVER ()"), "integer", "a rule takes no window function"),
        (rule("expect", sql="x >"), "integer", "is no SQL expression"),
        (rule("not_null", where="count(*) > 1"), "integer", "an aggregate is no condition on one row"),
        (rule("type", as_="integer", where="true"), "text", "it takes neither where nor except"),
        (rule("unique"), "text", "unique doesn't judge single rows"),
    ],
)
def test_rules_that_do_not_fit_are_refused(one: Rule, domain: str, message: str) -> None:
    with pytest.raises(ProjectError, match=message):
        row_predicate(one, relation(x=domain))
