"""Going back to a snapshot: datasets, rows set aside and what governance says of them; and what a run does then."""

from pathlib import Path

import pytest
from faults_run import Point, kill_at, run_to_the_end
from faults_shop import LATER, VISITS, content, deliver, differences, leftovers, make_shop, unsound
from thoroughness import some

import backbone
from backbone.errors import LakeError, UsageError
from backbone.governance.tables import STATES
from backbone.workspace.reading import open_for_reading


def states(root: Path) -> dict[str, list[object]]:
    """Every row of the governance tables that say how things are."""
    with open_for_reading(backbone.open(root).environment) as reading:
        rows = {name: reading.lake.records(f"FROM lake.governance.{name}") for name in STATES}
    return {name: sorted(map(str, found)) for name, found in rows.items()}


@pytest.fixture
def shop(tmp_path):
    """A shop in snapshot `first`, and after another delivery and a changed view."""
    root = make_shop(tmp_path / "shop")
    backbone.open(root).run()
    (root / "exploitation" / "totals.sql").write_text("SELECT count(*) AS orders FROM trusted.orders\n")
    (root / "exploitation" / "more.sql").write_text("SELECT max(amount) AS most FROM trusted.orders\n")
    deliver(root, LATER)
    return root


def test_datasets_and_states_are_as_they_were_and_the_next_run_does_it_again(shop):
    before, said = content(shop), states(shop)
    first = backbone.open(shop).status().snapshot
    assert backbone.open(shop).run().status == "published"
    after = content(shop)

    would = backbone.open(shop).rollback(first, dry_run=True)
    assert backbone.open(shop).status().snapshot == first + 1
    report = backbone.open(shop).rollback(first)

    assert would.datasets == report.datasets
    assert {one.dataset: one.rows_then for one in report.datasets}["exploitation.more"] is None
    assert report.landed_files == 2
    assert differences(content(shop), before) == []
    assert states(shop) == said
    assert unsound(backbone.open(shop).doctor()) == []
    assert leftovers(shop) == []
    assert [entry.status for entry in backbone.open(shop).history(2)] == ["rolled back", "published"]
    assert backbone.open(shop).sql("SELECT orders FROM totals", as_of=first + 1).rows()
    for repeated in (backbone.open(shop).rollback(first, dry_run=True), backbone.open(shop).rollback(first)):
        assert (repeated.datasets, repeated.snapshot, repeated.landed_files) == ((), None, 0)
    assert backbone.open(shop).rollback(report.snapshot).snapshot is None
    again = backbone.open(shop).run()
    assert {step.dataset: step.how for step in again.steps}["trusted.visits"] == "incremental"
    assert differences(content(shop), after) == []
    assert unsound(backbone.open(shop).doctor()) == []


def test_a_dataset_that_was_behind_its_input_then_is_made_from_all_of_it_after_going_back(tmp_path):
    root = make_shop(tmp_path / "shop")
    backbone.open(root).run()
    deliver(root, LATER)
    backbone.open(root).run(select=("trusted.visits", "formatted.visits"))
    behind = backbone.open(root).status().snapshot
    deliver(root, {"visits-5.csv": f"{VISITS}\n80,c2,3,4\n80,c2,3,4\n"})
    backbone.open(root).run()
    wanted = content(root)

    backbone.open(root).rollback(behind)
    report = backbone.open(root).run()

    assert {step.dataset: step.how for step in report.steps}["exploitation.visit_log"] == "full"
    assert differences(content(root), wanted) == []


def test_a_damaged_snapshot_is_refused_and_nothing_changes(shop):
    first = backbone.open(shop).status().snapshot
    old = next((shop / "lake" / "dev" / "tables" / "exploitation" / "totals").glob("*.parquet"))
    backbone.open(shop).run()
    damaged = bytearray(old.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    old.write_bytes(damaged)

    with pytest.raises(LakeError, match=rf"Snapshot {first} can't be gone back to: .*{old.name} is damaged"):
        backbone.open(shop).rollback(first)

    assert backbone.open(shop).status().snapshot == first + 1


def test_a_snapshot_that_is_not_there_is_refused(shop):
    with pytest.raises(UsageError, match="There is no snapshot 99"):
        backbone.open(shop).rollback(99)


POINTS = [
    Point("dataset copied"), Point("dataset copied", 3), Point("dataset replaced", 2), Point("table copied", 4),
    Point("rows inserted", 1), Point("scratch removed", 1, before=True), Point("journal closed", 1, before=True),
]  # fmt: skip


@pytest.mark.long
def test_a_killed_rollback_has_happened_or_not(shop):
    before, first = content(shop), backbone.open(shop).status().snapshot
    backbone.open(shop).run()
    after = content(shop)
    for point in POINTS[:: some(2, 1)]:
        assert kill_at(shop, point, ("rollback", str(first))), point
        assert not differences(content(shop), before) or not differences(content(shop), after), point
        assert run_to_the_end(shop) == 0
        assert differences(content(shop), after) == [], point
        assert leftovers(shop) == [], point
        assert unsound(backbone.open(shop).doctor()) == [], point
