"""Stars without system columns, run on DuckDB."""

import duckdb
import pytest

from backbone.errors import QueryError
from backbone.lineage.stars import hide_system_columns, names_system_columns


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE a AS SELECT 1 AS k, 2 AS x, 3 AS _file, 4 AS _record")
    connection.execute("CREATE TABLE b AS SELECT 1 AS k, 5 AS y, 6 AS _file, 7 AS _record")
    return connection


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("FROM a", ["k", "x"]),
        ("SELECT * FROM a JOIN b USING (k)", ["k", "x", "y"]),
        ("SELECT b.*, a._file FROM a JOIN b USING (k)", ["k", "y", "_file"]),
        ("SELECT * EXCLUDE (x) FROM a", ["k"]),
        ("SELECT a.* EXCLUDE (k), b.* EXCLUDE (k) FROM a JOIN b USING (k)", ["x", "y"]),
        ("SELECT * LIKE 'x%', _record FROM a", ["x", "_record"]),
        ("SELECT * NOT LIKE 'x%' FROM a", ["k"]),
        ("SELECT max(COLUMNS(*)) FROM a", ["k", "x"]),
        ("SELECT count(*) AS n, _file FROM a GROUP BY _file", ["n", "_file"]),
        ("WITH t AS (SELECT *, _file FROM a) SELECT *, _file AS f FROM t", ["k", "x", "f"]),
        ("FROM a WHERE _file = 3 UNION ALL BY NAME FROM b", ["k", "x", "y"]),
        ("SELECT * FROM (SELECT *, _record FROM a) AS t WHERE _record = 4", ["k", "x"]),
    ],
)
def test_a_star_shows_no_system_columns(connection: duckdb.DuckDBPyConnection, query: str, columns: list[str]) -> None:
    cursor = connection.execute(hide_system_columns(query))

    assert [d[0] for d in cursor.description or ()] == columns
    assert len(cursor.fetchall()) > 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM a NATURAL JOIN b", "NATURAL JOIN"),
        ("SELECT * REPLACE (1 AS k), _file FROM a", "REPLACE"),
        ("SELECT * RENAME (k AS j), _file FROM a", "RENAME"),
    ],
)
def test_what_cannot_be_narrowed_is_refused(query: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        hide_system_columns(query)


def test_a_query_that_cannot_be_read_is_left_for_duckdb_to_refuse() -> None:
    assert hide_system_columns("SELEC * FRM a") == "SELEC * FRM a"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT _file FROM a", True),
        ('SELECT "_record" FROM a', True),
        ("SELECT t._file FROM t", True),
        ("SELECT a_file, '_x' FROM a_b", False),
        ("FROM a", False),
    ],
)
def test_system_columns_are_shown_to_those_who_name_them(query: str, expected: bool) -> None:
    assert names_system_columns(query) is expected
