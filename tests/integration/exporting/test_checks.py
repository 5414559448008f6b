"""A check that is carried over to PostgreSQL is true of the same rows there; what might not be isn't carried over."""

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.exporting.postgres_sql import NotCarriedError, carried

COLUMNS = {"n": "integer", "Words": "text", "x": "float", "d": "date", "b": "boolean", "p": "decimal(2)", "l": "text[]"}
ROWS = """
SELECT * FROM (VALUES
    (1, 'AB12', 1.5::{double}, DATE '2026-01-01', true, 1.25::NUMERIC(18,2)),
    (-7, '', 'nan'::{double}, DATE '0001-01-01', false, -0.01::NUMERIC(18,2)),
    (0, E'a\\nb', 'inf'::{double}, DATE '9999-12-31', NULL, 0::NUMERIC(18,2)),
    (9007199254740993, 'Ωμέγα', '-inf'::{double}, NULL, true, 99999.99::NUMERIC(18,2)),
    (NULL, NULL, NULL, NULL, NULL, NULL), (5, 'ab12', -0.0::{double}, DATE '1999-12-31', true, 5::NUMERIC(18,2)),
    (6, '١٢', 1e300::{double}, DATE '2026-06-30', false, 6::NUMERIC(18,2))
) AS t(n, "Words", x, d, b, p)"""
CARRIED = [
    "n > 0 AND words IS NOT NULL", "n BETWEEN -7 AND p", "words IN ('', 'AB12')", "NOT (words NOT IN ('', 'AB12'))",
    "regexp_full_match(words, '[A-Z]{2}\\d+')", "regexp_full_match(words, 'a.b')", "regexp_full_match(words, '\\w*')",
    "regexp_full_match(words, '[^\\d]*')", "regexp_full_match(words, '(?:a|b|AB)[0-9]{2}|')", "len(words) <= 4",
    "regexp_full_match(words, 'a[^x]b')", "x > 1 OR x <= -1", "x = x", "n * 2 - 1 >= p + n", "abs(n) > 5", "b", "NOT b",
    "d >= '2000-01-01'", "d <> DATE '0001-01-01'", "CASE WHEN n > 0 THEN p > 1 ELSE words = '' END", "-n < 0",
    "coalesce(n, 0) = 0", "n IS DISTINCT FROM 1", "((n > 0) IS TRUE) IS NOT TRUE OR (p >= 1)", "(b) = (n > 0)",
    "if(n > 0, p, -p) > 0", "words <> 'x' OR words IS NULL", "n + p + 0.5 > 1.75",
]  # fmt: skip
NOT_CARRIED = [
    "n / 2 > 1", "n // 2 > 1", "n % 2 = 0", "words > 'a'", "words BETWEEN 'a' AND 'b'", "words LIKE 'a%'", "len(l) > 0",
    "lower(words) = words", "list_contains(l, 'a')", "words ~ 'a'", "round(x) = x", "CAST(x AS VARCHAR) = '1'",
    "x::INT = 1",
    "regexp_full_match(words, '\\pL+')", "regexp_full_match(words, '(?i)a')", "regexp_full_match(words, '[[:alpha:]]')",
    "regexp_full_match(words, words)", "strlen(words) = 1", "words[1] = 'a'", "t.n > 1", "n > nothing",
    "d - d > 1 AND foo(n)",
    "words COLLATE NOCASE = 'a'", "d < now()", "n ** 2 > 1", "n << 2 > 1", "(SELECT true)",
]  # fmt: skip


@pytest.fixture(scope="module")
def judged(server):
    """What each of the two says of every row."""
    with psycopg.connect(server) as there, duckdb.connect() as here:

        def both(check: str) -> tuple[list, list]:
            sql = carried(check, COLUMNS)
            mine = here.execute(f"SELECT ({check}) FROM ({ROWS.format(double='DOUBLE')})").fetchall()
            yours = there.execute(f"SELECT ({sql}) FROM ({ROWS.format(double='float8')}) AS t").fetchall()
            return mine, yours

        yield both


@pytest.mark.parametrize("check", CARRIED)
def test_a_check_that_is_carried_over_means_the_same(judged, check) -> None:
    mine, yours = judged(check)

    assert mine == yours
    assert {True, False} & {value for (value,) in mine}


@pytest.mark.parametrize("check", NOT_CARRIED)
def test_what_may_mean_something_else_is_not_carried_over(check) -> None:
    with pytest.raises(NotCarriedError):
        carried(check, COLUMNS)


@given(st.text(alphabet="abAB01^$.[]{}()?*+|\\-dws\n", max_size=12), st.data())
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_regular_expressions_match_the_same_texts_or_are_left_out(server, pattern, data) -> None:
    texts = data.draw(st.lists(st.text(alphabet="abAB01\n.-[]", max_size=5), min_size=1, max_size=8))
    with duckdb.connect() as here:
        try:
            mine = [here.execute("SELECT regexp_full_match(?, ?)", [text, pattern]).fetchone()[0] for text in texts]
        except duckdb.Error:
            return  # no regular expression: no rule has it
    literal = pattern.replace("'", "''")
    try:
        sql = carried(f"regexp_full_match(words, '{literal}')", COLUMNS)
    except NotCarriedError:
        return
    with psycopg.connect(server) as there:
        try:
            rows = [
                there.execute(f"SELECT {sql} FROM (SELECT '{text}'::text AS \"Words\") AS t").fetchone()
                for text in texts
            ]
        except psycopg.DataError:
            return  # PostgreSQL refuses it: the export says so
    assert [value for (value,) in rows] == mine, (pattern, sql, texts)
