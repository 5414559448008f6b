"""Workloads of the benchmark, with what peers do of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.measuring import Side
from benchmarks.peers import PEERS
from benchmarks.workload import Workload
from benchmarks.workloads import workloads
from benchmarks.workloads.views import CHANGED

VIEWS = 100


def peer_workloads(rows: int, chosen: Sequence[str]) -> list[Workload]:
    """What a peer has no function for, it doesn't do."""
    known = {one.name: one for one in workloads(rows) if isinstance(one, Workload)}
    asked: dict[str, tuple[str, tuple[int, ...]]] = {
        "start": ("backbone --version", ()),
        "first": (f"{VIEWS} views, first run", (VIEWS,)),
        "changed": (f"{VIEWS} views, one changed", (VIEWS, CHANGED)),
        "nothing": (f"{VIEWS} views, nothing to do", (VIEWS,)),
        "load": ("load csv, clean", (rows,)),
        "day": ("a day on nine", (rows,)),
    }
    return [
        replace(known[name], peers=_sides(what, given, chosen), notes=_notes(what), budgets=(), rounds=3)
        for what, (name, given) in asked.items()
    ]


def _notes(what: str) -> dict[str, str]:
    return {name: module.NOTES[what] for name, module in PEERS.items() if what in module.NOTES}


def _sides(what: str, given: tuple[int, ...], chosen: Sequence[str]) -> dict[str, Side]:
    found: dict[str, Side] = {}
    for name, module in PEERS.items():
        make: Callable[..., Side] | None = getattr(module, what, None)
        if make and name in chosen:
            found[name] = make(*given)
    return found
