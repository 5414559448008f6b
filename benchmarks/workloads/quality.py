"""Fifteen checks in one pass, against one query for each."""

from benchmarks import inputs, projects
from benchmarks.inputs import both, link
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side, after, copy_of
from benchmarks.workload import Budget, Difference, Measurable, Workload

FLOOR = str(WORK.parent / "floors" / "asking.py")
CHECKS = """
  - {not_null: [id, carrier, date, origin], else: warn}
  - {one_of: carrier, values: [UA, B6, EV, DL, AA, MQ, US, 9E, WN, VX, FL, AS, F9, YV, HA, OO], else: warn}
  - {one_of: origin, values: [EWR, JFK, LGA], else: warn}
  - {in_range: delay, from: -120, to: 1440, else: warn}
  - {in_range: distance, from: 1, to: 6000, else: warn}
  - {in_range: flight, from: 1, to: 9999, else: warn}
  - {in_range: date, from: 2013-01-01, to: 2033-12-31, else: warn}
  - {matches: tailnum, pattern: 'N[0-9]{1,5}', else: warn}
  - {length: carrier, from: 2, to: 2, else: warn}
  - {length: tailnum, from: 2, to: 6, else: warn}
  - {expect: delay < distance * 10, else: warn}
  - {expect: flight <> distance * 1000, else: warn}
"""
"""One of them tests four columns: four checks."""


ONE_SCAN = "one scan"


def trusted(rows: int, name: str, rules: str) -> Side:
    """A run of the trusted zone alone, of flights that are formatted already."""
    texts = projects.FLIGHTS | {"trusted/flights.yml": f"rules:{rules}"}
    texts = {path: text for path, text in texts.items() if path.split("/")[-1] in {"backbone.yml", "flights.yml"}}

    format_it = (BACKBONE, "run", "--select", "formatted.flights")
    files = both(link(lambda: inputs.flights(rows), "data/flights-01.csv"), lambda f: projects.write(f, texts))
    formatted = after(format_it, copy_of(f"{name}-{rows}", after(format_it, files)))
    return Side((BACKBONE, "run", "--select", "trusted.flights"), formatted)


def workloads(rows: int) -> list[Measurable]:
    """A trusted dataset with fifteen checks and with none; the difference is what the checks cost."""
    checked, unchecked = trusted(rows, "checked", CHECKS), trusted(rows, "unchecked", " []\n")
    asked = Side((PYTHON, FLOOR, "checks"), checked.prepare)
    opened = Side((PYTHON, FLOOR, "open"), checked.prepare)
    in_one = Side((PYTHON, FLOOR, "one-scan"), checked.prepare)
    with_checks, without = "trusted, 15 checks", "trusted, no checks"
    return [
        Workload(
            with_checks,
            "the trusted zone alone; floor: one query for each check, of the lake's table",
            checked,
            asked,
            peers={ONE_SCAN: in_one},
        ),
        Workload(
            without, "the trusted zone alone; floor: attaching the lake", unchecked, opened, peers={ONE_SCAN: opened}
        ),
        Difference(
            "15 checks",
            f"{with_checks} less {without}; floor: fifteen queries",
            with_checks,
            without,
            budgets=(Budget(0.6, of_floor=True),),
        ),
        Difference(
            "15 checks, in one scan",
            f"{with_checks} less {without}; floor: one query by hand that makes them all",
            with_checks,
            without,
            floor=ONE_SCAN,
        ),
    ]
