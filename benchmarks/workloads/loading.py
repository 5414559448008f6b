"""Loading files: from the landed bytes to typed rows in the lake."""

from functools import partial

from benchmarks import inputs, projects
from benchmarks.inputs import both, link
from benchmarks.measuring import BACKBONE, PYTHON, WORK, Side
from benchmarks.workload import Budget, Measurable, Workload

FLOOR = str(WORK.parent / "floors" / "loading.py")
TEMPLATES = {"csv": "{format: csv, null_tokens: [NA]}", "json": "{format: ndjson}", "parquet": "{format: parquet}"}
ROWS_A_SECOND = Budget(1.25, of_floor=True)
"""At least 0.8 of the floor's rows for each CPU second."""


def loads(form: str, rows: int, *, bad: bool) -> Workload:
    """One format, clean or with one bad value in a thousand rows."""
    file = link(partial(inputs.flights, rows, form, bad=bad), f"data/flights-01.{form}")
    source = f"from: data/flights-*.{form}\ntemplate: {TEMPLATES[form]}\n{projects.COLUMNS}"
    texts = {"backbone.yml": "name: load\n", "sources/flights.yml": source}
    ours = Side((BACKBONE, "run", "--select", "formatted.flights"), both(file, lambda f: projects.write(f, texts)))
    values = "bad" if bad else "clean"
    floor = Side((PYTHON, FLOOR, form, values), file)
    about = "one file landed and formatted; floor: CREATE TABLE in DuckDB" + (", bad rows set aside" if bad else "")
    return Workload(f"load {form}, {'0.1% bad' if bad else 'clean'}", about, ours, floor, (ROWS_A_SECOND,))


def workloads(rows: int) -> list[Measurable]:
    """CSV, JSON (one object a line) and Parquet."""
    return [loads(form, rows, bad=bad) for form in TEMPLATES for bad in (False, True)]
