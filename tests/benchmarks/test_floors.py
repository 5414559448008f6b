"""A ratio means something only where both sides make the same."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from benchmarks.measuring import WORK, run
from benchmarks.spark.workloads import workloads as spark_workloads
from benchmarks.workload import Workload
from benchmarks.workloads import flow

import backbone

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

TOTALS = "SELECT count(*)::BIGINT, sum(flights)::BIGINT, sum(seats)::BIGINT, sum(distance)::BIGINT FROM "


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder on the disk of the inputs, which are linked and not copied."""
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        yield Path(name)


@pytest.mark.long
@pytest.mark.parametrize("name", ["a day on nine", "full run"])
def test_backbone_and_the_floor_make_the_same_of_the_flights(name: str, folder: Path) -> None:
    (workload,) = (one for one in flow.workloads(10_000) if isinstance(one, Workload) and one.name == name)
    for side, done in workload.sides.items():
        (folder / side).mkdir()
        done.prepare(folder / side)
        run(done.command, folder / side)

    with duckdb.connect(str(folder / "floor" / "floor.db"), read_only=True) as connection:
        by_hand = connection.execute(f"{TOTALS} days").fetchall()
    assert backbone.open(folder / "backbone").sql(f"{TOTALS} exploitation.carrier_days").rows() == by_hand
    assert by_hand[0][0] > 10


@pytest.mark.long
@pytest.mark.spark
@pytest.mark.usefixtures("java")
def test_backbone_on_spark_and_pyspark_by_hand_make_the_same_of_the_flights(folder: Path) -> None:
    (workload,) = (one for one in spark_workloads(80_000) if one.name == "full run, 8,000 rows")
    assert isinstance(workload, Workload)
    for side in ("backbone", "floor"):
        (folder / side).mkdir()
        workload.sides[side].prepare(folder / side)
        run(workload.sides[side].command, folder / side)

    by_hand = duckdb.sql(f"{TOTALS} read_parquet('{folder}/floor/tables/days/*.parquet')").fetchall()
    assert backbone.open(folder / "backbone").sql(f"{TOTALS} exploitation.carrier_days").rows() == by_hand
    assert by_hand[0][0] > 10
