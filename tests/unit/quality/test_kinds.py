"""Semantic types in the real engine, against the algorithms written out in Python."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.model.names import literal
from backbone.quality.kinds import KINDS, kind_condition

ENGINE = DuckDBEngine()
DIGITS = "0123456789"


def are(kind: str, *values: str) -> list[bool]:
    rows = ", ".join(f"({n}, {literal(v)})" for n, v in enumerate(values))
    with ENGINE.session() as session:
        found = session.rows(f"SELECT {kind_condition(kind, 'v')} FROM (VALUES {rows}) AS t(n, v) ORDER BY n")
    return [one for (one,) in found]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("email", ["a@b.org", "first.last+tag@sub.example.co.uk"], ["a@b", "a b@c.org", "@b.org", "a@-b.org", ""]),
        ("url", ["https://example.org", "http://a.b:80/c?d=e#f", "HTTPS://u@X.org", "ftp://localhost/x"],
         ["example.org", "http:/x.org", "https://a b.org", "javascript:alert(1)", ""]),
        ("phone", ["+34 93 123 45 67", "(020) 7946-0018", "5551234"], ["123", "+1 234 abc 5678", "1" * 16, ""]),
        ("country", ["ES", "GB"], ["UK", "es", "XX", ""]),
        ("iban", ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "NO9386011117947"],
         ["GB83 WEST 1234 5698 7654 32", "DE8937040044053201300", "DE89", "", "ß" * 22]),
        ("bic", ["DEUTDEFF", "DEUTDEFF500"], ["DEUTDEF", "deutdeff"]),
        ("card", ["4539 1488 0343 6467", "371449635398431"], ["4539 1488 0343 6468", "0", ""]),
        ("ean", ["4006381333931", "73513537", "036000291452"], ["4006381333932", "400638133393", "x", ""]),
        ("isbn", ["978-0-306-40615-7", "0-306-40615-2", "080442957X"],
         ["978-0-306-40615-8", "0306406153", "X" * 10, ""]),
        ("uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567e89b12d3a456426614174000"]),
        ("ipv4", ["192.168.0.1", "255.255.255.255"], ["256.1.1.1", "1.2.3", "1.2.3.4.5"]),
        ("latitude", ["-90", "41.4"], ["90.1", "north", ""]),
        ("longitude", ["-180", "2.17"], ["180.5", "nan"]),
        ("date", ["2024-02-29"], ["2023-02-29", "29/02/2024", "soon"]),
        ("timestamp", ["2024-02-29 12:00:00"], ["2024-02-29 25:00:00", "soon"]),
    ],
)  # fmt: skip
def test_what_is_of_a_kind(kind: str, good: list[str], bad: list[str]) -> None:
    assert are(kind, *good) == [True] * len(good)
    assert are(kind, *bad) == [False] * len(bad)


def test_every_kind_is_tried() -> None:
    (mark,) = (m for m in test_what_is_of_a_kind.pytestmark if m.name == "parametrize")

    assert {case[0] for case in mark.args[1]} == set(KINDS)


@settings(max_examples=60, deadline=None)
@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=11, max_size=30), st.integers(0, 96))
def test_an_iban_has_the_one_pair_of_check_digits_that_is_right(account: str, wrong: int) -> None:
    number = int("".join(str(int(c, 36)) for c in account + "DE00"))
    right = 98 - number % 97
    others = wrong + 2 if wrong + 2 != right else wrong + 3

    assert are("iban", f"DE{right:02}{account}", f"DE{others:02}{account}") == [True, others % 97 == right % 97]


@settings(max_examples=60, deadline=None)
@given(st.text(DIGITS, min_size=11, max_size=18))
def test_a_card_has_the_one_check_digit_that_is_right(number: str) -> None:
    doubled = (int(d) * 2 if n % 2 == 0 else int(d) for n, d in enumerate(reversed(number)))
    check = -sum(d - 9 if d > 9 else d for d in doubled) % 10

    assert are("card", *(number + d for d in DIGITS)) == [int(d) == check for d in DIGITS]


@settings(max_examples=30, deadline=None)
@given(st.text(DIGITS, min_size=9, max_size=9))
def test_an_isbn_of_ten_has_the_one_check_digit_that_is_right(number: str) -> None:
    check = -sum((10 - n) * int(d) for n, d in enumerate(number)) % 11

    assert are("isbn", *(number + d for d in DIGITS + "X")) == [n == check for n in range(11)]
