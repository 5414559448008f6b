"""The exponent is that of what grows, whatever the base."""

import pytest
from benchmarks.growth.fitting import exponent

NUMBERS = (10, 20, 50, 100, 200, 500, 1000, 2000)


@pytest.mark.parametrize(("base", "each", "power"), [(1, 0.01, 1), (0.3, 1e-5, 2), (2, 0.5, 0.5), (0, 0.02, 1)])
def test_a_power_is_found_above_any_base(base: float, each: float, power: float) -> None:
    points = [(n, base + each * n**power) for n in NUMBERS]

    assert exponent(points) == pytest.approx(power, abs=0.01)


def test_noise_of_a_tenth_on_a_constant_is_no_growth() -> None:
    points = [(n, 0.5 * (1.1 if i % 2 else 1)) for i, n in enumerate(NUMBERS)]

    assert exponent(points) == 0


def test_a_quadratic_end_is_seen_behind_a_linear_beginning() -> None:
    points = [(n, 0.2 + 0.002 * n + 4e-6 * n * n) for n in NUMBERS]

    assert exponent(points) > 1.1
