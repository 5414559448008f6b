"""Flights through all zones: a full run, and one more day."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import inputs, projects
from benchmarks.inputs import both, link
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side, after, copy_of
from benchmarks.workload import Budget, Measurable, Workload

FLOOR = str(WORK.parent / "floors" / "flights.py")


def day_file(rows: int) -> Path:
    """A tenth of the rows after nine tenths of them; half are corrections of those."""
    return inputs.flights(rows // 10, start=rows * 9 // 10 - rows // 20)


def one_more(rows: int) -> Callable[[Path], None]:
    """A preparation: the day arrives."""
    return link(partial(day_file, rows), "data/flights-02.csv")


def arrived(rows: int) -> Callable[[Path], None]:
    """A preparation: so many flights, and the planes."""
    return both(link(partial(inputs.flights, rows), "data/flights-01.csv"), link(inputs.planes, "data/planes.csv"))


def workloads(rows: int) -> list[Measurable]:
    """Five steps over the flights: typed, deduplicated, joined, aggregated twice."""
    project = partial(projects.write, texts=projects.FLIGHTS)
    ours, by_hand = Side((BACKBONE, "run"), both(arrived(rows), project)), Side((PYTHON, FLOOR, "full"), arrived(rows))
    ran = after(ours.command, copy_of(f"nine-{rows}", after(ours.command, both(arrived(rows * 9 // 10), project))))
    ran_by_hand = copy_of(f"nine-{rows}-floor", after(by_hand.command, arrived(rows * 9 // 10)))
    day, floor = (
        Side(ours.command, both(ran, one_more(rows))),
        Side((PYTHON, FLOOR, "day"), both(ran_by_hand, one_more(rows))),
    )
    about = "typed, deduplicated, joined, aggregated; floor: the same in DuckDB"
    return [
        Workload(
            "a day on nine", f"a tenth on nine tenths of the rows: {about}", day, floor, (Budget(2, of_floor=True),)
        ),
        Workload(
            "full run",
            f"{about}, without audits and profile",
            ours,
            by_hand,
            (Budget(1.2, of_floor=True), Budget(1500, "peak_mb")),
        ),
    ]
