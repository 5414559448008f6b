"""The exponent of a cost that grows like base + each * n ** exponent: 1 is linear, 2 quadratic, 0 constant."""

from collections.abc import Sequence

LIMIT = 1.1
"""The largest exponent that still counts as linear: a fit of few points isn't exact."""
VISIBLE = 0.25
"""What grows by less than this share over the whole range has no exponent that could be told from noise."""
TRIED = tuple(step / 100 for step in range(5, 301))

Points = Sequence[tuple[int, float]]


def exponent(points: Points) -> float:
    """The exponent that fits all points best, by the squares of relative errors; 0 where nothing visible grows.

    The base (starting, opening, the first dataset) is fitted too, so that a large one doesn't hide how the rest grows.
    """
    costs = [cost for _, cost in points]
    if max(costs) < (1 + VISIBLE) * min(costs):
        return 0.0
    return min(TRIED, key=lambda tried: _error(points, tried))


def _error(points: Points, tried: float) -> float:
    """How far the best base and cost of each, neither below zero, stay from the points with this exponent."""
    ones, powers = [1 / y for _, y in points], [float(n**tried) / y for n, y in points]
    count, cross, square = _dot(ones, ones), _dot(ones, powers), _dot(powers, powers)
    least = count * square - cross * cross
    base = (sum(ones) * square - sum(powers) * cross) / least if least else 0.0
    base = max(0.0, base)
    each = max(0.0, (sum(powers) - base * cross) / square)
    return sum((base * one + each * power - 1) ** 2 for one, power in zip(ones, powers, strict=True))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(left, right, strict=True))
