"""What happens where data come from: files that can't be read, that come back, that are only touched."""

from pathlib import Path

import pytest
from faults_shop import ORDERS, VISITS, backbone_run, deliver, unsound, write_files

import backbone

PROJECT = {
    "backbone.yml": "name: shop\n",
    "sources/orders.yml": "from: data/orders-*.csv\n"
    "columns: {order_id: integer, customer: text, day: date, amount: integer}\n",
    "sources/visits.yml": "from: data/visits-*.csv\n"
    "columns: {visit_id: integer, customer: text, order_id: integer, minutes: integer}\n",
    "trusted/orders.yml": "versions: upsert\nkey: order_id\n",
}
OLD, NEW = f"{ORDERS}\n1,c1,2026-01-01,5\n", f"{ORDERS}\n1,c1,2026-01-01,6\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_files(tmp_path, PROJECT)
    deliver(tmp_path, {"orders-1.csv": OLD, "visits-1.csv": f"{VISITS}\n1,c1,1,5\n"})
    return tmp_path


def _rows(root: Path, query: str) -> list[tuple[object, ...]]:
    return backbone.open(root).sql(query).rows()


def test_a_source_that_cannot_be_read_fails_alone_and_its_files_wait_for_their_turn(root):
    backbone_run(root)
    (root / "data/orders-2.csv").symlink_to("gone.csv")
    deliver(root, {"orders-3.csv": f"{ORDERS}\n1,c1,2026-01-01,9\n", "visits-2.csv": f"{VISITS}\n2,c2,2,6\n"})

    planned = {step.step.dataset: step.reasons for step in backbone.open(root).plan().runs}
    failed = backbone_run(root)

    why = "data/orders-2.csv can't be landed: it is a link to gone.csv, which isn't there"
    assert planned["formatted.orders"] == (why,)
    assert failed.returncode == 1
    assert f"formatted.orders FAILED: {why}" in failed.stdout
    assert "Traceback" not in failed.stderr
    assert _rows(root, "SELECT (SELECT sum(amount) FROM trusted.orders), (SELECT count(*) FROM trusted.visits)") == [
        (5, 2)
    ]
    (root / "data/orders-2.csv").unlink()
    deliver(root, {"orders-2.csv": NEW})
    assert backbone_run(root).returncode == 0
    assert _rows(root, "SELECT amount FROM trusted.orders") == [(9,)]
    assert _rows(root, "SELECT DISTINCT name FROM governance.landed_file WHERE source = 'orders' ORDER BY file") == [
        ("orders-1.csv",), ("orders-2.csv",), ("orders-3.csv",),
    ]  # fmt: skip


def test_a_first_run_whose_only_source_cannot_be_read_says_so(tmp_path):
    write_files(tmp_path, {"backbone.yml": "name: shop\n", "sources/orders.yml": "from: data\n"})
    (tmp_path / "data").mkdir()

    failed = backbone_run(tmp_path)

    assert failed.returncode == 1
    assert "formatted.orders FAILED: data can't be landed: it is a folder" in failed.stdout


@pytest.mark.parametrize("at_once", [False, True])
def test_a_content_that_comes_back_is_the_newest_again(root, at_once):
    for number, text in enumerate((OLD, NEW, OLD), start=1):
        deliver(root, {f"orders-{number}.csv": text})
        path = root / f"data/orders-{number}.csv"
        path.touch()  # it was written now, not copied with its time
        if not at_once:
            backbone.open(root).run()
    backbone.open(root).run()

    assert _rows(root, "SELECT amount FROM trusted.orders") == [(5,)]
    assert unsound(backbone.open(root).doctor()) == []


@pytest.mark.parametrize("at_once", [False, True])
def test_with_append_a_content_that_comes_back_is_not_doubled(root, at_once):
    texts = (f"{VISITS}\n1,c1,1,5\n", f"{VISITS}\n2,c1,1,6\n", f"{VISITS}\n1,c1,1,5\n")
    for number, text in enumerate(texts, start=1):
        deliver(root, {f"visits-{number}.csv": text})
        (root / f"data/visits-{number}.csv").touch()
        if not at_once:
            backbone.open(root).run()
    backbone.open(root).run()

    assert _rows(root, "SELECT visit_id FROM trusted.visits ORDER BY 1") == [(1,), (2,)]
    merged = "SELECT rule, survivor_record FROM governance.merged_away WHERE dataset = 'trusted.visits'"
    assert _rows(root, merged) == [("append", 1)]
    assert backbone.open(root).run(force=True, select=("trusted.visits",)).steps[-1].status == "unchanged"


def test_a_touched_file_is_not_planned_and_does_nothing(root):
    backbone_run(root)
    (root / "data/orders-1.csv").touch()

    assert backbone.open(root).plan().runs == ()
    report = backbone.open(root).run()

    assert (report.status, [one.repeat for one in report.landed]) == ("nothing", [True])


def test_a_project_that_was_moved_does_not_land_its_files_again(root, tmp_path_factory):
    backbone_run(root)
    moved = tmp_path_factory.mktemp("elsewhere") / "shop"
    root.rename(moved)

    assert backbone.open(moved).run().status == "nothing"
    assert len(backbone.open(moved).environment.landing.registry.files()) == 2


def test_without_its_registry_nothing_lands_under_numbers_that_the_lake_has_seen(root):
    backbone_run(root)
    (root / "lake/landing/registry.sqlite").unlink()

    lost = backbone_run(root)

    assert lost.returncode == 1
    assert "The registry of landed files ends at file 0, and the lake has read file 2" in lost.stderr
