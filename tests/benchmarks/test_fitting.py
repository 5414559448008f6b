"""The exponent is that of what grows, whatever the base."""

import pytest
from benchmarks.growth.fitting import exponent, is_linear, range_of_exponents

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


def test_what_falls_has_no_exponent() -> None:
    assert exponent([(10, 2.5), (100, 2.9), (1000, 1.1)]) == 0


def test_where_little_grows_beside_the_base_many_exponents_fit() -> None:
    points = [(n, 1.3 + 0.0002 * n) for n in NUMBERS]

    least, most = range_of_exponents(points)

    assert least < 1 < most
    assert is_linear(points)


def test_what_grows_with_the_square_is_not_linear() -> None:
    assert not is_linear([(n, 0.2 + 4e-5 * n * n) for n in NUMBERS])
