"""One Spark for all tests of it: in this process a local one, beside it servers that start where they are asked for."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fakes"))
from spark_clusters import Standalone, connect_server, standalone_cluster

from backbone.engine.spark.engine import SparkEngine

pytest.importorskip("pyspark")


@pytest.fixture(scope="session")
def spark(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:  # noqa: ARG001 - it is needed
    """Spark in this process: that of other tests, if they have started one."""
    engine = SparkEngine(
        "local[2, 3]",
        conf={"spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "1"},
        memory_limit="1GB",
        scratch=tmp_path_factory.mktemp("spark") / "scratch",
    )
    yield engine.spark
    engine.close()


@pytest.fixture(scope="session")
def cluster(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:  # noqa: ARG001 - it is needed
    with standalone_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="session")
def connect(java: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001 - it is needed
    with connect_server(tmp_path_factory.mktemp("connect")) as url:
        yield url
