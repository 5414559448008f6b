"""The curves as a table."""

from collections.abc import Mapping

from benchmarks.growth.curves import Curve
from benchmarks.growth.fitting import LIMIT, Points, exponent

HEADER = ("curve", "cost", "from", "to", "exponent", "verdict")


def rows_of(curves: Mapping[str, Curve]) -> list[tuple[str, ...]]:
    """One row for each cost: its first and last point, and how it grows between them."""
    return [_row(name, what, points) for name, curve in curves.items() for what, points in curve.items()]


def _row(name: str, what: str, points: Points) -> tuple[str, ...]:
    first, last = (f"{cost:.2f} CPU-s at {n:,}" for n, cost in (points[0], points[-1]))
    found = exponent(points)
    verdict = "linear or better" if found <= LIMIT else "worse than linear"
    return name, what, first, last, f"{found:.2f}", verdict
