"""Measuring the curves: CPU seconds by number of datasets, of runs, of landed files."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from benchmarks import projects
from benchmarks.measuring import BACKBONE, PYTHON, WORK, CommandError, cost, environment
from benchmarks.workloads.ageing import RUNS

Curve = dict[str, list[tuple[int, float]]]
"""Points by what is done."""

DATASETS = (10, 20, 50, 100, 200, 500, 1000, 2000)
FILES = (1, 10, 30, 100, 300, 1000, 3000, 10_000)
MANY_RUNS = 1000
BY_DECADE = 8
"""How many points of the curve of runs there are for each factor of ten."""


CURVES = ("datasets", "landed files", "runs")


def measured(name: str, most: float, said: Callable[[str], object]) -> Curve:
    """One of the curves, up to a share `most` of the full numbers (1: all of them)."""
    if name == "datasets":
        return _curve([n for n in DATASETS if n <= DATASETS[-1] * most], _datasets, said)
    if name == "landed files":
        return _curve([n for n in FILES if n <= FILES[-1] * most], _files, said)
    return _runs(int(MANY_RUNS * most), said)


def _curve(
    numbers: list[int], at: Callable[[int, Path], Iterator[tuple[str, float]]], said: Callable[[str], object]
) -> Curve:
    found: Curve = {}
    for n in numbers:
        with tempfile.TemporaryDirectory(dir=WORK, prefix="growth-") as folder:
            for name, cpu in at(n, Path(folder)):
                found.setdefault(name, []).append((n, cpu))
                said(f"{n:>6} {name}: {cpu:.2f} CPU-s")
    return found


def _datasets(n: int, folder: Path) -> Iterator[tuple[str, float]]:
    projects.write(folder, projects.views(n - 2))
    yield "first run", _cpu("run", folder=folder)
    yield "nothing to do", _again("run", folder=folder)
    last = n - 3
    projects.write(folder, {f"exploitation/v{last}.sql": projects.view(last, plus=2)})
    yield "one changed", _cpu("run", folder=folder)
    yield "sql", _again("sql", f"SELECT n FROM exploitation.v{last}", folder=folder)
    yield "status", _again("status", folder=folder)


def _files(n: int, folder: Path) -> Iterator[tuple[str, float]]:
    projects.write(folder, projects.with_arrivals(5))
    projects.write(folder, {f"data/more-{i}.csv": f"n\n{i}\n" for i in range(n)})
    yield "first run", _cpu("run", folder=folder)
    yield "nothing to do", _again("run", folder=folder)
    projects.write(folder, {f"data/more-{n}.csv": f"n\n{n}\n"})
    yield "one more file", _cpu("run", folder=folder)
    yield "sql", _again("sql", "SELECT n FROM exploitation.total", folder=folder)


def _runs(most: int, said: Callable[[str], object]) -> Curve:
    """What the n-th run costs, each with one more file: medians of the runs around n."""
    with tempfile.TemporaryDirectory(dir=WORK, prefix="growth-") as name:
        projects.write(Path(name), projects.with_arrivals(5))
        command = (PYTHON, RUNS, str(most))
        done = subprocess.run(command, cwd=name, capture_output=True, text=True, check=False, env=environment())
        if done.returncode:
            raise CommandError(command, done.returncode, done.stdout + done.stderr)
    costs = [float(line.split()[1]) for line in re.findall(r"^\d+ [\d.]+$", done.stdout, re.MULTILINE)]
    said(f"{most:>6} runs: {costs[0]:.2f} CPU-s the first, {costs[-1]:.2f} CPU-s the last")
    return {"the n-th run": list(_medians(costs))}


def _medians(costs: list[float]) -> Iterator[tuple[int, float]]:
    edges = sorted({round(10 ** (i / BY_DECADE)) for i in range(BY_DECADE * 4) if 10 ** (i / BY_DECADE) < len(costs)})
    for low, high in zip(edges, [*edges[1:], len(costs) + 1], strict=True):
        # The first run of a process imports, so that it isn't compared with the others.
        if low > 1:
            yield (low + high) // 2, round(median(costs[low - 1 : high - 1]), 4)


def _cpu(*command: str, folder: Path) -> float:
    return cost((BACKBONE, *command), folder)["cpu_s"]


def _again(*command: str, folder: Path) -> float:
    """The median of three: these change nothing."""
    return median(_cpu(*command, folder=folder) for _ in range(3))


def tell(line: str) -> None:
    """Say a point while others are still to come."""
    print(line, file=sys.stderr, flush=True)
