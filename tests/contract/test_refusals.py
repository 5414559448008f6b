"""What isn't known to give the same on Spark is refused when the project is checked: by name, line and column."""

from pathlib import Path

import pytest

import backbone
from backbone.engine.spark.engine import SparkEngine
from backbone.errors import ProjectError, UntranslatableError
from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Extent

RELATION = Relation(
    (Attribute("a", "integer"), Attribute("b", "text"), Attribute("f", "float"), Attribute("at", "time"),
     Attribute("l", "integer[]"))
)  # fmt: skip
REFUSED = {
    "SELECT random() AS r FROM trusted.t": "random()",
    "SELECT hash(a) AS h FROM trusted.t": "hash(BIGINT)",
    "SELECT a FROM trusted.t LIMIT 3": "LIMIT of rows in no order",
    "SELECT list(a) AS l FROM trusted.t": "list of values in no order",
    "SELECT first(a) AS l FROM trusted.t": "first of values in no order",
    "SELECT mode(a) AS m FROM trusted.t": "mode(BIGINT)",
    "SELECT any_value(a) AS m FROM trusted.t": "any_value(BIGINT)",
    "SELECT any_value(a ORDER BY b) AS m FROM trusted.t": "Use first, with ORDER BY in it",
    "SELECT approx_count_distinct(a) AS m FROM trusted.t": "approx_count_distinct(BIGINT)",
    "SELECT row_number() OVER () AS n FROM trusted.t": "row_number in no order",
    "SELECT * FROM trusted.t USING SAMPLE 10%": "SAMPLE",
    "SELECT t.a FROM trusted.t ASOF JOIN trusted.t AS u ON t.a >= u.a": "ASOF JOIN",
    "SELECT * FROM trusted.t POSITIONAL JOIN trusted.t AS u": "POSITIONAL JOIN",
    "PIVOT trusted.t ON b USING sum(a)": "PIVOT of values that only the data say",
    "SELECT f::VARCHAR AS v FROM trusted.t": "a cast from DOUBLE to VARCHAR",
    "SELECT regexp_matches(b, '(?i)x') AS m FROM trusted.t": "'(?' in a regular expression",
    "SELECT regexp_matches(b, a::VARCHAR) AS m FROM trusted.t": "an argument that differs from row to row",
    "SELECT regexp_replace(b, 'x', 'y') AS m FROM trusted.t": "regexp_replace of the first match alone",
    "SELECT strftime(DATE '2020-01-01' + a::INTEGER, '%U') AS m FROM trusted.t": "'%U' in a format",
    "SELECT max(t.at) AS m FROM trusted.t AS t": "the column at, of the type TIME",
    "SELECT levenshtein(b, 'x') AS m FROM trusted.t": "levenshtein(VARCHAR, VARCHAR)",
    "SELECT list_transform(l, (x, i) -> x + i) AS m FROM trusted.t": "list_transform with the place of each element",
    "SELECT sum(a) OVER (ORDER BY a RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS m FROM trusted.t": "range of values",
    "SELECT a FROM trusted.t WHERE a > ALL (SELECT a FROM trusted.t)": "ANY or ALL of a subquery",
    "SELECT * FROM range(5)": "range(…) in a FROM",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) FROM r": "RECURSIVE CTE",
}


@pytest.mark.parametrize("query", REFUSED)
def test_it_is_refused_by_name_without_spark_being_started(query: str, tmp_path: Path) -> None:
    engine = SparkEngine("spark://nowhere:1", scratch=tmp_path)
    with engine.session() as session:
        session.show(Extent("trusted.t", RELATION))
        with pytest.raises(UntranslatableError) as refused:
            session.describe(query)
    engine.close()

    assert REFUSED[query] in str(refused.value)
    assert "run the project on DuckDB" in str(refused.value)


def test_the_place_is_that_in_the_query(tmp_path: Path) -> None:
    engine = SparkEngine("spark://nowhere:1", scratch=tmp_path)
    with engine.session() as session:
        session.show(Extent("trusted.t", RELATION))
        with pytest.raises(UntranslatableError) as refused:
            session.describe("SELECT a,\n    mode(b) AS m\nFROM trusted.t GROUP BY a")
    engine.close()

    *_, line, mark = str(refused.value).splitlines()
    assert line == "LINE 2:     mode(b) AS m"
    assert mark.index("^") == line.index("mode")


def test_a_project_is_checked_before_it_runs(tmp_path: Path) -> None:
    (tmp_path / "backbone.yml").write_text("name: shop\nengine: {spark: 'spark://nowhere:1'}\n")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "sales.yml").write_text("columns: {shop: text, amount: integer}\n")
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "sales.yml").write_text(
        "rules:\n  - {expect: \"levenshtein(shop, 'x') < 3\", else: warn}\n  - {matches: shop, pattern: '(?i)s', else: warn}\n"
    )
    (tmp_path / "exploitation").mkdir()
    (tmp_path / "exploitation" / "shops.sql").write_text(
        "SELECT shop,\n  mode(amount) AS usual\nFROM trusted.sales GROUP BY shop\n"
    )

    with pytest.raises(ProjectError) as refused:
        backbone.open(tmp_path).plan()

    assert [(p.at.path, p.at.line, p.at.column) for p in refused.value.problems] == [
        ("exploitation/shops.sql", 2, 3),
        ("trusted/sales.yml", 2, 5),
        ("trusted/sales.yml", 3, 5),
    ]
    assert not (tmp_path / "lake" / "dev").exists()


LEAVERS = """from pyspark.ml.classification import LogisticRegression

from backbone import at_random, classification


@classification(
    view="SELECT shop, amount, amount > 3 AS much FROM trusted.sales",
    key="amount", target="much", features=["shop"], split=at_random(validate=0.3),
    baseline="levenshtein(shop, 'x') < 3",
    predict="SELECT *, hash(shop) AS h FROM view",
)
def leavers():
    \"\"\"Who leaves?\"\"\"
    return {"logistic": LogisticRegression()}
"""


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("{spark: 'spark://nowhere:1'}", {9: "baseline of leavers: levenshtein(", 10: "predict of leavers: hash("}),
        ("duckdb", {12: "leavers: candidates of Spark ML (pyspark.ml) are trained by Spark, and the engine is DuckDB"}),
    ],
)
def test_an_analysis_with_spark_ml_is_checked_before_it_runs(tmp_path: Path, engine: str, said: dict[int, str]) -> None:
    for path, text in {
        "backbone.yml": f"name: shop\nengine: {engine}\n",
        "sources/sales.yml": "columns: {shop: text, amount: integer}\n",
        "analysis/leavers.py": LEAVERS,
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)

    with pytest.raises(ProjectError) as refused:
        backbone.open(tmp_path).plan()

    found = {p.at.line: p.message for p in refused.value.problems if p.at.path == "analysis/leavers.py"}
    assert {line: message[: len(said[line])] for line, message in found.items()} == said
