"""Kedro: it runs Python in order and remembers nothing; the SQL is one's own, here DuckDB's."""

import json

from benchmarks.inputs import both
from benchmarks.measuring import Side, after, copy_of
from benchmarks.peers.environments import files, floor_script, program
from benchmarks.projects import trivial_views, write
from benchmarks.workloads.flow import arrived, one_more

KEDRO = program("kedro", "kedro")
NOTES = {
    "changed": "one names what has changed",
    "nothing": "`--only-missing-outputs`: it only looks whether the tables are there",
    "day": "the floor's SQL as one node; no quarantine, ledger, audits, profile",
    "full": "the floor's SQL as one node; no quarantine, ledger, audits, profile",
}
RUN = (KEDRO, "run")


def start() -> Side:
    """The command line alone."""
    return Side((KEDRO, "--version"))


def first(views: int) -> Side:
    """Every view a node that makes a table."""
    catalogue = "".join(f"{name}: {{type: bench.table.Table, table: {name}}}\n" for name, *_ in trivial_views(views))
    texts = {
        "data/one.csv": "n\n1\n",
        "conf/base/catalog.yml": catalogue,
        "views.json": json.dumps(trivial_views(views)),
    }
    return Side(RUN, both(files("kedro"), lambda folder: write(folder, texts)))


def changed(views: int, one: int) -> Side:
    """One view and those that read it."""
    change = {"views.json": json.dumps(trivial_views(views, changed=one))}
    ran = nothing(views).prepare
    return Side((*RUN, "--from-nodes", f"v{one}"), both(ran, lambda folder: write(folder, change)))


def nothing(views: int) -> Side:
    """Whatever has a table already is left out."""
    side = first(views)
    return Side((*RUN, "--only-missing-outputs"), copy_of(f"kedro-{views}", after(side.command, side.prepare)))


def full(rows: int) -> Side:
    """All flights."""
    return Side(RUN, both(arrived(rows), files("kedro"), floor_script))


def day(rows: int) -> Side:
    """One more file after a run."""
    ran = copy_of(f"kedro-nine-{rows}", after(RUN, full(rows * 9 // 10).prepare))
    return Side(RUN, both(ran, one_more(rows)))
