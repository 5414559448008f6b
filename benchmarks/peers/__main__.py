"""Measures other tools in turn with Backbone: `make bench-peers`, or `python -m benchmarks.peers --peer dbt`.

The first time, their environments are made from the package index. Nothing else leaves the machine.
"""

import argparse
from pathlib import Path

from benchmarks.measuring import WORK
from benchmarks.peers import PEERS
from benchmarks.peers.environments import make
from benchmarks.peers.workloads import peer_workloads
from benchmarks.records import Record
from benchmarks.selecting import selected
from benchmarks.session import measure
from benchmarks.tables import PEER_HEADER, peer_rows, plain


def main() -> None:
    """Make environments, measure, print the table, and write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large workloads (default 1,000,000)")
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="only these")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="workloads that begin with NAME")
    parser.add_argument("--rounds", type=int, help="how often each runs (default 2)")
    parser.add_argument("--json", type=Path, default=WORK / "peers.json")
    options = parser.parse_args()
    chosen = options.peer or list(PEERS)
    for peer in chosen:
        make(peer)
    asked = selected(peer_workloads(options.rows, chosen), options.only)
    found = measure(asked, rows=options.rows, rounds=options.rounds, json=options.json, show=told)
    print(plain(PEER_HEADER, peer_rows(found)))


def told(one: Record) -> str:
    """One record while others are still to come."""
    return plain(("",) * len(PEER_HEADER), peer_rows([one]))


if __name__ == "__main__":
    main()
