"""Values spelled in any known way are what they were before."""

from datetime import date, datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.formats.casting import cast
from backbone.formats.words import MONTHS, TRUTHS
from backbone.model.files import Column
from backbone.model.names import literal

CONNECTION = duckdb.connect()


def read(text: str, column: Column):
    return CONNECTION.execute(f"SELECT {cast(literal(text), column)}").fetchone()[0]


def grouped(value: int, sign: str) -> str:
    return f"{value:,}".replace(",", sign)


@settings(max_examples=60, deadline=None)
@given(value=st.integers(-(10**12), 10**12), sign=st.sampled_from([",", ".", " ", "\u00a0", "\u202f", "'", "\u2019"]))
def test_whole_numbers_in_groups(value, sign):
    thousands = {"\u00a0": " ", "\u202f": " ", "\u2019": "'"}.get(sign, sign)

    assert read(grouped(value, sign), Column("v", "integer", thousands=thousands)) == value


@settings(max_examples=60, deadline=None)
@given(cents=st.integers(-(10**9), 10**9), signs=st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]))
def test_fractions_in_every_convention(cents, signs):
    group, point = signs
    text = f"{'-' if cents < 0 else ''}{grouped(abs(cents) // 100, group)}{point}{abs(cents) % 100:02}"
    column = Column("v", "decimal(2)", decimal=point, thousands=group)

    assert int(read(text, column) * 100) == cents
    if group in ",." and (column := Column("v", "decimal(2)", decimal=".,")):
        assert int(read(text, column) * 100) == cents


@pytest.mark.parametrize("text", ["1.234", "1,234", "12.345", "1.2,3", "1,2,3", "1.234.56", ",", "1,,2"])
def test_what_may_be_two_numbers_is_none(text):
    assert read(text, Column("v", "float", decimal=".,")) is None


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("€5", ("€",), 5), ("-€5.5", ("€",), -5.5), ("€-5", ("€",), -5), (" 5 € ", ("€",), 5), ("5", ("€",), 5),
        ("5 EUR", ("€", "EUR"), 5), ("5 $", ("€",), None), ("12%", ("%",), 12), ("5 kgs", ("kg",), None),
        ("€€5", ("€",), None), ("€", ("€",), None),
    ],
)  # fmt: skip
def test_units(text, unit, value):
    assert read(text, Column("v", "float", unit=unit)) == value


@settings(max_examples=80, deadline=None)
@given(
    day=st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    form=st.sampled_from(["{d} {m} {y}", "{d}. {m} {y}", "{d}-{m}-{y}", "{d} de {m} de {y}", "{d:02}{m}{y}"]),
    data=st.data(),
)
def test_days_with_named_months_in_every_language(day, form, data):
    name = data.draw(st.sampled_from(MONTHS[day.month - 1].split()))
    text = form.format(d=day.day, m=data.draw(st.sampled_from([name, name.upper(), name.title()])), y=day.year)

    assert read(text, Column("v", "date", format="%d %B %Y")) == day
    assert read(f"{text}x", Column("v", "date", format="%d %B %Y")) is None


def test_every_month_has_words_of_its_own():
    words = [word for names in MONTHS for word in names.split()]

    assert len(words) == len(set(words))


@pytest.mark.parametrize("form", ["%d %B %Y %H:%M:%S", "%B %d, %Y %I:%M:%S %p", "%A, %d. %B %Y %H:%M:%S"])
def test_moments_with_named_months(form):
    moment = datetime.fromisoformat("2024-03-05T15:04:05")
    for step in range(0, 400, 37):
        when = moment + timedelta(days=step, hours=step)
        assert read(when.strftime(form), Column("v", "timestamp", format=form)) == when


def test_truth_in_every_language():
    column = Column("v", "boolean")

    for yes, no in TRUTHS:
        assert (read(yes.upper(), column), read(f" {no} ", column)) == (True, False)
    assert (read("Sí", column), read("não", column), read("perhaps", column)) == (True, False, None)
