"""What a dataset costs when it holds nothing: planning, staging and publishing trivial views."""

from pathlib import Path

from benchmarks import projects
from benchmarks.inputs import both
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side, after, copy_of
from benchmarks.workload import Budget, Difference, Measurable, Workload

FLOOR = str(WORK.parent / "floors" / "views.py")
SIZES = (10, 100, 500)
CHANGED = 5
"""The view that is changed; four others of its chain read it."""
FIRST = {100: (Budget(1.5),)}
NOTHING = {500: (Budget(0.5),)}


def project(number: int) -> "Side":
    """Backbone's side of a first run."""
    return Side((BACKBONE, "run"), lambda folder: projects.write(folder, projects.views(number)))


def by_hand(number: int) -> "Side":
    """The floor's side of a first run."""
    return Side((PYTHON, FLOOR, "first", str(number)), project(number).prepare)


def change(folder: Path) -> None:
    """Change one view."""
    projects.write(folder, {f"exploitation/v{CHANGED}.sql": projects.view(CHANGED, plus=2)})


def workloads(_: int) -> list[Measurable]:
    """First run, one changed, nothing to do, of 10, 100 and 500 views."""
    found: list[Measurable] = []
    for n in SIZES:
        first, floor = project(n), by_hand(n)
        ran = after(first.command, copy_of(f"views-{n}", after(first.command, first.prepare)))
        floor_ran = copy_of(f"views-{n}-floor", after(floor.command, floor.prepare))
        floor_nothing = Side((PYTHON, FLOOR, "nothing"), floor_ran)
        changed = Side(first.command, both(ran, change))
        floor_changed = Side((PYTHON, FLOOR, "changed", str(CHANGED)), both(floor_ran, change))
        by_bytes = "floor: digests of all files, and the last snapshot"
        in_one = "floor: DuckLake, in one transaction"
        found += [
            Workload(f"{n} views, first run", in_one, first, floor, FIRST.get(n, ()), 3),
            Workload(f"{n} views, one changed", f"{in_one}; five are made again", changed, floor_changed, (), 3),
            Workload(
                f"{n} views, nothing to do", by_bytes, Side(first.command, ran), floor_nothing, NOTHING.get(n, ()), 5
            ),
        ]
    most, least = (f"{n} views, first run" for n in (SIZES[-1], SIZES[0]))
    steps = SIZES[-1] - SIZES[0]
    about = f"{most} less {least}, for each of {steps}"
    return [*found, Difference("overhead per step", about, most, least, steps, (Budget(0.010),))]
