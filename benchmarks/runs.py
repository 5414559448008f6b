"""Runs a project N times in one process, each time with one more small file, and prints the CPU-s of each: `runs.py N`.

In one process because 1,000 starts of the interpreter would measure the interpreter; each run opens the project anew.
What processes of its own cost, such as maintenance, is counted in.
"""

import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import backbone


def one_more(number: int) -> float:
    """Let one more file arrive, and run; the CPU seconds of the run."""
    Path(f"data/more-{number}.csv").write_text(f"n\n{number}\n", encoding="utf-8")
    start = _spent()
    report = backbone.open(".").run()
    if report.status != "published":
        sys.exit(f"run {number}: {report}")
    return _spent() - start


def _spent() -> float:
    """The CPU seconds of this process and of its children that have ended: maintenance is one."""
    return sum(spent.ru_utime + spent.ru_stime for spent in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


if __name__ == "__main__":
    for number in range(1, int(sys.argv[1]) + 1):
        print(f"{number} {one_more(number):.4f}", flush=True)
