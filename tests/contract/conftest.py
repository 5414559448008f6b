"""Both engines over the same tables, whose rows are the edges of what their columns can hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.protocol import Engine, Session
from backbone.engine.spark.engine import SparkEngine
from backbone.errors import EngineError
from backbone.model.steps import Extent

EDGES = """
    SELECT * FROM (VALUES
        (1::BIGINT, 'abc', DATE '2020-01-31', TIMESTAMP '2020-01-31 23:59:59.5', TIMESTAMPTZ '2020-01-31 12:00:00+02',
            1.25::DECIMAL(18,2), 2.5::DOUBLE, [1,2,NULL]::BIGINT[], true, '{"k": {"m": "v"}}'::JSON),
        (-7, '', DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.123456', TIMESTAMPTZ '1969-07-20 20:17:40Z',
            -1.25, -0.5, [], false, '{"k": null}'),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (9223372036854775807, 'Straße é 👍', DATE '9999-12-31', TIMESTAMP '2024-02-29 00:00:00',
            TIMESTAMPTZ '2024-02-29 00:00:00Z', 9999999999999999.99, 'inf', [5], true, '{}'),
        (-9223372036854775808, ' x\\y_%z ', DATE '0001-01-01', TIMESTAMP '0001-01-01 00:00:00',
            TIMESTAMPTZ '1900-01-01 00:00:00Z', 0.01, 'nan', NULL, NULL, '[]'),
        (0, '12', DATE '2021-01-03', TIMESTAMP '2021-01-03 06:07:08', TIMESTAMPTZ '2021-01-03 06:07:08Z',
            0.00, 0.0, [3,1,2], false, '{"k": "text"}'),
        (42, ' 3.5 ', DATE '2024-12-30', TIMESTAMP '2024-12-30 01:02:03.004', TIMESTAMPTZ '2024-12-30 01:02:03Z',
            100.10, 1e20, [1,1], true, '{"k": 1}')
    ) AS v(a, b, d, ts, tz, x, f, l, bo, j)"""
OTHERS = "SELECT * FROM (VALUES (1::BIGINT, 'one'), (1, 'uno'), (0, 'zero'), (NULL, 'null')) AS v(a, c)"
NOBODY = "SELECT 1::BIGINT AS a, 'x' AS b WHERE false"


@pytest.fixture(scope="session")
def spark(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:  # noqa: ARG001 - it is needed
    """One Spark for all tests: starting it takes longer than most of them."""
    folder = tmp_path_factory.mktemp("spark")
    conf = {"spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "1"}
    engine = SparkEngine(
        "local[2, 3]", conf=conf, memory_limit="1GB", scratch=folder / "scratch", log=folder / "spark.log"
    )
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def duckdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBEngine]:
    """The engine to equal."""
    engine = DuckDBEngine(scratch=tmp_path_factory.mktemp("duckdb"))
    yield engine
    engine.close()


@dataclass(frozen=True)
class Both:
    """Two engines that see the same tables: `trusted.edges`, `trusted.others` and `trusted.nobody`."""

    duckdb: DuckDBEngine
    spark: SparkEngine
    extents: tuple[Extent, ...]

    def on(self, engine: Engine, work: Callable[[Session], Any]) -> Any:
        """What comes of work in a session that sees the tables."""
        with engine.session() as session:
            for extent in self.extents:
                session.show(extent)
            return work(session)

    def answers(self, query: str, *, ordered: bool = False) -> tuple[Any, Any]:
        """What DuckDB and Spark answer: the relation and the rows, with Python's types; or that they raise an error."""

        def asked(session: Session) -> Any:
            relation, rows = session.describe(query), session.rows(query)
            return relation, [repr(row) for row in (rows if ordered else sorted(rows, key=repr))]

        return _outcome(lambda: self.on(self.duckdb, asked)), _outcome(lambda: self.on(self.spark, asked))


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except EngineError as error:
        if "not known to give the same" in str(error):
            raise
        return "an error"


@pytest.fixture(scope="session")
def both(duckdb: DuckDBEngine, spark: SparkEngine, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Both engines, with the tables."""
    folder = tmp_path_factory.mktemp("tables")
    extents = []
    with duckdb.session() as session:
        for name, query in (("edges", EDGES), ("others", OTHERS), ("nobody", NOBODY)):
            written = session.write(query, folder / f"{name}.parquet", ordered=True)
            extents.append(Extent(f"trusted.{name}", written.relation, added=written.paths))
    return Both(duckdb, spark, tuple(extents))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here that asks for Spark is marked so."""
    for item in items:
        if {"both", "spark"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.spark)
