"""The example project holds the same on both engines."""

import math
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import backbone

DATASETS = (
    "trusted.airlines",
    "trusted.airports",
    "trusted.flights",
    "trusted.planes",
    "trusted.weather",
    "exploitation.airport_delays",
    "exploitation.carrier_days",
    "exploitation.flight_conditions",
    "exploitation.plane_use",
    "analysis.late_arrivals__view",
    "analysis.late_arrivals__train",
    "analysis.airport_profiles__view",
)


MONTHS = ("09", "10", "12")
"""Before the day at which training ends, after it, and what is predicted: `make demo` runs all of the year."""


def _project(root: Path, engine: str) -> Path:
    command = [str(Path(sys.executable).with_name("backbone")), "init", str(root), "--example", "nycflights"]
    subprocess.run(command, check=True, capture_output=True)
    for delivered in (root / "data").glob("flights-*.csv"):
        if not delivered.stem.endswith(MONTHS):
            delivered.unlink()
    settings = root / "backbone.yml"
    settings.write_text(settings.read_text() + engine)
    return root


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("spark")
def test_the_example_is_the_same_on_both_engines(tmp_path: Path) -> None:
    roots = [_project(tmp_path / "duckdb", ""), _project(tmp_path / "spark", "engine: spark\n")]

    for root in roots:
        assert [s.dataset for s in backbone.open(root).run().steps if s.failure] == []

    for dataset in DATASETS:
        left, right = (backbone.open(root).table(dataset).arrow() for root in roots)
        assert right.schema == left.schema
        rows = [
            sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)
            for table in (left, right)
        ]
        assert len(rows[0]) == len(rows[1])
        assert all(_alike(one, other) for one, other in zip(*rows, strict=True)), dataset


def _alike(one: Iterable[object], other: Iterable[object]) -> bool:
    """Equal, but for the last digits of floats: sums of floats hang on the order of rows."""
    return all(
        a == b or (isinstance(a, float) and isinstance(b, float) and math.isclose(a, b, rel_tol=1e-12))
        for a, b in zip(one, other, strict=True)
    )
