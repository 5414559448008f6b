"""dlt: it loads, and does no more."""

from functools import partial

from benchmarks import inputs
from benchmarks.inputs import both, link
from benchmarks.measuring import Side
from benchmarks.peers.environments import files, program

NOTES = {"load": "no checksums, no row numbers, no profile; a bad value fails the load"}


def start() -> Side:
    """The command line alone."""
    return Side((program("dlt", "dlt"), "--version"))


def load(rows: int) -> Side:
    """One CSV file."""
    file = link(partial(inputs.flights, rows), "data/flights-01.csv")
    return Side((program("dlt", "python"), "load.py"), both(file, files("dlt")))
