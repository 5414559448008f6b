"""Answers: the first one of `sql`, and a full profile."""

from benchmarks import inputs, projects
from benchmarks.inputs import both, link
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side, after, copy_of
from benchmarks.workload import Budget, Measurable, Workload

FLOOR = str(WORK.parent / "floors" / "asking.py")
QUERY = "SELECT origin, count(*) AS flights FROM trusted.flights GROUP BY ALL"


def published(rows: int) -> Side:
    """A lake with trusted flights, asked nothing."""
    texts = {name: projects.FLIGHTS[name] for name in ("backbone.yml", "sources/flights.yml")}
    files = both(link(lambda: inputs.flights(rows), "data/flights-01.csv"), lambda f: projects.write(f, texts))
    return Side((), copy_of(f"published-{rows}", after((BACKBONE, "run"), files)))


def workloads(rows: int) -> list[Measurable]:
    """Both of at most a million rows: the one is about beginning, the other has its budget there."""
    lake = published(min(rows, 1_000_000)).prepare
    query, summary = Side((PYTHON, FLOOR, "query"), lake), Side((PYTHON, FLOOR, "summarize"), lake)
    profile = Side((BACKBONE, "profile", "trusted.flights", "--format", "json"), lake)
    opened = "floor: DuckDB attaches the lake, and "
    budget = (Budget(1.2, of_floor=True),)
    return [
        Workload("sql, first answer", f"{opened}asks the same", Side((BACKBONE, "sql", QUERY), lake), query, rounds=5),
        Workload(
            "profile", f"with top values and histograms; {opened}SUMMARIZE, without them", profile, summary, budget
        ),
    ]
