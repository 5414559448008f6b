"""Workloads of the benchmark, with what peers do of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.measuring import Side
from benchmarks.peers import PEERS
from benchmarks.workload import Workload
from benchmarks.workloads import workloads
from benchmarks.workloads.views import CHANGED

VIEWS = (10, 100)
ROUNDS = 2


def peer_workloads(rows: int, chosen: Sequence[str]) -> list[Workload]:
    """What a peer has no function for, it doesn't do."""
    known = {one.name: one for one in workloads(rows) if isinstance(one, Workload)}
    return [
        replace(known[name], peers=_sides(what, given, chosen), notes=_notes(what), budgets=(), rounds=ROUNDS)
        for name, (what, given) in _asked(rows).items()
    ]


def _asked(rows: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """What peers are asked for, by workload: the name of a peer's function, and its arguments."""
    asked: dict[str, tuple[str, tuple[int, ...]]] = {"backbone --version": ("start", ())}
    for n in VIEWS:
        asked |= {
            f"{n} views, first run": ("first", (n,)),
            f"{n} views, one changed": ("changed", (n, CHANGED)),
            f"{n} views, nothing to do": ("nothing", (n,)),
        }
    return asked | {
        "load csv, clean": ("load", (rows,)),
        "a day on nine": ("day", (rows,)),
        "full run": ("full", (rows,)),
    }


def _notes(what: str) -> dict[str, str]:
    return {name: module.NOTES[what] for name, module in PEERS.items() if what in module.NOTES}


def _sides(what: str, given: tuple[int, ...], chosen: Sequence[str]) -> dict[str, Side]:
    found: dict[str, Side] = {}
    for name, module in PEERS.items():
        make: Callable[..., Side] | None = getattr(module, what, None)
        if make and name in chosen:
            found[name] = make(*given)
    return found
