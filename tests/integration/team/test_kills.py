"""Runs on a catalogue in PostgreSQL that kill themselves with -9 at a chosen call: the next run finishes the work."""

import pytest
from faults_run import Point, kill_at, run_to_the_end
from faults_shop import (
    DELIVERIES,
    DROPPED,
    LATER,
    content,
    deliver,
    differences,
    landed_texts,
    leftovers,
    make_shop,
    unsound,
)
from team_shop import make_team_shop
from thoroughness import some

import backbone

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a laptop holds after the first and the later delivery."""
    root = make_shop(tmp_path_factory.mktemp("laptop") / "shop")
    found = {}
    for stage in ("first", "later"):
        if stage == "later":
            deliver(root, LATER)
        assert run_to_the_end(root) == 0
        found[stage] = content(root)
    return found


@pytest.mark.parametrize(
    ("stage", "point"),
    [
        ("first", Point("lake initialised", before=True)),
        ("first", Point("landed file registered", 3)),
        ("first", Point("published")),
        ("first", Point("step staged", 3)),
        ("later", Point("shared journal opened", before=True)),
        ("later", Point("rows written", 3)),
        ("later", Point("rows inserted", 2)),
        ("later", Point("dataset changed", 2)),
        ("later", Point("shared journal cleared", before=True)),
        ("later", Point("scratch removed", before=True)),
        ("later", Point("state written", before=True)),
    ][:: some(2, 1)],
    ids=str,
)
def test_a_run_killed_at_a_chosen_call_is_finished_by_the_next(tmp_path, database, undisturbed, stage, point):
    root = make_team_shop(tmp_path / "shop", database)
    if stage == "later":
        assert run_to_the_end(root) == 0
        deliver(root, LATER)
    assert kill_at(root, point), f"a {stage} run never came to {point}"

    assert run_to_the_end(root) == 0

    assert differences(content(root), undisturbed[stage]) == []
    # What the lake itself wrote for a transaction that died is maintenance's to remove, a day later, or the doctor's.
    left = leftovers(root)
    assert [path for path in left if "/ducklake-" not in path] == []
    expected = DELIVERIES | DROPPED | (LATER if stage == "later" else {})
    assert landed_texts(root) == dict.fromkeys(expected.items(), 1)
    assert {said.partition(":")[0] for said in unsound(backbone.open(root).doctor())} == (
        {"orphans"} if left else set()
    )
    backbone.open(root).doctor(repair=True)
    assert leftovers(root) == []
    assert unsound(backbone.open(root).doctor()) == []
    assert backbone.open(root).run().status == "nothing"


def test_a_recovery_that_is_killed_is_finished_by_the_next(tmp_path, database, undisturbed):
    root = make_team_shop(tmp_path / "shop", database)
    assert kill_at(root, Point("rows written", 3))
    assert kill_at(root, Point("swept"))
    assert kill_at(root, Point("shared journal cleared", before=True))

    assert run_to_the_end(root) == 0

    assert differences(content(root), undisturbed["first"]) == []
    assert leftovers(root) == []
    assert [entry.status for entry in backbone.open(root).history()] == ["published", "killed"]
