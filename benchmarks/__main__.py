"""Measures Backbone against its budgets: `make bench`, or `python -m benchmarks --rows 10000000 --only load`.

Every workload runs several times, in turn with the same work written by hand in DuckDB (the floor), so that both see
the same machine. The table tells medians, and the least and the most CPU seconds; the JSON every sample.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.measuring import BACKBONE, WORK, CommandError, clear_prepared, in_turn, run
from benchmarks.page import write_page
from benchmarks.records import Record, record, save_records
from benchmarks.selecting import selected
from benchmarks.tables import HEADER, plain, rows_of
from benchmarks.workload import Measurable, Samples, Workload, difference
from benchmarks.workloads import workloads


def measure(chosen: list[Measurable], rows: int, rounds: int | None, path: Path) -> list[Record]:
    """Measure workloads one after the other; each is shown and kept as soon as it is known, also where it fails."""
    found: list[Record] = []
    samples: dict[str, Samples] = {}
    for one in chosen:
        load, failure = os.getloadavg()[0], ""
        try:
            samples[one.name] = taken(one, rounds, samples)
        except CommandError as error:
            print(error, file=sys.stderr)
            failure = str(error).split("\n", maxsplit=1)[0]
        found.append(record(one, rows, samples.get(one.name, {}), load, failure))
        save_records(path, found[-1:])
        print(f"{len(found)}/{len(chosen)}  " + "  ".join(filter(None, rows_of(found[-1:])[0])), file=sys.stderr)
    return found


def taken(one: Measurable, rounds: int | None, samples: dict[str, Samples]) -> Samples:
    """The samples of one workload; a difference has those of its parts (none where one of them failed)."""
    if isinstance(one, Workload):
        return in_turn(one.sides, rounds or one.rounds)
    return difference(one, samples) if {one.whole, one.part} <= samples.keys() else {}


def main() -> None:
    """Measure, print the table, and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large workloads (default 1,000,000)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="workloads that begin with NAME")
    parser.add_argument("--rounds", type=int, help="how often each runs (default: 3 to 9)")
    parser.add_argument("--json", type=Path, default=WORK / "results.json", help="rows of the same name are replaced")
    parser.add_argument("--list", action="store_true", help="name the workloads, measure nothing")
    parser.add_argument("--page", action="store_true", help="write the tables of docs/performance.md, measure nothing")
    options = parser.parse_args()
    chosen = selected(workloads(options.rows), options.only)
    if options.page:
        write_page()
    elif options.list:
        print("\n".join(f"{one.name}\n    {one.about}" for one in chosen))
    else:
        clear_prepared()
        WORK.mkdir(exist_ok=True)
        run((BACKBONE, "--version"), WORK)
        found = measure(chosen, options.rows, options.rounds, options.json)
        print(plain(HEADER, rows_of(found)))
        sys.exit(any(one.failure for one in found))


if __name__ == "__main__":
    main()
