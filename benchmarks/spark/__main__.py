"""Measures Backbone on Spark: `make bench-spark`, or `python -m benchmarks.spark --rows 10000000 --only load`."""

import argparse
from pathlib import Path

from benchmarks.measuring import WORK
from benchmarks.records import Record
from benchmarks.selecting import selected
from benchmarks.session import measure
from benchmarks.spark.telling import HEADER, spark_rows
from benchmarks.spark.workloads import workloads
from benchmarks.tables import plain


def main() -> None:
    """Measure, print the table, and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the larger flights (default 1,000,000)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="workloads that begin with NAME")
    parser.add_argument("--rounds", type=int, help="how often each runs (default 2)")
    parser.add_argument("--json", type=Path, default=WORK / "spark.json")
    options = parser.parse_args()
    asked = selected(workloads(options.rows), options.only)
    found = measure(asked, rows=options.rows, rounds=options.rounds, json=options.json, show=told)
    print(plain(HEADER, spark_rows(found)))


def told(one: Record) -> str:
    """One record while others are still to come."""
    return plain(("",) * len(HEADER), spark_rows([one]))


if __name__ == "__main__":
    main()
