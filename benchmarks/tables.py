"""The records as tables: for the terminal, and for docs/performance.md."""

from collections.abc import Sequence
from math import floor, log10

from benchmarks.records import Record
from benchmarks.workload import Budget, middle, ratio

HEADER = (
    "workload",
    "CPU-s (min–max)",
    "floor",
    "CPU",
    "wall",
    "memory",
    "written",
    "kept",
    "peak MB",
    "budget",
    "verdict",
)
RATIOS = ("cpu_s", "wall_s", "peak_mb", "written_mb", "kept_mb")


def rows_of(found: Sequence[Record]) -> list[tuple[str, ...]]:
    """One row a record, with the columns of `HEADER`: five of them are ratios to the floor."""
    return [_row(one) for one in found]


def _row(one: Record) -> tuple[str, ...]:
    ratios = (number(ratio(one.samples, metric), "×") for metric in RATIOS)
    peak = middle(one.samples.get("backbone", []), "peak_mb")
    return (
        one.name,
        _spread(one, "backbone"),
        _spread(one, "floor"),
        *ratios,
        f"{peak:,.0f}" if peak else "",
        "; ".join(str(budget) for budget in one.budgets),
        "; ".join(verdict(one, budget) for budget in one.budgets),
    )


def reached(one: Record, budget: Budget) -> float | None:
    """The number that a budget limits."""
    if budget.of_floor:
        return ratio(one.samples, budget.metric)
    return middle(one.samples.get("backbone", []), budget.metric)


def verdict(one: Record, budget: Budget) -> str:
    """Whether a budget is met, and what was reached where it isn't."""
    found = reached(one, budget)
    if found is None:
        return "failed" if one.failures else "not measured"
    return "met" if found <= budget.limit else f"missed: {number(found, '×' if budget.of_floor else '')}"


def _spread(one: Record, side: str) -> str:
    values = [sample["cpu_s"] for sample in one.samples.get(side, [])]
    if not values:
        return ""
    found = middle(one.samples[side], "cpu_s")
    return f"{number(found)} ({number(min(values))}–{number(max(values))})"


def number(value: float | None, unit: str = "") -> str:
    """Three digits that say something."""
    if value is None:
        return ""
    digits = 2 - floor(log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits)}f}{unit}"


def line(one: Record) -> str:
    """One record while others are still to come."""
    return "  ".join(cell for cell in _row(one) if cell)


PEER_HEADER = ("workload", "by", "CPU-s (min–max)", "CPU", "wall", "memory", "written", "kept", "")


def peer_rows(found: Sequence[Record]) -> list[tuple[str, ...]]:
    """One row for each side of a record, with ratios to Backbone."""
    return [_peer_row(one, side) for one in found for side in (*one.samples, *one.failures)]


def _peer_row(one: Record, side: str) -> tuple[str, ...]:
    ratios = (number(ratio(one.samples, metric, side, "backbone"), "×") for metric in RATIOS)
    note = "failed" if side in one.failures else one.notes.get(side, "")
    return (one.name, side, _spread(one, side), *ratios, note)


def plain(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for the terminal."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (header, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table for a page."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
