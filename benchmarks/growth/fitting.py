"""The exponent of a cost that grows like base + each * n ** exponent: 1 is linear, 2 quadratic, 0 constant."""

import math
from collections.abc import Sequence

LIMIT = 1.1
"""The largest exponent that still counts as linear: a fit of few points isn't exact."""
NOISE = 0.05
"""By how much the cost of one command differs from time to time: fits that miss by no more are as good."""
VISIBLE = 0.25
"""What grows by less than this share over the whole range has no exponent that could be told from noise."""
TRIED = tuple(step / 100 for step in range(5, 301))

Points = Sequence[tuple[int, float]]


def exponent(points: Points) -> float:
    """The exponent that fits all points best, by the squares of relative errors; 0 where nothing visible grows.

    The base (starting, opening, the first dataset) is fitted too, so that a large one doesn't hide how the rest grows.
    """
    if points[-1][1] < (1 + VISIBLE) * points[0][1]:
        return 0.0
    return min(TRIED, key=lambda tried: _error(points, tried))


def range_of_exponents(points: Points) -> tuple[float, float]:
    """The least and the most exponent that fit as well as can be told; where little grows beside the base, many do."""
    if not exponent(points):
        return 0.0, 0.0
    errors = {tried: _error(points, tried) for tried in TRIED}
    enough = max(NOISE, 1.5 * min(errors.values()))
    fitting = [tried for tried, error in errors.items() if error <= enough]
    return min(fitting), max(fitting)


def is_linear(points: Points) -> bool:
    """Whether a cost grows linearly or better: an exponent of no more than that fits the points."""
    return range_of_exponents(points)[0] <= LIMIT


def _error(points: Points, tried: float) -> float:
    """The relative error (root of the mean square) of the best base and cost of each, neither below zero."""
    ones, powers = [1 / y for _, y in points], [float(n**tried) / y for n, y in points]
    count, cross, square = _dot(ones, ones), _dot(ones, powers), _dot(powers, powers)
    least = count * square - cross * cross
    base = (sum(ones) * square - sum(powers) * cross) / least if least else 0.0
    base = max(0.0, base)
    each = max(0.0, (sum(powers) - base * cross) / square)
    errors = [base * one + each * power - 1 for one, power in zip(ones, powers, strict=True)]
    return math.sqrt(_dot(errors, errors) / len(points))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(left, right, strict=True))
