"""Faults at moments that a seed chose, in every phase of every command: the same command again finishes the work.

What must hold then is in `faults_survive.py`: the data equal an undisturbed command's, nothing landed is lost or
doubled, nothing is left over, doctor finds nothing, and a fault that can be told was told, with what to do.
"""

import os
from collections.abc import Callable, Iterable, Iterator

import pytest
from faults_survive import Seed, survivors
from thoroughness import some

Carry = Callable[[Iterable[Seed]], list[str]]


@pytest.fixture(scope="module")
def carry() -> Iterator[Carry]:
    with survivors(jobs=1 if os.environ.get("PYTEST_XDIST_WORKER") else 2) as carried:
        yield carried


def seeds(fault: str, begin: int, count: int) -> list[Seed]:
    return [(fault, number) for number in range(begin, begin + count)]


def expect_survived(carry: Carry, chosen: list[Seed]) -> None:
    wrong = carry(chosen)
    assert not wrong, "\n".join(wrong)


def test_what_is_killed_interrupted_or_may_not_write_is_finished_by_the_next(carry):
    expect_survived(carry, [*seeds("kill", 0, 5), *seeds("interrupt", 0, 1), *seeds("limit", 0, 1)])


@pytest.mark.usefixtures("disks")
def test_what_finds_the_disk_full_is_finished_when_there_is_space(carry):
    expect_survived(carry, seeds("full", 0, 2))


@pytest.mark.long
@pytest.mark.timeout(some(1200, 7200))
def test_what_is_killed_at_many_moments_is_finished_by_the_next(carry):
    expect_survived(carry, seeds("kill", 100, some(50, 330)))


@pytest.mark.long
@pytest.mark.timeout(some(600, 1200))
@pytest.mark.parametrize("fault", ["interrupt", "limit"])
def test_what_is_stopped_at_many_moments_is_finished_by_the_next(carry, fault):
    expect_survived(carry, seeds(fault, 100, some(6, 25)))


@pytest.mark.long
@pytest.mark.timeout(some(600, 1200))
@pytest.mark.usefixtures("disks")
def test_what_finds_the_disk_full_at_many_moments_is_finished_when_there_is_space(carry):
    expect_survived(carry, seeds("full", 100, some(10, 50)))
