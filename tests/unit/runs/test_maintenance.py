"""How old snapshots are."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backbone.model.project import Retention
from backbone.runs.maintenance import ages

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
MONTH = Retention(snapshots=30 * DAY, at_least=10)


def test_snapshots_of_every_day_are_as_old_as_the_calendar_says():
    known = {number: START + number * DAY for number in range(41)}

    found = ages(known, MONTH, START + 40 * DAY)

    assert found == {number: (40 - number) * DAY for number in range(41)}


def test_a_clock_that_jumps_by_a_year_and_back_makes_none_older_than_its_share():
    known = {1: START, 2: START + HOUR, 3: START + 365 * DAY, 4: START + 2 * HOUR, 5: START + 3 * HOUR}

    found = ages(known, MONTH, START + 4 * HOUR)

    assert found == {5: HOUR, 4: 2 * HOUR, 3: 2 * HOUR, 2: 2 * HOUR + 3 * DAY, 1: 3 * HOUR + 3 * DAY}


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30), st.integers(-(10**6), 10**6), st.integers(1, 12)
)
def test_whatever_clocks_say_later_ones_are_no_older_and_one_pause_makes_none_too_old(hours, now, at_least):
    known = {number: START + hour * HOUR for number, hour in enumerate(hours)}
    retention = Retention(snapshots=30 * DAY, at_least=at_least)

    found = ages(known, retention, START + now * HOUR)

    assert [found[number] for number in sorted(found)] == sorted(found.values(), reverse=True)
    assert found[max(found)] < 30 * DAY
