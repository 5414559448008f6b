"""Flights through all zones: a full run, and one more day."""

from benchmarks import inputs, projects
from benchmarks.inputs import both, link
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side, after, copy_of
from benchmarks.workload import Budget, Measurable, Workload

FLOOR = str(WORK.parent / "floors" / "flights.py")


def with_flights(rows: int) -> "Side":
    """Backbone's project with so many flights landed nowhere yet."""
    data = both(link(lambda: inputs.flights(rows), "data/flights-01.csv"), link(inputs.planes, "data/planes.csv"))
    return Side((BACKBONE, "run"), both(data, lambda folder: projects.write(folder, projects.FLIGHTS)))


def workloads(rows: int) -> list[Measurable]:
    """Five steps over the flights: typed, deduplicated, joined, aggregated twice."""
    ours, most = with_flights(rows), rows * 9 // 10
    floor = Side((PYTHON, FLOOR, "full"), ours.prepare)
    one_more = link(lambda: inputs.flights(rows // 10, start=most - rows // 20), "data/flights-02.csv")
    before = with_flights(most).prepare
    ran = after(ours.command, copy_of(f"nine-{rows}", after(ours.command, before)))
    floor_ran = copy_of(f"nine-{rows}-floor", after(floor.command, before))
    day, by_hand = Side(ours.command, both(ran, one_more)), Side((PYTHON, FLOOR, "day"), both(floor_ran, one_more))
    about = "typed, deduplicated, joined, aggregated; floor: the same in DuckDB"
    return [
        Workload(
            "a day on nine", f"a tenth on nine tenths of the rows: {about}", day, by_hand, (Budget(2, of_floor=True),)
        ),
        Workload(
            "full run",
            f"{about}, without audits and profile",
            ours,
            floor,
            (Budget(1.2, of_floor=True), Budget(1500, "peak_mb")),
        ),
    ]
