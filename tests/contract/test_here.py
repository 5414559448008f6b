"""What is asked of few rows is answered by DuckDB in this process, and is what Spark answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.conftest import Both

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.duckdb.session import DuckDBSession
from backbone.engine.protocol import Engine, Session
from backbone.engine.spark import here
from backbone.engine.spark.engine import SparkEngine
from backbone.engine.spark.planner import plan_query, planning_engine
from backbone.model.names import quoted_dataset
from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Extent
from backbone.profiling.profile import profile_relation

ROWS = {"edges": 7, "others": 4, "nobody": 0}


@pytest.fixture
def few(both: Both) -> tuple[Extent, ...]:
    """The tables of both, of which it is known how many rows they have."""
    return tuple(replace(extent, rows=ROWS[extent.dataset.removeprefix("trusted.")]) for extent in both.extents)


@contextmanager
def step(engine: Engine, *extents: Extent) -> Iterator[Session]:
    """A session that sees some tables."""
    with engine.session() as session:
        for extent in extents:
            session.show(extent)
        yield session


def jobs(engine: SparkEngine, work: Callable[[], Any]) -> int:
    """How many jobs Spark starts for some work."""
    tracker = engine.spark.sparkContext.statusTracker()
    before = len(tracker.getJobIdsForGroup())
    work()
    return len(tracker.getJobIdsForGroup()) - before


def test_what_few_rows_are_asked_starts_no_spark(tmp_path: Path) -> None:
    engine = SparkEngine("spark://nowhere:1", scratch=tmp_path)
    with step(engine, Extent("trusted.t", Relation((Attribute("a", "integer"),)), rows=0)) as session:
        session.execute("CREATE TEMP TABLE double AS SELECT a FROM trusted.t GROUP BY a HAVING count(*) > 1")
        session.execute("INSERT INTO double BY NAME SELECT 7 AS a")

        assert session.rows("SELECT count(*), max(a) FROM double") == [(1, 7)]
        assert session.fetch("FROM double", "arrow").to_pylist() == [{"a": 7}]

        session.execute("DROP TABLE double; CREATE TEMP TABLE double AS SELECT 8 AS a FROM trusted.t")
        assert session.rows("FROM double") == []
    engine.close()


def test_a_step_over_few_rows_is_one_job(few: tuple[Extent, ...], spark: SparkEngine, tmp_path: Path) -> None:
    with step(spark, *few) as session:

        def stage() -> None:
            written = session.write("SELECT a, c FROM trusted.others", tmp_path / "t.parquet")
            profile_relation(session, written.table, written.relation, written.rows)

        assert jobs(spark, stage) == 1


def test_profiles_are_those_of_duckdb_and_of_spark(
    both: Both, few: tuple[Extent, ...], duckdb: DuckDBEngine, spark: SparkEngine
) -> None:
    def profiles(engine: Engine, extents: tuple[Extent, ...]) -> list[str]:
        with step(engine, *extents) as session:
            return [
                repr(profile_relation(session, quoted_dataset(e.dataset), e.relation, ROWS["edges"])) for e in extents
            ]

    found = profiles(spark, few)

    assert found == profiles(duckdb, both.extents)
    # Spark writes NaN where DuckDB writes nan.
    assert [one.casefold() for one in found] == [one.casefold() for one in profiles(spark, both.extents)]


@pytest.mark.parametrize(
    "known",
    [{"edges", "others"}, {"edges"}, {"others"}, set()],
    ids=["both few", "the first", "the second", "neither"],
)
def test_hashes_of_one_engine_are_compared_with_those_of_no_other(
    few: tuple[Extent, ...], spark: SparkEngine, known: set[str]
) -> None:
    tables = [e if e.dataset.removeprefix("trusted.") in known else replace(e, rows=None) for e in few]
    with step(spark, *tables) as session:
        session.execute("CREATE TEMP TABLE seen AS SELECT hash(a) AS h FROM trusted.edges")
        session.execute("INSERT INTO seen BY NAME SELECT hash(a) AS h FROM trusted.others")
        session.execute("CREATE VIEW hashed AS SELECT hash(a) AS h FROM trusted.others")

        assert session.rows("SELECT count(*) FROM hashed SEMI JOIN seen USING (h)") == [(4,)]
        assert session.rows("SELECT count(*), count(DISTINCT h) FROM seen") == [(11, 7)]


KEPT = """CREATE TEMP TABLE kept AS SELECT a, c, hash(a) AS h, CAST(a AS DECIMAL(9,2)) AS d, a > 1 AS yes,
    CAST('2026-01-01' AS DATE) AS day, CAST('2026-01-01 10:00' AS TIMESTAMP) AS moment FROM trusted.others"""


def test_spark_reads_what_was_made_here(
    few: tuple[Extent, ...], spark: SparkEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written() -> list[tuple[object, ...]]:
        with step(spark, *few) as session:
            session.execute(KEPT)
            query = "SELECT a, c, d, yes, day, moment FROM kept"
            assert jobs(spark, lambda: session.write(query, tmp_path / "t.parquet")) == expected
            return session.rows(f"FROM read_parquet('{tmp_path / 't.parquet'}') ORDER BY ALL")

    expected = 1
    here_made = written()
    monkeypatch.setattr(here, "ROWS", -1)

    assert here_made == written()
    assert len(here_made) == 4


def test_hashes_made_here_are_none_that_spark_compares_with_its_own(
    few: tuple[Extent, ...], spark: SparkEngine, tmp_path: Path
) -> None:
    with step(spark, *few) as session:
        session.execute(KEPT)

        own = session.write(
            "SELECT o.a FROM trusted.others AS o SEMI JOIN kept AS k ON hash(o.a) = k.h", tmp_path / "a.parquet"
        )
        ours = session.write("SELECT k.a FROM kept AS k JOIN kept AS o ON k.h = o.h", tmp_path / "b.parquet")

        (distinct,) = session.rows(
            "SELECT count(*), count(DISTINCT h), (SELECT sum(n * n) FROM (SELECT count(*) AS n FROM kept GROUP BY h)) FROM kept"
        )
        assert (own.rows, ours.rows) == (distinct[0], distinct[2])


def test_a_name_that_means_other_rows_now_gives_those(
    few: tuple[Extent, ...], spark: SparkEngine, tmp_path: Path
) -> None:
    with step(spark, *few) as session:
        session.execute("CREATE TEMP TABLE kept AS SELECT a, hash(a) AS h FROM trusted.others")
        session.execute("INSERT INTO kept BY NAME SELECT 7 AS a, NULL AS h")
        query = "SELECT a, h IS NOT DISTINCT FROM hash(a) AS same FROM kept"
        path = tmp_path / "t.parquet"

        assert session.write(query, path).rows == 5
        assert session.rows(f"SELECT count(*) FROM read_parquet('{path}') WHERE same OR a = 7") == [(5,)]


def test_what_spark_alone_has_can_be_named_beside_what_is_here(few: tuple[Extent, ...], spark: SparkEngine) -> None:
    with step(spark, *few) as session:
        session.register("returned", spark.spark.createDataFrame([(1, "x")], "a BIGINT, d STRING"))
        session.execute('CREATE SCHEMA IF NOT EXISTS "__work"; CREATE VIEW "__work"."seen" AS FROM returned')
        session.execute('CREATE TABLE "__work"."kept" AS SELECT a FROM "__work"."seen"')

        assert session.rows("SELECT count(*) FROM trusted.others") == [(4,)]
        assert session.rows('SELECT c FROM trusted.others JOIN "__work"."kept" USING (a) ORDER BY 1') == [
            ("one",),
            ("uno",),
        ]


@pytest.fixture(scope="module")
def planner() -> Iterator[DuckDBSession]:
    engine = planning_engine("1GB")
    with engine.session() as session:
        for name in ("a", "b", "c"):
            session.execute(f"CREATE TABLE {name} (n BIGINT, t VARCHAR)")
        yield session
    engine.close()


@pytest.mark.parametrize(
    ("query", "rows", "few"),
    [
        ("SELECT 1", {}, True),
        ("FROM a", {"a": here.ROWS}, True),
        ("FROM a", {"a": here.ROWS + 1}, False),
        ("FROM a", {"a": None}, False),
        ("FROM a UNION ALL FROM b", {"a": 5_000_000, "b": 5_000_001}, False),
        ("FROM a UNION ALL FROM b", {"a": 3, "b": None}, False),
        ("FROM a JOIN b USING (n)", {"a": 4_000_000, "b": 4_000_000}, True),
        ("FROM a JOIN b ON a.n < b.n", {"a": 10_000, "b": 10_000}, True),
        ("FROM a JOIN b ON a.n < b.n", {"a": 10_000, "b": 10_001}, False),
        ("FROM a JOIN b ON a.n < b.n", {"a": 99_999, "b": 0}, True),
        ("FROM a SEMI JOIN b ON a.n IS NOT DISTINCT FROM b.n", {"a": 4_000_000, "b": 4_000_000}, True),
        ("FROM a JOIN b USING (n), c", {"a": 10_000, "b": 10_000, "c": 10_001}, False),
        ("FROM a, b, c", {"a": 1000, "b": 1000, "c": 1000}, False),
        ("SELECT count(*) FROM a, b, c", {"a": 1000, "b": 1000, "c": 1000}, False),
        ("FROM a WHERE EXISTS (FROM b WHERE b.n < a.n)", {"a": 10_001, "b": 10_000}, False),
        ("FROM a SEMI JOIN b USING (n) JOIN c USING (n)", {"a": 1000, "b": 1000, "c": 1000}, True),
        (
            "SELECT (SELECT count(*) FROM a), (SELECT max(n) FROM b), (SELECT min(t) FROM c)",
            dict.fromkeys("abc", 30_000),
            True,
        ),
        ("SELECT (SELECT count(*) FROM a), (SELECT max(n) FROM a), (SELECT min(t) FROM a)", {"a": 4_000_000}, False),
        ("WITH w AS MATERIALIZED (FROM a) FROM w JOIN w AS v ON w.n < v.n", {"a": 10_001}, False),
        ("WITH w AS MATERIALIZED (FROM a) FROM w UNION ALL FROM w", {"a": 10_001}, True),
    ],
)
def test_few_are_those_that_are_read_and_joined_in_no_time(
    planner: DuckDBSession, query: str, rows: dict[str, int | None], few: bool
) -> None:
    planned = plan_query(planner, query, lambda scan: scan["function_data"]["table"], strict=False)

    assert here.are_few(planned.plan, {scan: rows[name] for scan, name in planned.tables.items()}) is few
