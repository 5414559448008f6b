"""Dagster: it runs Python in order and remembers that it ran; the SQL is one's own, here DuckDB's. One process."""

import json

from benchmarks.inputs import both
from benchmarks.measuring import Side, after, copy_of
from benchmarks.peers.environments import files, floor_script, program
from benchmarks.projects import trivial_views, write
from benchmarks.workloads.flow import arrived, one_more

DAGSTER = program("dagster", "dagster")
NOTES = {
    "changed": "one names what has changed",
    "nothing": "all is made again: the command line has no other way",
    "day": "the floor's SQL as one asset; no quarantine, ledger, audits, profile",
    "full": "the floor's SQL as one asset; no quarantine, ledger, audits, profile",
}


def start() -> Side:
    """The command line alone."""
    return Side((DAGSTER, "--version"))


def first(views: int) -> Side:
    """Every view an asset that makes a table."""
    texts = {"data/one.csv": "n\n1\n", "views.json": json.dumps(trivial_views(views))}
    return Side(_materialize("*"), both(files("dagster"), lambda folder: write(folder, texts)))


def changed(views: int, one: int) -> Side:
    """One view and those that read it."""
    change = {"views.json": json.dumps(trivial_views(views, changed=one))}
    ran = nothing(views).prepare
    return Side(_materialize(f'key:"v{one}"+'), both(ran, lambda folder: write(folder, change)))


def nothing(views: int) -> Side:
    """All again."""
    side = first(views)
    return Side(side.command, copy_of(f"dagster-{views}", after(side.command, side.prepare)))


def full(rows: int) -> Side:
    """All flights."""
    return Side(_materialize("*"), both(arrived(rows), files("dagster"), floor_script))


def day(rows: int) -> Side:
    """One more file after a run."""
    side = full(rows * 9 // 10)
    ran = copy_of(f"dagster-nine-{rows}", after(side.command, side.prepare))
    return Side(side.command, both(ran, one_more(rows)))


def _materialize(selection: str) -> tuple[str, ...]:
    command = f"DAGSTER_HOME=$PWD exec {DAGSTER} asset materialize --select '{selection}' -f defs.py"
    return ("sh", "-c", command)
