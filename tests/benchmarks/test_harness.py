"""The harness runs: real commands, real samples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
def test_a_day_of_a_thousand_rows_is_measured_beside_its_floor(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks", "--rows", "10000", "--rounds", "1", "--only", "a day"]

    done = subprocess.run([*command, "--json", str(results)], cwd=ROOT, capture_output=True, text=True, check=True)

    (record,) = json.loads(results.read_text(encoding="utf-8"))
    assert record["name"] == "a day on nine"
    assert record["rows"] == 10_000
    assert record["failures"] == {}
    for side in ("backbone", "floor"):
        (sample,) = record["samples"][side]
        assert sample["cpu_s"] > 0.05
        assert sample["peak_mb"] > 20
        assert sample["kept_mb"] > 0
    assert "≤ 2 × floor" in done.stdout


@pytest.mark.long
def test_a_side_that_fails_is_told_and_the_other_is_measured() -> None:
    code = """
from benchmarks.measuring import Side, in_turn
samples, failures = in_turn({"bad": Side(("sh", "-c", "echo oh; exit 3")), "good": Side(("sh", "-c", "echo x > f"))}, 2)
assert failures == {"bad": "sh -c echo oh; exit 3 ended with 3:"}, failures
assert list(samples) == ["good"] and len(samples["good"]) == 2, samples
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.long
def test_a_profile_tells_parts_functions_and_callers() -> None:
    command = [sys.executable, "-m", "benchmarks", "--profile", "10 views, first run"]

    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    parts, functions, callers = told.split("\n\n")[1:]
    assert "backbone.engine" in parts
    assert "engine/duckdb/session.py" in functions
    assert "runs/stage.py" in callers


def test_what_outlives_a_command_is_in_its_books(tmp_path: Path) -> None:
    busy = tmp_path / "busy.py"
    busy.write_text("import time\nwhile time.process_time() < 0.6: pass\n")
    code = """
import sys
from pathlib import Path
from benchmarks.measuring import cost
found = cost(("sh", "-c", f"{sys.executable} {sys.argv[1]} & exit 0"), Path())
assert found["cpu_s"] > 0.6, found
"""
    subprocess.run([sys.executable, "-c", code, str(busy)], cwd=ROOT, check=True)
