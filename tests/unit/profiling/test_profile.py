"""The profile that every run makes, on a real session."""

from datetime import UTC, datetime
from math import inf, isfinite, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.protocol import Session
from backbone.model.relations import Attribute, Relation
from backbone.profiling import sample
from backbone.profiling.histogram import Bin
from backbone.profiling.profile import AttributeProfile, profile_detail, profile_relation
from backbone.profiling.sample import estimated_distinct


@pytest.fixture(scope="module")
def session():
    engine = DuckDBEngine()
    with engine.session() as made:
        yield made
    engine.close()


def relation(**domains: str) -> Relation:
    return Relation(tuple(Attribute(name, domain) for name, domain in domains.items()))


def test_counts_nulls_distinct_values_bounds_and_mean_of_each_column(session: Session) -> None:
    session.execute("CREATE OR REPLACE TABLE t AS FROM (VALUES (1, 'b'), (3, 'a'), (NULL, 'a')) AS v(n, \"odd name\")")

    found = profile_relation(session, "t", relation(n="integer", **{"odd name": "text"}), 3)

    assert found == (
        AttributeProfile("n", "integer", 3, 1, 2, False, "1", "3", 2.0),
        AttributeProfile("odd name", "text", 3, 0, 2, False, "a", "b", None),
    )


def test_an_empty_table_has_no_values(session: Session) -> None:
    session.execute("CREATE OR REPLACE TABLE t (d DATE)")

    assert profile_relation(session, "t", relation(d="date"), 0) == (
        AttributeProfile("d", "date", 0, 0, 0, False, None, None, None),
    )


def test_what_has_no_order_has_no_bounds_and_what_is_not_finite_no_mean(session: Session) -> None:
    session.execute(
        "CREATE OR REPLACE TABLE t AS SELECT '[1]'::JSON AS j, [1, 2] AS l, 'inf'::DOUBLE AS f, 1.5::DECIMAL(18,1) AS p"
    )

    found = profile_relation(session, "t", relation(j="json", l="integer[]", f="float", p="decimal(1)"), 1)

    assert [(p.minimum, p.mean) for p in found] == [(None, None), (None, None), ("inf", None), ("1.5", 1.5)]


def test_many_rows_are_sampled_for_distinct_values_only(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "SAMPLED_ABOVE", 100_000)
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 20_000)
    session.execute(
        "CREATE OR REPLACE TABLE t AS SELECT i AS id, i % 16 AS few, i // 2 AS pairs, "
        "CASE WHEN i % 4 = 0 THEN NULL ELSE i END AS some FROM range(200000) AS r(i)"
    )

    every, few, pairs, some = profile_relation(
        session, "t", relation(id="integer", few="integer", pairs="integer", some="integer"), 200_000
    )

    assert (every.minimum, every.maximum, every.distinct) == ("0", "199999", 200_000)
    assert (few.distinct, few.approximate) == (16, True)
    assert pairs.distinct == pytest.approx(100_000, rel=0.1)
    assert (some.nulls, some.distinct) == (50_000, 150_000)


def test_a_sample_without_values_estimates_none() -> None:
    assert estimated_distinct(1_000, 0, 0, 0) == 0


@given(st.integers(1, 10**9), st.data())
def test_an_estimate_lies_between_what_was_seen_and_all_rows(rows: int, data: st.DataObject) -> None:
    sample = data.draw(st.integers(1, rows))
    distinct = data.draw(st.integers(1, sample))
    # As many values occur once as leave two rows or more to each of the others.
    once = data.draw(st.integers(max(0, 2 * distinct - sample), distinct))
    if once == distinct and sample > distinct:
        once -= 1

    assert distinct <= estimated_distinct(rows, sample, distinct, once) <= rows


def test_the_full_profile_has_frequent_values_quantiles_and_a_histogram(session: Session) -> None:
    session.execute(
        "CREATE OR REPLACE TABLE t AS SELECT (i % 20)::BIGINT AS n, i % 2 = 0 AS even FROM range(100) AS r(i)"
    )

    number, even = profile_detail(session, "t", relation(n="integer", even="boolean"))

    assert (number.distinct, number.approximate, number.mean) == (20, False, 9.5)
    assert number.top[:2] == ((0, 5), (1, 5))
    assert [share for share, _ in number.quantiles] == [0.05, 0.25, 0.5, 0.75, 0.95]
    assert [b.rows for b in number.histogram] == [5] * 20
    assert even.top == ((False, 50), (True, 50))
    assert (even.quantiles, even.histogram) == ((), ())


def test_the_full_profile_of_many_rows_tells_values_from_a_sample_and_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "SAMPLED_ABOVE", 100_000)
    monkeypatch.setattr(sample, "SAMPLE_ROWS", 20_000)
    session.execute("CREATE OR REPLACE TABLE t AS SELECT i AS id, least(i % 4, 2) AS few FROM range(200000) AS r(i)")

    every, few = profile_detail(session, "t", relation(id="integer", few="integer"))

    assert (every.approximate, every.minimum, every.maximum, every.distinct) == (True, 0, 199_999, 200_000)
    assert (every.top, few.top[0][0], few.distinct) == ((), 2, 3)
    assert few.top[0][1] == pytest.approx(100_000, rel=0.1)
    assert sum(b.rows for b in every.histogram) == pytest.approx(200_000, abs=20)
    assert dict(every.quantiles)[0.5] == pytest.approx(100_000, rel=0.1)


def test_times_have_a_histogram_in_seconds_and_one_value_one_bin(session: Session) -> None:
    session.execute("CREATE OR REPLACE TABLE t AS SELECT TIMESTAMPTZ '1970-01-01 00:00:10+00' AS at FROM range(3)")

    (at,) = profile_detail(session, "t", relation(at="timestamp_tz"))

    assert at.minimum == datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC)
    assert at.histogram == (Bin(10.0, 10.0, 3),)


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.none() | st.floats(-1e300, 1e300) | st.sampled_from([inf, -inf, nan]), max_size=30))
def test_a_histogram_holds_every_finite_value(session: Session, values: list[float | None]) -> None:
    rows = ", ".join("(NULL)" if v is None else f"('{v}'::DOUBLE)" for v in values) or "(NULL)"
    session.execute(f"CREATE OR REPLACE TABLE t AS SELECT f::DOUBLE AS f FROM (VALUES {rows}) AS v(f)")

    (detail,) = profile_detail(session, "t", relation(f="float"))

    finite = [v for v in values if v is not None and isfinite(v)]
    too_close = bool(finite) and 0 < max(finite) - min(finite) < 1e-300
    assert sum(b.rows for b in detail.histogram) == (0 if too_close else len(finite))
