"""Measuring a list of workloads, one after the other; each is shown and kept as soon as it is known."""

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measuring import WORK, compile_bytecode, in_turn
from benchmarks.records import Record, machine, save_records, versions
from benchmarks.workload import Measurable, Samples, Workload, difference

Show = Callable[[Record], str]


def measure(chosen: Iterable[Measurable], *, rows: int, rounds: int | None, json: Path, show: Show) -> list[Record]:
    """Measure workloads, and write each into a JSON file. One that fails doesn't stop the others."""
    WORK.mkdir(exist_ok=True)
    compile_bytecode()
    found: list[Record] = []
    known: dict[str, Samples] = {}
    for one in chosen:
        found.append(_measured(one, rows, rounds, known))
        known[one.name] = found[-1].samples
        save_records(json, found[-1:])
        print(show(found[-1]), file=sys.stderr, flush=True)
    return found


def _measured(one: Measurable, rows: int, rounds: int | None, known: dict[str, Samples]) -> Record:
    before = os.getloadavg()[0]
    if isinstance(one, Workload):
        samples, failures = in_turn(one.sides, rounds or one.rounds)
        notes = dict(one.notes)
    else:
        samples, failures, notes = difference(one, known), {}, {}
    return Record(
        name=one.name,
        about=one.about,
        rows=rows,
        samples=samples,
        budgets=one.budgets,
        failures=failures,
        notes=notes,
        load=(round(before, 2), round(os.getloadavg()[0], 2)),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        versions=versions(),
    )
