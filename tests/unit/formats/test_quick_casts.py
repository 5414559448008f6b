"""The quick casts against the exact ones: equal for every text, or they are worth nothing."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.formats.casting import cast, is_token
from backbone.formats.quick_casts import quick, settled
from backbone.model.files import Column
from backbone.model.names import literal

COLUMNS = (
    *(Column("v", d) for d in ("integer", "float", "decimal(0)", "decimal(2)", "boolean", "date", "time", "timestamp")),
    Column("v", "timestamp_tz"),
    Column("v", "json"),
    Column("v", "integer", thousands=","),
    Column("v", "float", decimal=","),
    Column("v", "date", format="%d/%m/%Y"),
    Column("v", "timestamp", format="%Y-%m-%d %H:%M"),
    Column("v", "time", format="%H:%M"),
)
PLAIN = (
    "0", "-1", "007", "+5", "+-5", "-+5", "--5", "12.7", "1e3", "1E-2", "0x1F", "0b1", "1_000", "1_0.5", ".5",
    "5.", ".", "-", "-.5", "1.5e", "1e999", "-1e999", "nan", "inf", "-inf", "Infinity", "9223372036854775807",
    "9223372036854775808", " 7", "7 ", "\t7\n", "7\x0b", "\x0b7", "7\u00a0", "\u00a07", "1.50", "1.555",
    "1.500", "1e-400", "0.1f", "1d", "1,5", "true", "T", "yes", "Y", "on", "off", " true", "TRUE ", "fAlSe",
    "n", "No", "2", "2024-01-31", "2024-1-3", "2024/01/31", "2024-02-30", "0044-03-15", "44-03-15",
    "10000-01-01", "2024-01-31 (BC)", "infinity", "-infinity", "epoch", "2024-01-31 00:00", "24:00:00",
    "23:59:59", "9:05", "09:05:00", "10:00:00.5", "10:00:00.1234567", "31/12/2024", "31/12/24", " 31/12/2024",
    "2024-12-31 10:00", "NA", " NA ", "",
)  # fmt: skip
MOMENTS = (
    "2024-01-31 10:00:00", "2024-01-31T10:00:00Z", "2024-01-31T10:00:00+02:00", "2024-01-31", "10:00:00",
    "-12.75", "1000",
)  # fmt: skip
SIGNS = "0294- :/TZz+._ae(\t\u00a0é"


@pytest.fixture(scope="module")
def session():
    with DuckDBEngine().session() as session:
        yield session


def differing(session, texts):
    """Texts for which a quick cast isn't the exact one, by column."""
    values = ", ".join(f"({literal(t)})" for t in dict.fromkeys(texts))
    session.execute(f"CREATE OR REPLACE TEMP TABLE texts AS FROM (VALUES {values}) AS t(v)")
    found = []
    for column in COLUMNS:
        both = f"{settled('v', 'q', column)} AS s, {cast('v', column)} AS e"
        rows = session.rows(
            f"SELECT v FROM (SELECT v, {both} FROM (SELECT v, {quick('v', column)} AS q FROM texts)) "
            "WHERE s::VARCHAR IS DISTINCT FROM e::VARCHAR"
        )
        found += [(column.domain, column.format, v) for (v,) in rows]
    return found


def test_usual_and_odd_spellings(session):
    assert differing(session, PLAIN) == []


@pytest.mark.parametrize("text", MOMENTS)
def test_every_text_two_signs_away(session, text):
    places = combinations(range(len(text)), 2)
    near = [
        text[:i] + a + text[i + 1 : j] + b + text[j + 1 :] for i, j in places for a, b in product(SIGNS, SIGNS[::2])
    ]
    cut = [text[:i] + sign + text[i:] for i in range(len(text) + 1) for sign in SIGNS]

    assert differing(session, [*near, *cut]) == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(st.sampled_from("0123456789+-.,eE_xXTZ:/ \t\x0b\u00a0nainftruesyo"), max_size=24), min_size=20))
def test_any_text(session, texts):
    assert differing(session, texts) == []


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.text(st.sampled_from("NA!. \t\x0c\x0bn\u00a0"), max_size=5), min_size=20),
    st.lists(st.sampled_from(["", "NA", "N", "n.a.", ".", "!"]), min_size=1, unique=True),
)
def test_tokens_are_whole_trimmed_values(session, texts, tokens):
    values = ", ".join(f"({literal(t)})" for t in texts)

    found = session.rows(f"SELECT v, {is_token('v', tuple(tokens))} FROM (VALUES {values}) AS t(v)")

    assert all(told == (value.strip(" \t\n\r\x0b\x0c") in tokens) for value, told in found)
