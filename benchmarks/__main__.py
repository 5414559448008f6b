"""Measures Backbone against its budgets: `make bench`, or `python -m benchmarks --rows 10000000 --only load`.

Every workload runs several times, in turn with the same work written by hand in DuckDB (the floor), so that both see
the same machine. The table tells medians, and the least and the most CPU seconds; the JSON every sample.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.measuring import BACKBONE, WORK, Side
from benchmarks.page import write_page
from benchmarks.profiling import profiled
from benchmarks.selecting import selected
from benchmarks.session import measure
from benchmarks.tables import HEADER, line, plain, rows_of
from benchmarks.workload import Workload
from benchmarks.workloads import workloads


def command_of(rows: int, name: str) -> Side:
    """Backbone's side of a workload that runs its command line."""
    known = {one.name: one.ours for one in workloads(rows) if isinstance(one, Workload)}
    known = {one: side for one, side in known.items() if side.command[:1] == (BACKBONE,)}
    if name not in known:
        sys.exit(f"There is no command to profile in '{name}'. There is one in:\n  " + "\n  ".join(known))
    return known[name]


def main() -> None:
    """Measure, print the table, and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large workloads (default 1,000,000)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="workloads that begin with NAME")
    parser.add_argument("--rounds", type=int, help="how often each runs (default: 3 to 9)")
    parser.add_argument("--json", type=Path, default=WORK / "results.json", help="rows of the same name are replaced")
    parser.add_argument("--list", action="store_true", help="name the workloads, measure nothing")
    parser.add_argument("--page", action="store_true", help="write the tables of docs/performance.md, measure nothing")
    parser.add_argument("--profile", metavar="NAME", help="tell where Backbone's CPU seconds of one workload go")
    options = parser.parse_args()
    chosen = selected(workloads(options.rows), options.only)
    if options.profile:
        print(profiled(command_of(options.rows, options.profile)))
    elif options.page:
        write_page()
    elif options.list:
        print("\n".join(f"{one.name}\n    {one.about}" for one in chosen))
    else:
        found = measure(chosen, rows=options.rows, rounds=options.rounds, json=options.json, show=line)
        print(plain(HEADER, rows_of(found)))
        sys.exit(any(one.failures for one in found))


if __name__ == "__main__":
    main()
