"""What is measured on Spark: starting, steps that do nothing, files that are loaded, and flights through all zones."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks import inputs, projects
from benchmarks.inputs import both, link
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side
from benchmarks.workload import Budget, Difference, Measurable, Workload
from benchmarks.workloads import views as on_duckdb

FLOOR = str(WORK.parent / "floors" / "spark_flights.py")
DUCKDB_FLOOR = str(WORK.parent / "floors" / "flights.py")
FILES = 8
"""So many files have the rows of a workload: Spark reads whole files side by side."""
VIEWS = (2, 12)
ROUNDS = 2
ON_DUCKDB, DUCKDB = "backbone on DuckDB", "DuckDB by hand"
TARGET = Budget(1.2, of_floor=True)
"""Of the same work by hand in PySpark."""


def on_spark(texts: Mapping[str, str]) -> dict[str, str]:
    """A project's files, with Spark as its engine."""
    return {**texts, "backbone.yml": f"{texts['backbone.yml']}engine: spark\n"}


def arrived(rows: int) -> Callable[[Path], None]:
    """A preparation: so many flights in some files, and the planes."""
    each = rows // FILES
    files = [link(partial(inputs.flights, each, start=each * n), f"data/flights-{n:02}.csv") for n in range(FILES)]
    return both(*files, link(inputs.planes, "data/planes.csv"))


def sides(command: tuple[str, ...], texts: Mapping[str, str], data: Callable[[Path], object]) -> tuple[Side, Side]:
    """Backbone on Spark, and on DuckDB."""
    first, second = (
        Side(command, both(data, lambda folder, files=files: projects.write(folder, files)))
        for files in (on_spark(texts), texts)
    )
    return first, second


def flights(name: str, about: str, rows: int, command: tuple[str, ...], by_hand: str) -> Workload:
    """A workload over flights. `by_hand` is what the programs by hand call it."""
    data = arrived(rows)
    ours, here = sides(command, projects.FLIGHTS, data)
    floor, duckdb = (Side((PYTHON, program, by_hand), data) for program in (FLOOR, DUCKDB_FLOOR))
    return Workload(name, about, ours, floor, (TARGET,), ROUNDS, {ON_DUCKDB: here, DUCKDB: duckdb})


def steps(number: int) -> Workload:
    """Trivial views over one row."""
    texts = projects.views(number)
    ours, here = sides((BACKBONE, "run"), texts, lambda _: None)
    floor = Side((PYTHON, FLOOR, "views", str(number)), ours.prepare)
    about = "over one row, in chains of ten; Spark's start is most of it"
    peers = {ON_DUCKDB: here, DUCKDB: on_duckdb.by_hand(number)}
    return Workload(f"{number} views", about, ours, floor, (), ROUNDS, peers)


def workloads(rows: int) -> list[Measurable]:
    """All of them, the flights with so many rows and with a tenth of them."""
    least, most = VIEWS
    found: list[Measurable] = [steps(number) for number in VIEWS]
    about = f"{most} views less {least}, for each of {most - least}"
    found.append(Difference("a step", about, f"{most} views", f"{least} views", most - least, (TARGET,)))
    load = (BACKBONE, "run", "--select", "formatted.flights")
    for few in (rows // 10, rows):
        size = f"{few:,} rows"
        found += [
            flights(f"load, {size}", "eight CSV files formatted", few, load, "load"),
            flights(f"full run, {size}", "typed, deduplicated, joined, aggregated", few, (BACKBONE, "run"), "full"),
        ]
    return found
