"""Versions of rows: snapshot and history, against a plain model of what they mean; new rows alone give the same."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trusted_lake import Lake, read, rule

from backbone.errors import DatasetError
from backbone.model.project import Trusted
from backbone.zones.trusted import trusted_increments

DOMAINS = {"k": "text", "v": "text", "said": "integer"}
Row = tuple[str, str | None, int]
State = tuple[str, str | None, int, int, int, Any, Any]

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", None]), st.integers(1, 4)), max_size=5)
FILES = st.lists(ROWS, min_size=1, max_size=5).filter(lambda files: bool(files[0]))


def history(**more: Any) -> Trusted:
    return Trusted("planes", versions="history", key=("k",), **more)


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def made(folder: Path, trusted: Trusted, files: Sequence[Sequence[Row]], *, at_once: bool) -> Lake:
    """A dataset made of these files, all at once or one after the other."""
    lake = Lake(folder, trusted, DOMAINS)
    for rows in files:
        lake.deliver(rows)
        if at_once:
            continue
        how = "incremental" if lake.published and trusted_increments(trusted) else "full"
        lake.publish(lake.stage(how))
    if at_once:
        lake.publish(lake.stage())
    return lake


def expect_accounted_for(lake: Lake, files: Sequence[Sequence[Row]]) -> None:
    kept = {(row[3], row[4]) for row in lake.rows()}
    gone = {tuple(row) for row in lake.merged} | {(row[0], row[1]) for row in lake.quarantined}
    assert not kept & gone
    assert len(lake.rows()) + len(lake.merged) + len(lake.quarantined) == sum(len(rows) for rows in files)


def by_row(files: Sequence[Sequence[Row]], *, newest_by: bool) -> list[State]:
    """The states of each key as `history` means them, where a file holds new and changed rows."""
    versions: dict[str, dict[Any, tuple[str | None, int, int, int]]] = {}
    for file, rows in enumerate(files, 1):
        for record, (key, value, at) in enumerate(rows, 1):
            versions.setdefault(key, {})[at if newest_by else day(file)] = (value, at, file, record)
    states = []
    for key, moments in versions.items():
        begun: list[tuple[Any, tuple[str | None, int, int, int]]] = []
        for moment in sorted(moments):
            one = moments[moment]
            same = begun and begun[-1][1][:1] == one[:1] and (newest_by or begun[-1][1][1] == one[1])
            if not same:
                begun.append((moment, one))
        for (moment, one), (end, _) in zip(begun, [*begun[1:], (None, None)], strict=True):
            states.append((key, *one, moment, end))
    return sorted(states, key=repr)


def by_file(files: Sequence[Sequence[Row]], *, newest_by: bool) -> list[State]:
    """The states of each key where a file holds all rows."""
    moments: dict[Any, tuple[int, Sequence[Row]]] = {}
    for file, rows in enumerate(files, 1):
        if rows:
            moments[max(at for *_, at in rows) if newest_by else day(file)] = (file, rows)
    states: list[list[Any]] = []
    now: dict[str, list[Any]] = {}
    for moment in sorted(moments):
        file, rows = moments[moment]
        last = {key: (value, at, file, record) for record, (key, value, at) in enumerate(rows, 1)}
        for key in [key for key in now if key not in last]:
            now.pop(key)[-1] = moment
        for key, one in last.items():
            held = now.get(key)
            if held and held[1] == one[0] and (newest_by or held[2] == one[1]):
                continue
            if held:
                held[-1] = moment
            now[key] = [key, *one, moment, None]
            states.append(now[key])
    return sorted((tuple(state) for state in states), key=repr)


def expect_states(trusted: Trusted, files: Sequence[Sequence[Row]], expected: list[State]) -> None:
    for at_once in (True, False):
        with TemporaryDirectory() as folder:
            lake = made(Path(folder), trusted, files, at_once=at_once)
            assert lake.rows() == expected, f"at once: {at_once}"
            expect_accounted_for(lake, files)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(FILES)
def test_history_has_every_state_of_each_key(files):
    expect_states(history(), files, by_row(files, newest_by=False))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(FILES)
def test_history_with_newest_by_puts_late_rows_in_their_place(files):
    expect_states(history(newest_by="said"), files, by_row(files, newest_by=True))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(FILES)
def test_history_of_full_files_ends_the_states_of_absent_keys(files):
    expect_states(history(absent=True), files, by_file(files, newest_by=False))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(FILES)
def test_history_of_full_files_that_come_late_puts_them_in_their_place(files):
    expect_states(history(absent=True, newest_by="said"), files, by_file(files, newest_by=True))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(FILES, st.booleans())
def test_snapshot_has_the_rows_of_the_newest_file_that_has_any(files, newest_by):
    told = [(max(at for *_, at in rows) if newest_by else 0, file) for file, rows in enumerate(files, 1) if rows]
    _, newest = max(told)
    expected = sorted(((*row, newest, n) for n, row in enumerate(files[newest - 1], 1)), key=repr)

    expect_states(Trusted("planes", versions="snapshot", newest_by="said" if newest_by else None), files, expected)


def test_a_rejected_correction_leaves_the_state_and_is_no_deletion(tmp_path):
    reject = rule("one_of", "v", action="quarantine", values=("x", "y"), tolerate=1.0, may_vanish=("k", "said", "v"))
    files = [[("a", "x", 1), ("b", "x", 1)], [("a", "bad", 1), ("b", "y", 1)], [("b", "y", 1)]]
    expected = [
        ("a", "x", 1, 1, 1, day(1), day(3)),
        ("b", "x", 1, 1, 2, day(1), day(2)),
        ("b", "y", 1, 2, 2, day(2), None),
    ]

    for at_once in (True, False):
        folder = tmp_path / str(at_once)
        folder.mkdir()
        lake = made(folder, history(absent=True, rules=(reject,)), files, at_once=at_once)
        assert lake.rows() == expected


def test_rows_merged_away_name_the_row_that_began_their_state(tmp_path):
    lake = made(tmp_path, history(), [[("a", "x", 1)], [("a", "y", 1), ("a", "x", 1)]], at_once=True)

    assert lake.rows() == [("a", "x", 1, 1, 1, day(1), None)]
    assert sorted(lake.merged) == [(2, 1), (2, 2)]


def test_a_snapshot_names_the_row_of_the_same_key_as_survivor(tmp_path):
    lake = Lake(tmp_path, Trusted("planes", versions="snapshot", key=("k",)), DOMAINS)
    for rows in ([("a", "x", 1), ("b", "x", 1)], [("c", "x", 1), ("a", "y", 1)]):
        lake.deliver(rows)

    staged = lake.stage()

    with_survivors = [row for path in staged.merged for row in read_merged(path)]
    assert sorted(with_survivors, key=repr) == [(1, 1, 2, 2), (1, 2, 2, None)]


def read_merged(path: Path) -> list[tuple[Any, ...]]:
    return read(path, "file, record, survivor_file, survivor_record")


def test_unequal_rows_of_a_key_in_one_file_are_warned_of(tmp_path):
    lake = Lake(tmp_path, history(), DOMAINS)
    lake.deliver([("a", "x", 1), ("a", "y", 1)])

    (found,) = lake.stage().findings

    assert (found.level, found.broken) == ("warned", 1)


@pytest.mark.parametrize("trusted", [history(), history(newest_by="said")])
def test_a_row_without_key_or_moment_is_refused(tmp_path, trusted):
    lake = Lake(tmp_path, trusted, DOMAINS)
    lake.deliver([("a", "x", 1), (None, "x", None)])

    with pytest.raises(DatasetError, match="without a value in"):
        lake.stage()


def test_rules_over_several_rows_look_at_the_present_state(tmp_path):
    unique = rule("unique", "v", action="fail")
    files = [[("a", "x", 1), ("b", "y", 1)], [("a", "z", 1)], [("b", "x", 1)]]

    lake = made(tmp_path, history(rules=(unique,)), files, at_once=False)

    assert [(row[0], row[1]) for row in lake.rows()] == [("a", "x"), ("a", "z"), ("b", "x"), ("b", "y")]
    lake.deliver([("a", "x", 1)])
    with pytest.raises(DatasetError, match="unique"):
        lake.stage("incremental")
