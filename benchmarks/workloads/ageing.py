"""An old lake: what many runs and datasets cost the next run."""

from pathlib import Path

from benchmarks import projects
from benchmarks.inputs import both
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side, after, copy_of, run
from benchmarks.workload import Budget, Measurable, Workload

DATASETS = 300
LARGE = 10_000_000
MANY, FEW = 1_000, 100
RUNS = str(WORK.parent / "runs.py")


def lake(runs: int) -> Side:
    """A lake after so many runs, each of which took in one small file; one more has come."""

    def build(folder: Path) -> None:
        projects.write(folder, projects.with_arrivals(DATASETS))
        run((PYTHON, RUNS, str(runs)), folder)

    one_more = {"data/more-0.csv": "n\n-1\n"}
    old = after((BACKBONE, "run"), copy_of(f"runs-{runs}-of-{DATASETS}", build, keep=True))
    return Side((BACKBONE, "run"), both(old, lambda folder: projects.write(folder, one_more)))


def workloads(rows: int) -> list[Measurable]:
    """One more file in an old lake against one more in a new one: 1,000 runs where the rows are many, else 100."""
    runs = MANY if rows >= LARGE else FEW
    about = f"one small file more, three of {DATASETS} datasets follow; floor: the same in a lake of one run"
    budget = (Budget(1.1, of_floor=True),)
    return [Workload("a run in an old lake", f"after {runs:,} runs, {about}", lake(runs), lake(1), budget, 5)]
