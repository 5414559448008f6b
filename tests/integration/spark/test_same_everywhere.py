"""The same project on DuckDB, on Spark on this machine, on a cluster and over Spark Connect: the same datasets."""

from pathlib import Path

import pytest
from faults_shop import Content, backbone_run, content, deliver, differences, leftovers
from spark_clusters import engine_on
from spark_shop import DATASETS, LATER, make_spark_shop

pytestmark = [pytest.mark.spark, pytest.mark.cluster, pytest.mark.timeout(3600)]


def runs(root: Path, engine: str) -> list[Content]:
    """What a first run and an incremental one make of the shop on an engine."""
    found = []
    for delivery in ({}, LATER):
        if delivery:
            deliver(root, delivery)
        else:
            make_spark_shop(root, engine)
        ended = backbone_run(root, seconds=1200)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert leftovers(root) == []
        found.append(content(root, DATASETS))
    return found


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> list[Content]:
    return runs(tmp_path_factory.mktemp("duckdb") / "shop", "duckdb")


def expect_the_same(root: Path, url: str, on_duckdb: list[Content]) -> None:
    there = runs(root, engine_on(url))

    assert [differences(*both) for both in zip(there, on_duckdb, strict=True)] == [[], []]


@pytest.mark.usefixtures("java")
def test_on_this_machine(tmp_path: Path, on_duckdb: list[Content]) -> None:
    expect_the_same(tmp_path / "shop", "local[2]", on_duckdb)


def test_on_a_cluster(tmp_path: Path, cluster, on_duckdb: list[Content]) -> None:
    expect_the_same(tmp_path / "shop", cluster.url, on_duckdb)


def test_over_connect(tmp_path: Path, connect, on_duckdb: list[Content]) -> None:
    expect_the_same(tmp_path / "shop", connect, on_duckdb)
