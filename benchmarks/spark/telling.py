"""What was measured on Spark as a table: seconds by side, and their ratios to the same work by hand in PySpark."""

from collections.abc import Iterator, Sequence

from benchmarks.records import Record
from benchmarks.spark.workloads import DUCKDB, ON_DUCKDB
from benchmarks.tables import number, verdict
from benchmarks.workload import Samples, middle, ratio

HEADER = ("workload", "by", "s (min–max)", "CPU-s", "× PySpark, s", "× PySpark, CPU-s", "peak MB", "")
NAMES = {"backbone": "Backbone on Spark", "floor": "PySpark by hand", ON_DUCKDB: "Backbone on DuckDB", DUCKDB: DUCKDB}


def spark_rows(found: Sequence[Record]) -> list[tuple[str, ...]]:
    """One row for each side of a record."""
    return [row for one in found for row in _rows(one)]


def _rows(one: Record) -> Iterator[tuple[str, ...]]:
    for side, name in NAMES.items():
        if side in one.failures:
            yield (one.name, name, "", "", "", "", "", "failed")
        elif side in one.samples:
            judged = "; ".join(f"{budget}: {verdict(one, budget)}" for budget in one.budgets)
            yield (one.name, name, *_numbers(one.samples, side), judged if side == "backbone" else "")


def _numbers(samples: Samples, side: str) -> tuple[str, ...]:
    seconds = [one["wall_s"] for one in samples[side]]
    spread = f"{number(middle(samples[side], 'wall_s'))} ({number(min(seconds))}–{number(max(seconds))})"
    ratios = (number(ratio(samples, metric, side), "×") for metric in ("wall_s", "cpu_s"))
    peak = middle(samples[side], "peak_mb")
    return (spread, number(middle(samples[side], "cpu_s")), *ratios, f"{peak:,.0f}" if peak else "")
