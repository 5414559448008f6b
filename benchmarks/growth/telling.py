"""The curves as a table."""

from collections.abc import Mapping
from typing import TypedDict

from benchmarks.growth.curves import CURVES, Curve
from benchmarks.growth.fitting import Points, exponent, is_linear, range_of_exponents

HEADER = ("curve", "cost", "from", "to", "exponent", "verdict")


class Growth(TypedDict):
    """A curve, with what it was measured on."""

    curve: Curve
    when: str
    load: tuple[float, float]
    machine: dict[str, str | int]
    versions: dict[str, str]


def curves_of(found: Mapping[str, Growth]) -> dict[str, Curve]:
    """The curves alone, in their order."""
    return {name: found[name]["curve"] for name in CURVES if name in found}


def rows_of(found: Mapping[str, Growth]) -> list[tuple[str, ...]]:
    """One row for each cost: its first and last point, and how it grows between them."""
    return [_row(name, what, points) for name, one in curves_of(found).items() for what, points in one.items()]


def _row(name: str, what: str, points: Points) -> tuple[str, ...]:
    first, last = (f"{cost:.2f} CPU-s at {n:,}" for n, cost in (points[0], points[-1]))
    found, (least, most) = exponent(points), range_of_exponents(points)
    verdict = "linear or better" if is_linear(points) else "worse than linear"
    return name, what, first, last, f"{found:.2f} ({least:.2f}–{most:.2f})" if found else "flat", verdict
