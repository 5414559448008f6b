"""Queries made up at random over the part that carries over give the same on both engines."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.conftest import Both
from thoroughness import some

INTEGERS = st.sampled_from(
    ["a", "a % 10", "length(b)", "x::BIGINT % 7", "year(d)", "len(l)", "NULL::BIGINT", "3", "-1"]
)
TEXTS = st.sampled_from(
    ["b", "upper(b)", "b || '-'", "left(b, 2)", "trim(b)", "a::VARCHAR", "d::VARCHAR", "''", "NULL::VARCHAR"]
)
DECIMALS = st.sampled_from(["x", "x % 10", "-x", "round(x, 1)", "0.05", "2.5::DECIMAL(5,2)"])
MOMENTS = st.sampled_from(["d", "ts::DATE", "tz::DATE", "make_date(2024, 2, 29)", "last_day(d)"])


@st.composite
def _numbers(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0:
        return draw(INTEGERS)
    inner = _numbers(depth - 1)
    made = draw(st.sampled_from(["({} // {})", "({} % {})", "coalesce({}, {})", "nullif({}, {})", "greatest({}, {})",
                                 "least({}, {})", "(CASE WHEN bo THEN {} ELSE {} END)", "if(a > 0, {}, {})"]))  # fmt: skip
    return made.format(draw(inner), draw(inner))


@st.composite
def _conditions(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0:
        pair = draw(st.sampled_from([INTEGERS, TEXTS, DECIMALS, MOMENTS]))
        how = draw(st.sampled_from(["{} = {}", "{} <> {}", "{} < {}", "{} >= {}", "{} IS DISTINCT FROM {}",
                                    "{} IN ({})", "{} NOT IN ({}, NULL)", "({} IS NULL) = ({} IS NULL)"]))  # fmt: skip
        return f"({how.format(draw(pair), draw(pair))})"
    inner = _conditions(depth - 1)
    return draw(st.sampled_from(["({} AND {})", "({} OR {})", "(NOT {} OR {})"])).format(draw(inner), draw(inner))


@st.composite
def _queries(draw: st.DrawFn) -> str:
    value = draw(st.one_of(_numbers(), TEXTS, DECIMALS, MOMENTS))
    where = draw(_conditions())
    match draw(st.sampled_from(["rows", "groups", "windows", "joins", "sets", "subqueries"])):
        case "rows":
            return f"SELECT {value} AS v, {draw(_conditions())} AS c FROM trusted.edges WHERE {where}"
        case "groups":
            how = draw(
                st.sampled_from(
                    [
                        "count({})",
                        "count(DISTINCT {})",
                        "min({})",
                        "max({})",
                        "string_agg({}::VARCHAR, ',' ORDER BY {} DESC)",
                    ]
                )
            )
            having = draw(st.sampled_from(["", " HAVING count(*) > 1"]))
            return f"SELECT bo, {how.format(value, value)} AS v, count(*) FILTER ({where}) AS n FROM trusted.edges GROUP BY bo{having}"
        case "windows":
            how = draw(
                st.sampled_from(
                    ["max({}) OVER w", "count({}) OVER w", "lag({}) OVER w", "first_value({}) OVER w", "rank() OVER w"]
                )
            )
            frame = draw(
                st.sampled_from(
                    [
                        "",
                        " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                        " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
                    ]
                )
            )
            nulls = draw(st.sampled_from(["", " NULLS FIRST", " DESC"]))
            return f"SELECT a, {how.format(value)} AS v FROM trusted.edges WINDOW w AS (PARTITION BY bo ORDER BY a{nulls}, b{frame})"
        case "joins":
            how = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]))
            on = draw(
                st.sampled_from(
                    ["o.n = t.a", "o.n IS NOT DISTINCT FROM t.a", "o.n < t.a AND o.c > t.b", "o.n = t.a AND t.bo"]
                )
            )
            return f"SELECT {value} AS v, c FROM trusted.edges AS t {how} (SELECT a AS n, c FROM trusted.others) AS o ON {on}"
        case "sets":
            how = draw(st.sampled_from(["UNION ALL", "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL"]))
            return f"SELECT {draw(_numbers())} AS v FROM trusted.edges WHERE {where} {how} SELECT {draw(_numbers())} FROM trusted.edges"
        case _:
            how = draw(st.sampled_from(["{} IN (SELECT n FROM o)", "{} NOT IN (SELECT n FROM o)", "EXISTS (SELECT 1 FROM o WHERE n = {})",
                                        "NOT EXISTS (SELECT 1 FROM o WHERE n > {} AND c <> t.b)", "{} > (SELECT min(n) FROM o WHERE c > t.b)"]))  # fmt: skip
            condition = how.format(draw(_numbers()))
            return f"WITH o AS (SELECT a AS n, c FROM trusted.others) SELECT {value} AS v FROM trusted.edges AS t WHERE {condition}"


def _same(both: Both, query: str) -> None:
    expected, given_ = both.answers(query)

    assert given_ == expected


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=_queries())
def test_a_few_queries_at_random(both: Both, query: str) -> None:
    _same(both, query)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=some(50, 500), deadline=None, suppress_health_check=list(HealthCheck))
@given(query=_queries())
def test_many_queries_at_random(both: Both, query: str) -> None:
    _same(both, query)
