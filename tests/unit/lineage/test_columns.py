"""Column lineage, compared with literals and with what DuckDB does."""

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.lineage.aggregates import AGGREGATES
from backbone.lineage.columns import column_lineage
from backbone.lineage.names import Walk
from backbone.lineage.shape import parse
from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Origin

A, B = "trusted.a", "trusted.b"
COLUMNS = {A: ("k", "x", "z", "_file"), B: ("k", "y", "w")}
INPUTS = {name: Relation(tuple(Attribute(c, "integer") for c in columns)) for name, columns in COLUMNS.items()}


def lineage(query: str, *output: str) -> dict[str, set[str]]:
    relation = Relation(tuple(Attribute(c, "integer") for c in output))
    found: dict[str, set[str]] = {}
    for origin in column_lineage(query, INPUTS, relation, "exploitation.v"):
        cell = f"{origin.input_dataset.removeprefix('trusted.')}.{origin.input_column}"
        found.setdefault(origin.column, set()).add(cell + ("?" if origin.partial else ""))
    return found


UNKNOWN = {"*": {"a.*?", "b.*?"}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT k, x + z AS s FROM trusted.a", {"k": {"a.k"}, "s": {"a.x", "a.z"}}),
        ("FROM trusted.a", {"k": {"a.k"}, "x": {"a.x"}, "z": {"a.z"}}),
        ("FROM trusted.a SELECT z", {"z": {"a.z"}}),
        ("SELECT _file FROM trusted.a", {"_file": {"a._file"}}),
        ("SELECT trusted.a.k FROM trusted.a", {"k": {"a.k"}}),
        ("SELECT * EXCLUDE (x) REPLACE (k + x AS k) FROM trusted.a", {"k": {"a.k", "a.x"}, "z": {"a.z"}}),
        ("SELECT * RENAME (k AS j) FROM trusted.b", {"j": {"b.k"}, "y": {"b.y"}, "w": {"b.w"}}),
        (
            "SELECT * FROM trusted.a JOIN trusted.b USING (k)",
            {"k": {"a.k"}, "x": {"a.x"}, "z": {"a.z"}, "y": {"b.y"}, "w": {"b.w"}},
        ),
        ("SELECT k FROM trusted.a FULL JOIN trusted.b USING (k)", {"k": {"a.k", "b.k"}}),
        ("SELECT * FROM trusted.a SEMI JOIN trusted.b USING (k)", {"k": {"a.k"}, "x": {"a.x"}, "z": {"a.z"}}),
        ("SELECT b.* FROM trusted.a, trusted.b WHERE a.k = b.k", {"k": {"b.k"}, "y": {"b.y"}, "w": {"b.w"}}),
        (
            "SELECT k, count(*) AS n, sum(y) FILTER (x > 1) AS s FROM trusted.a JOIN trusted.b USING (k) GROUP BY ALL",
            {"k": {"a.k"}, "n": {"a.*", "b.*"}, "s": {"a.x", "b.y"}},
        ),
        (
            "WITH t AS (SELECT k, x * 2 AS d FROM trusted.a WHERE z > 1) SELECT d + 1 AS e, e + k AS f FROM t",
            {"e": {"a.x"}, "f": {"a.x", "a.k"}},
        ),
        ("WITH t(p, q) AS (SELECT k, x FROM trusted.a) SELECT q FROM t", {"q": {"a.x"}}),
        (
            "SELECT k, (SELECT max(y) FROM trusted.b WHERE b.k = a.k) AS m FROM trusted.a",
            {"k": {"a.k"}, "m": {"a.k", "b.k", "b.y", "b.*"}},
        ),
        ("SELECT s.q FROM (SELECT x AS q FROM trusted.a) AS s", {"q": {"a.x"}}),
        ("SELECT s.q FROM (SELECT x FROM trusted.a) AS s(q)", {"q": {"a.x"}}),
        ("SELECT k, x FROM trusted.a UNION ALL SELECT y, w FROM trusted.b", {"k": {"a.k", "b.y"}, "x": {"a.x", "b.w"}}),
        (
            "SELECT k, x FROM trusted.a UNION BY NAME SELECT y AS x, k, w FROM trusted.b",
            {"k": {"a.k", "b.k"}, "x": {"a.x", "b.y"}, "w": {"b.w"}},
        ),
        ("SELECT row_number() OVER (PARTITION BY k ORDER BY x) AS r FROM trusted.a", {"r": {"a.k", "a.x"}}),
        ("SELECT x AS k, k AS x FROM trusted.a", {"k": {"a.x"}, "x": {"a.k"}}),
        ("SELECT x + 1 AS z, z AS y FROM trusted.a", {"z": {"a.x"}, "y": {"a.z"}}),
        ("SELECT k + 1 AS new, new * x AS more FROM trusted.a", {"new": {"a.k"}, "more": {"a.k", "a.x"}}),
        ("SELECT x.field AS f FROM trusted.a", {"f": {"a.x"}}),
        ("SELECT b AS whole FROM trusted.b AS b", {"whole": {"b.k", "b.y", "b.w"}}),
        ("SELECT k, list_transform([x], lambda c: c + k) AS l FROM trusted.a", {"k": {"a.k"}, "l": {"a.*?"}}),
        ("SELECT 1 AS one, k FROM trusted.a", {"k": {"a.k"}}),
    ],
)
def test_where_columns_come_from(query: str, expected: dict[str, set[str]]) -> None:
    names = ["one", *expected] if query.startswith("SELECT 1 AS one") else list(expected)

    assert lineage(query, *names) == expected


@pytest.mark.parametrize(
    ("query", "output"),
    [
        ("SELECT COLUMNS('k|x') FROM trusted.a", ["k", "x"]),
        ("SELECT max(COLUMNS(*)) FROM trusted.b", ["k", "y", "w"]),
        ("SELECT * FROM trusted.a PIVOT (sum(x) FOR k IN (1, 2))", ["z", "1", "2"]),
        ("SELECT u.v FROM trusted.a, unnest([x]) AS u(v)", ["v"]),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r", ["n"]),
        ("SELECT k FROM elsewhere", ["k"]),
        ("SELECT k, x FROM trusted.a", ["x", "k"]),
        ("SELECT k FROM trusted.a", ["k", "x"]),
        ("SELEC", ["k"]),
    ],
)
def test_only_the_tables_are_told_where_columns_cannot_be(query: str, output: list[str]) -> None:
    assert lineage(query, *output) == UNKNOWN


def test_a_name_that_two_tables_have_is_partial() -> None:
    assert lineage("SELECT k AS j, y FROM trusted.a, trusted.b", "j", "y") == {"j": {"a.*?", "b.*?"}, "y": {"b.y"}}


def test_an_origin_shows_the_expression() -> None:
    relation = Relation((Attribute("late", "integer"),))

    found = column_lineage("SELECT count(*) FILTER (x > 30) AS late -- min\nFROM trusted.a", INPUTS, relation, "e.v")

    assert found == (
        Origin("e.v", "late", A, "*", "COUNT(*) FILTER(WHERE x > 30)"),
        Origin("e.v", "late", A, "x", "COUNT(*) FILTER(WHERE x > 30)"),
    )


def test_all_aggregates_of_duckdb_are_known() -> None:
    found = duckdb.sql("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'")

    assert {name for (name,) in found.fetchall() if name.isidentifier()} == AGGREGATES


terms = st.sampled_from(["k", "x", "z", "x + z", "CASE WHEN x > 2 THEN z ELSE k END", "coalesce(z, x)", "-x"])
aggregates = st.sampled_from(["sum(x)", "max(z) FILTER (k > 1)", "count(*)", "min(x + k)"])
sources = st.sampled_from(
    [
        "trusted.a",
        "(SELECT k, z AS x, x AS z FROM trusted.a WHERE k < 9)",
        "(SELECT * REPLACE (x + 1 AS x) FROM trusted.a)",
        "(SELECT k, x, w AS z FROM trusted.a LEFT JOIN trusted.b USING (k))",
        "(SELECT a.k, y AS x, z FROM trusted.a AS a JOIN trusted.b ON a.k = b.k)",
        "(SELECT k, x, z FROM trusted.a UNION ALL BY NAME SELECT w AS z, k, y AS x FROM trusted.b)",
        "(SELECT k, x, (SELECT max(w) FROM trusted.b WHERE b.k = a.k) AS z FROM trusted.a AS a)",
        "(SELECT k, x AS q, q * z AS x, z FROM trusted.a)",
    ]
)
rows = st.lists(st.tuples(*[st.integers(0, 4)] * 4), min_size=1, max_size=5)


@settings(max_examples=50, deadline=None)
@given(
    source=sources,
    made=st.lists(terms, min_size=1, max_size=3),
    sums=st.lists(aggregates, max_size=2),
    a=rows,
    b=rows,
    changed=st.sampled_from([(name, c) for name, columns in COLUMNS.items() for c in columns if c != "_file"]),
)
def test_a_column_that_is_no_origin_never_changes_the_value(
    source: str, made: list[str], sums: list[str], a: list[Any], b: list[Any], changed: tuple[str, str]
) -> None:
    items = [f"{sql} AS o{i}" for i, sql in enumerate([*made, *sums])]
    query = f"WITH t AS (FROM {source}) SELECT {', '.join(items)} FROM t" + (" GROUP BY ALL" if sums else "")
    names = [f"o{i}" for i in range(len(items))]
    relation = Relation(tuple(Attribute(n, "integer") for n in names))
    decided = Walk(INPUTS).query(parse(query)).filters  # type: ignore[arg-type]
    found = column_lineage(query, INPUTS, relation, "e.v")
    free = [n for n in names if changed not in {(o.input_dataset, o.input_column) for o in found if o.column == n}]
    if changed in decided or not free:
        return

    before, after = (_run(query, a, b, column) for column in (None, changed))

    for i, name in enumerate(names):
        if name in free:
            assert sorted(map(str, (r[i] for r in before))) == sorted(map(str, (r[i] for r in after)))


_CONNECTION = duckdb.connect()


def _run(query: str, a: list[Any], b: list[Any], changed: tuple[str, str] | None) -> list[tuple[Any, ...]]:
    _CONNECTION.execute("CREATE SCHEMA IF NOT EXISTS trusted")
    for name, values in ((A, a), (B, b)):
        columns = tuple(c for c in COLUMNS[name] if c != "_file")
        shown = ", ".join(f"{c} + 1000 AS {c}" if (name, c) == changed else c for c in columns)
        given_rows = ", ".join(str(tuple(row[: len(columns)])) for row in values)
        values_sql = f"(VALUES {given_rows}) AS v({', '.join(columns)})"
        _CONNECTION.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT {shown} FROM {values_sql}")
    return _CONNECTION.execute(query).fetchall()
