"""Statements without what is at their end."""

import duckdb
import pytest

from backbone.model.statements import bare


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1; -- all of them", "SELECT 1"),
        ("\n-- first\nSELECT 1 /* one; */ ;; /* more", "-- first\nSELECT 1"),
        ("SELECT ';--' AS a", "SELECT ';--' AS a"),
        ("SELECT 'it''s; ' AS a;", "SELECT 'it''s; ' AS a"),
        ("SELECT e'\\';' AS a; --", "SELECT e'\\';' AS a"),
        ('SELECT 1 AS "a;--";', 'SELECT 1 AS "a;--"'),
        ("SELECT $$;--$$ AS a;", "SELECT $$;--$$ AS a"),
        ("SELECT $q$ $$ ; $q$ AS a -- '", "SELECT $q$ $$ ; $q$ AS a"),
        ("SELECT 2 - 1 AS a, 4/2 AS b;", "SELECT 2 - 1 AS a, 4/2 AS b"),
    ],
)
def test_semicolons_and_comments_at_the_end_go(query, expected):
    assert bare(query) == expected
    assert duckdb.sql(f"SELECT count(*) FROM ({expected}\n)").fetchall() == [(1,)]


def test_of_nothing_but_comments_nothing_is_left():
    assert bare(" -- nothing\n; /* */") == ""


def test_a_second_statement_stays():
    assert bare("SELECT 1; SELECT 2;") == "SELECT 1; SELECT 2"
