"""Measures Backbone against its budgets: `make bench`, or `python benchmarks/bench.py --rows 10000000`.

Every measure is taken several times, and the median told: CPU seconds (children included), wall seconds, peak memory.
Where there is a floor, the same work written by hand in DuckDB runs in turn with it, so that both see the same machine.
Results go to `benchmarks/results.json` too.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import inputs

HERE = Path(__file__).parent
BACKBONE = str(Path(sys.executable).parent / "backbone")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process cost."""

    cpu: float
    wall: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure beside its floor (None: there is none) and its budget, in words."""

    name: str
    ours: Cost
    floor: Cost | None
    budget: str

    @property
    def ratio(self) -> float | None:
        """Our CPU seconds for each of the floor's."""
        return round(self.ours.cpu / self.floor.cpu, 2) if self.floor else None


def cost_of(command: list[str], folder: Path) -> Cost:
    """Run a command to its end, and measure it and its children."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{printed.read().decode()[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024)


def middle(costs: list[Cost]) -> Cost:
    """The median of each number."""
    return Cost(*(round(median(getattr(c, name) for c in costs), 3) for name in ("cpu", "wall", "peak_mb")))


def measured(
    name: str,
    budget: str,
    times: int,
    ours: Callable[[Path], tuple[list[str], Path]],
    floor: Callable[[Path], list[str]] | None = None,
) -> Measure:
    """Measure a command, each time in a fresh folder made by `ours` (not measured), in turn with its floor."""
    costs, floors = [], []
    for _ in range(times):
        with tempfile.TemporaryDirectory(dir=HERE / ".work") as folder:
            command, project = ours(Path(folder))
            costs.append(cost_of(command, project))
            if floor:
                floors.append(cost_of(floor(Path(folder)), Path(folder)))
    return Measure(name, middle(costs), middle(floors) if floors else None, budget)


def measures(rows: int, times: int) -> list[Measure]:
    """All measures, the cheap ones first."""
    work = HERE / ".work"
    year, day = inputs.flights_file(work, rows), inputs.day_file(work, rows)
    idle = inputs.views_project(work / "idle", 500)
    cost_of([BACKBONE, "run"], idle)
    floor_code = [sys.executable, str(HERE / "floor.py")]

    def full(folder: Path) -> tuple[list[str], Path]:
        return [BACKBONE, "run"], inputs.flights_project(folder / "p", year)

    def one_more(folder: Path) -> tuple[list[str], Path]:
        project = inputs.flights_project(folder / "p", year)
        cost_of([BACKBONE, "run"], project)
        shutil.copy(day, project / "data" / "flights-02.csv")
        return [BACKBONE, "run"], project

    def prepared(folder: Path) -> list[str]:
        cost_of([*floor_code, "full", str(year)], folder)
        return [*floor_code, "day", str(day)]

    return [
        measured("backbone --version", "≤ 0.2 CPU-s", times * 3, lambda f: ([BACKBONE, "--version"], f)),
        measured("nothing to do, 500 views", "≤ 0.5 CPU-s", times * 2, lambda _: ([BACKBONE, "run"], idle)),
        measured(
            "100 trivial views, first run",
            "≤ 1.5 CPU-s",
            times,
            lambda f: ([BACKBONE, "run"], inputs.views_project(f / "p", 100)),
        ),
        measured(
            f"full run, {rows:,} rows",
            "≤ 1.2 of the floor",
            times,
            full,
            lambda _: [*floor_code, "full", str(year)],
        ),
        measured(f"one more tenth on {rows:,} rows", "≤ 2 of the floor", times, one_more, prepared),
    ]


def table(found: list[Measure]) -> str:
    """The measures as a table for the terminal."""
    lines = [f"{'':34}{'CPU-s':>9}{'wall s':>9}{'peak MB':>9}{'floor':>9}{'ratio':>8}  budget"]
    for m in found:
        floor = f"{m.floor.cpu:9.2f}" if m.floor else " " * 9
        ratio = f"{m.ratio:8.2f}" if m.ratio else " " * 8
        lines.append(f"{m.name:34}{m.ours.cpu:9.2f}{m.ours.wall:9.2f}{m.ours.peak_mb:9.0f}{floor}{ratio}  {m.budget}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    (HERE / ".work").mkdir(exist_ok=True)
    found = measures(options.rows, options.times)
    print(table(found))
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    results = [asdict(m) | {"ratio": m.ratio} for m in found]
    (HERE / "results.json").write_text(json.dumps({"machine": machine, "measures": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
