"""Histograms of one column, with bins of equal width."""

from dataclasses import dataclass
from math import isfinite

from backbone.engine.protocol import Session

BINS = 20


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of a histogram: the rows with values from `low` up to `high` (the last bin includes it)."""

    low: float
    high: float
    rows: int


def histogram(session: Session, table: str, scale: str, low: float, high: float) -> tuple[Bin, ...]:
    """The histogram of `scale`, an SQL expression for a number, between its smallest and largest finite value.

    Empty where the numbers are too far from each other, or too close, for their width to be a number.
    """
    inside = f"FROM {table} WHERE {scale} BETWEEN {low!r} AND {high!r}"
    if low == high:
        return (Bin(low, high, session.rows(f"SELECT count(*) {inside}")[0][0]),)
    width = (high - low) / BINS
    if not isfinite(width) or not isfinite(1 / width):
        return ()
    number = f"least(CAST(floor(({scale} - {low!r}) / {width!r}) AS BIGINT), {BINS - 1})"
    counted = dict(session.rows(f"SELECT {number}, count(*) {inside} GROUP BY 1"))
    edges = [low + i * width for i in range(BINS)] + [high]
    return tuple(Bin(edges[i], edges[i + 1], counted.get(i, 0)) for i in range(BINS))
