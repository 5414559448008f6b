"""From a row of a view back to the rows of its inputs, run on DuckDB."""

from typing import Any

import duckdb
import pytest

from backbone.lineage.trace import Provenance, provenance_queries
from backbone.model.relations import Attribute, Relation

INPUTS = {
    "trusted.sales": Relation(tuple(Attribute(n, "integer") for n in ("_file", "_record", "shop", "item", "amount"))),
    "trusted.shops": Relation((Attribute("shop", "integer"), Attribute("town", "text"))),
}


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA trusted")
    connection.execute(
        "CREATE TABLE trusted.sales AS "
        "FROM (VALUES (1, 1, 7, 1, 10), (1, 2, 7, 2, 20), (2, 1, 8, 1, 30), (2, 2, 9, 1, 5)) "
        "AS t(_file, _record, shop, item, amount)"
    )
    connection.execute("CREATE TABLE trusted.shops AS FROM (VALUES (7, 'Vic'), (8, 'Olot')) AS t(shop, town)")
    return connection


def rows(connection: duckdb.DuckDBPyConnection, found: Provenance | None) -> dict[str, list[tuple[Any, ...]]]:
    assert found is not None
    return {c.dataset: connection.execute(c.sql).fetchall() for c in found.contributions}


def test_a_group_comes_from_its_rows(connection: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT shop, sum(amount) AS amount FROM trusted.sales WHERE amount > 10 GROUP BY ALL HAVING count(*) > 0"

    found = provenance_queries(query, {"shop": "7"}, INPUTS)

    assert rows(connection, found) == {"trusted.sales": [(1, 2)]}
    assert found is not None
    assert (found.grouped, found.exact, found.contributions[0].columns) == (True, True, ("_file", "_record"))


@pytest.mark.parametrize(
    ("query", "key", "sales", "shops"),
    [
        (
            "SELECT s.*, town FROM trusted.sales AS s LEFT JOIN trusted.shops USING (shop)",
            {"shop": "7", "item": "2"}, [(1, 2)], [(7, "Vic")],
        ),
        ("SELECT * FROM trusted.sales s LEFT JOIN trusted.shops t USING (shop)", {"shop": "9"}, [(2, 2)], []),
        ("SELECT item FROM trusted.sales SEMI JOIN trusted.shops USING (shop)", {"item": "1"},
         [(1, 1), (2, 1)], [(7, "Vic"), (8, "Olot")]),
        ("SELECT upper(town) AS t, item i FROM trusted.shops h, trusted.sales s WHERE h.shop = s.shop AND i < 2",
         {"t": "'VIC'"}, [(1, 1)], [(7, "Vic")]),
        ("SELECT shop % 2 AS odd, count(*) n FROM trusted.sales FULL JOIN trusted.shops USING (shop) GROUP BY 1",
         {"odd": "0"}, [(2, 1)], [(8, "Olot")]),
        ("SELECT trusted.sales.shop AS s FROM trusted.sales JOIN trusted.shops ON shops.shop = trusted.sales.shop",
         {"s": "8"}, [(2, 1)], [(8, "Olot")]),
        ("SELECT town, count(*) AS n FROM trusted.sales s LEFT JOIN trusted.shops t USING (shop) GROUP BY ALL",
         {"town": "NULL"}, [(2, 2)], []),
    ],
)  # fmt: skip
def test_a_row_comes_from_the_rows_that_were_joined(
    connection: duckdb.DuckDBPyConnection, query: str, key: dict[str, str], sales: list[Any], shops: list[Any]
) -> None:
    found = provenance_queries(query, key, INPUTS)

    assert rows(connection, found) == {"trusted.sales": sales, "trusted.shops": shops}
    assert found is not None
    assert found.exact


def test_what_a_subquery_looks_at_is_said(connection: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT shop, item FROM trusted.sales WHERE shop IN (SELECT shop FROM trusted.shops)"

    found = provenance_queries(query, {"shop": "8"}, INPUTS)

    assert rows(connection, found) == {"trusted.sales": [(2, 1)]}
    assert found is not None
    assert (found.exact, found.why) == (False, "the query looks at trusted.shops too")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT shop FROM trusted.sales UNION ALL SELECT shop FROM trusted.shops",
        "WITH t AS (FROM trusted.sales) SELECT shop FROM t",
        "SELECT shop, rank() OVER (ORDER BY amount) AS r FROM trusted.sales",
        "SELECT shop FROM trusted.sales LIMIT 3",
        "SELECT max(shop) AS shop FROM trusted.sales",
        "SELECT shop FROM trusted.sales GROUP BY ROLLUP (shop)",
        "SELECT DISTINCT ON (item) shop FROM trusted.sales",
        "SELECT shop FROM trusted.sales NATURAL JOIN trusted.shops",
        "SELECT item FROM trusted.sales",
    ],
)
def test_what_cannot_be_followed_exactly_is_none(query: str) -> None:
    assert provenance_queries(query, {"shop": "7"}, INPUTS) is None
