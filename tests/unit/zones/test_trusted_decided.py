"""What people decided about rows, in the chain of a trusted dataset: fixed cells and dropped rows."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trusted_lake import Lake, read, rule

from backbone.errors import DatasetError
from backbone.model.decisions import Decision
from backbone.model.project import Trusted
from backbone.model.steps import Ledger
from backbone.zones.steps import data_steps
from backbone.zones.trusted import trusted_increments

POSITIVE = rule("in_range", "v", action="quarantine", from_="0", tolerate=1.0, may_vanish=("k", "v"))
DOMAINS = {"k": "text", "v": "integer"}


def staged(folder: Path, trusted: Trusted, rows: list[tuple[Any, ...]]) -> tuple[Lake, Ledger | None]:
    lake = Lake(folder, trusted, DOMAINS)
    lake.deliver(rows)
    done = lake.stage()
    lake.publish(done)
    return lake, done.ledger


def test_a_fixed_row_goes_through_all_rules_and_a_dropped_one_is_set_aside(tmp_path: Path) -> None:
    decisions = (
        Decision(1, 2, "set", "v", "5"),
        Decision(1, 2, "set", "k", " b "),
        Decision(1, 3, "drop", because="test"),
    )
    trusted = Trusted("t", rules=(rule("trim", "all"), POSITIVE), decisions=decisions)

    lake, ledger = staged(tmp_path, trusted, [("a", 1), ("x", -5), ("c", -7)])

    assert lake.rows() == [("a", 1, 1, 1), ("b", 5, 1, 2)]
    assert lake.quarantined == [(1, 3, "dropped")]
    assert ledger == Ledger(3, 2, quarantined=1)


def test_a_wrong_fix_is_set_aside_with_the_fixed_value(tmp_path: Path) -> None:
    trusted = Trusted("t", rules=(POSITIVE,), decisions=(Decision(1, 1, "set", "v", "-9"),))
    lake = Lake(tmp_path, trusted, DOMAINS)
    lake.deliver([("a", 1), ("b", 2)])

    done = lake.stage()

    assert read(done.quarantined[0], "reason, raw") == [("v is not within its range: from 0", '{"k":"a","v":-9}')]
    first = done.findings[0]
    assert (first.rule.name, first.tested, first.broken, first.level) == ("fixed", 2, 1, "repaired")


def test_a_value_is_taken_away(tmp_path: Path) -> None:
    lake, _ = staged(tmp_path, Trusted("t", decisions=(Decision(1, 1, "clear", "v"),)), [("a", 1)])

    assert lake.rows() == [("a", None, 1, 1)]


def test_dropped_groups_are_no_surprise(tmp_path: Path) -> None:
    drops = tuple(Decision(1, n, "drop", because="test") for n in range(1, 7))
    lake, ledger = staged(tmp_path, Trusted("t", decisions=drops), [*[("x", 1)] * 6, ("y", 2)])

    assert ledger == Ledger(7, 1, quarantined=6)
    assert lake.rows() == [("y", 2, 1, 7)]


@pytest.mark.parametrize(
    ("decision", "says"),
    [
        (Decision(1, 1, "set", "w", "1"), "there is no column 'w', which 1:1 has a value for"),
        (Decision(1, 1, "set", "v", "x"), "'x' is no value of \"v\", which is integer"),
    ],
)
def test_what_a_cell_cannot_hold_fails_the_dataset(tmp_path: Path, decision: Decision, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        staged(tmp_path, Trusted("t", decisions=(decision,)), [("a", 1)])


def test_who_decided_and_when_changes_no_definition() -> None:
    one = Decision(1, 1, "set", "v", "1", by="ann", at_time="now", was="2")
    project = _project(Trusted("t", decisions=(one,)))
    other = _project(Trusted("t", decisions=(replace(one, by="bob", at_time="later", was="3"),)))

    assert project == other
    assert project != _project(Trusted("t", decisions=(replace(one, value="2"),)))
    assert project != _project(Trusted("t"))


def _project(trusted: Trusted) -> object:
    from backbone.model.project import Project

    return data_steps(Project(Path(), "p", trusted=(trusted,)))[0].definition


CELLS = st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from([-1, 0, 1, None]))
PLACES = st.tuples(st.integers(1, 3), st.integers(1, 4))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(CELLS, max_size=4), min_size=2, max_size=3),
    st.dictionaries(
        PLACES, st.sampled_from([("set", "v", "3"), ("set", "v", "-3"), ("clear", "k", ""), ("drop", "", "")])
    ),
    st.sampled_from([Trusted("t"), Trusted("t", versions="upsert", key=("k",)), Trusted("t", versions="snapshot")]),
)
def test_the_ledger_balances_and_incremental_equals_full(
    deliveries: list[list[tuple[Any, ...]]], decided: dict[tuple[int, int], tuple[Any, ...]], versions: Trusted
) -> None:
    decisions = tuple(Decision(*place, *what, because="x") for place, what in decided.items())
    valued = rule("not_null", "k", action="quarantine", tolerate=1.0, may_vanish=("k", "v"))
    trusted = replace(versions, rules=(POSITIVE, valued), decisions=decisions)
    with TemporaryDirectory() as folder:
        (Path(folder) / "grown").mkdir()
        (Path(folder) / "whole").mkdir()
        grown, whole = (Lake(Path(folder) / name, trusted, DOMAINS) for name in ("grown", "whole"))
        for number, rows in enumerate(deliveries):
            grown.deliver(rows)
            whole.deliver(rows)
            grown.publish(grown.stage("incremental" if number and trusted_increments(trusted) else "full"))
        all_at_once = whole.stage()
        whole.publish(all_at_once)

        assert grown.rows() == whole.rows()
        assert sorted(grown.quarantined) == sorted(whole.quarantined)
        assert all_at_once.ledger is not None
        assert all_at_once.ledger.balances
        dropped = {
            (f, r)
            for (f, r), what in decided.items()
            if what[0] == "drop" and r <= len(deliveries[f - 1 : f] and deliveries[f - 1])
        }
        assert {row[:2] for row in whole.quarantined if row[2] == "dropped"} == dropped
