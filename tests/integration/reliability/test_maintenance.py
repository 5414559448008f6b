"""Maintenance: less on the disk and in the catalogue, and the same datasets, for readers and for later runs."""

import gc
import os
import random
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest
from faults_run import Point, kill_at, run_to_the_end
from faults_shop import LATER, ORDERS, VISITS, content, deliver, differences, leftovers, make_shop, unsound
from thoroughness import some

import backbone
from backbone.errors import UsageError
from backbone.lake.catalogue import snapshots
from backbone.lake.site import Site
from backbone.lake.upkeep import inlined_rows, pieces
from backbone.workspace.maintaining import maintained_where_due

GREEDY = "retention: {snapshots: 0 seconds, at_least: 1, files: 0 seconds, maintenance: by_hand}\n"
"""Keeps nothing that isn't needed."""


def deliver_day(root: Path, number: int) -> None:
    """A day's orders and visits, with corrections of earlier ones."""
    orders = f"{number % 9 + 1},c{number % 3},2026-01-03,{20 + number}\n{200 + number},c1,2026-01-09,{number}\n"
    visits = f"{60 + number},c1,70,5\n{number},c1,900,3\n{number},c1,900,3\n"
    deliver(root, {f"orders-{number}.csv": f"{ORDERS}\n{orders}", f"visits-{number}.csv": f"{VISITS}\n{visits}"})


def greedy_shop(root: Path) -> Path:
    make_shop(root)
    (root / "backbone.yml").write_text(f"name: shop\n{GREEDY}")
    return root


def busy_shop(root: Path, days: int) -> Path:
    """A shop that has run once a day."""
    greedy_shop(root)
    for number in range(10, 10 + days):
        deliver_day(root, number)
        assert not backbone.open(root).run().failed
    return root


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return busy_shop(tmp_path_factory.mktemp("busy") / "shop", 9)


@pytest.fixture
def busy(original, tmp_path):
    return Path(shutil.copytree(original, tmp_path / "shop"))


def test_maintenance_changes_files_and_no_dataset(busy):
    lake, before = busy / "lake" / "dev", content(busy)
    many = pieces(Site(lake))["formatted.orders"].files

    report = backbone.open(busy).maintain()

    assert many > 8
    assert pieces(Site(lake))["formatted.orders"].files == 1
    assert "formatted.orders" in [one.dataset for one in report.compacted]
    assert inlined_rows(Site(lake)) < 20
    assert report.files_removed > many
    assert report.expired
    assert list(snapshots(Site(lake))) == [0, report.snapshot - 1, report.snapshot]
    assert differences(content(busy), before) == []
    assert unsound(backbone.open(busy).doctor()) == []
    assert leftovers(busy) == []
    assert backbone.open(busy).run().status == "nothing"
    assert backbone.open(busy).history(1)[0].status == "maintained"


def test_what_comes_after_maintenance_is_processed_incrementally_and_as_if_there_had_been_none(busy, tmp_path):
    kept, other = busy, Path(shutil.copytree(busy, tmp_path / "other"))
    backbone.open(kept).maintain()

    for root in (kept, other):
        deliver(root, LATER)
        report = backbone.open(root).run()
        assert {s.how for s in report.steps if s.dataset in {"trusted.visits", "exploitation.visit_log"}} == {
            "incremental"
        }

    assert differences(content(kept), content(other)) == []


def test_a_dataset_of_many_deleted_rows_is_written_again_and_what_reads_it_stays_up_to_date(
    busy, tmp_path, monkeypatch
):
    monkeypatch.setattr("backbone.lake.upkeep._MANY_FILES", 1)
    every = "".join(f"{n},c{n % 4},2026-01-04,{n}\n" for n in (*range(1, 60), *range(210, 219)))
    deliver(busy, {"orders-90.csv": f"{ORDERS}\n{every}"})
    backbone.open(busy).run()
    other = Path(shutil.copytree(busy, tmp_path / "other"))
    assert pieces(Site(busy / "lake" / "dev"))["trusted.orders"].rewritable

    report = backbone.open(busy).maintain()

    assert {one.dataset: one.how for one in report.compacted}["trusted.orders"] == "rewritten"
    assert pieces(Site(busy / "lake" / "dev"))["trusted.orders"].deleted_rows == 0
    assert differences(content(busy), content(other)) == []
    assert unsound(backbone.open(busy).doctor()) == []
    (busy / "lake" / "dev" / "state.json").unlink()
    assert backbone.open(busy).run().status == "nothing"
    for root in (busy, other):
        deliver(root, LATER)
        steps = {step.dataset: step.how for step in backbone.open(root).run().steps}
        assert steps["trusted.orders"] == steps["exploitation.customer_days"] == "incremental"
    assert differences(content(busy), content(other)) == []


def test_what_lags_behind_by_more_than_is_kept_reads_all_rows(busy, tmp_path):
    other = Path(shutil.copytree(busy, tmp_path / "other"))
    for root in (busy, other):
        deliver(root, LATER)
        backbone.open(root).run(select=("formatted.visits", "trusted.visits"))
        deliver(root, {"orders-91.csv": f"{ORDERS}\n500,c1,2026-01-04,5\n"})
        backbone.open(root).run(select=("formatted.orders",))
    backbone.open(busy).maintain()

    planned = {step.step.dataset: step for step in backbone.open(busy).plan().steps}
    for root in (busy, other):
        assert not backbone.open(root).run().failed

    assert planned["exploitation.visit_log"].how == "full"
    assert "too long ago" in planned["exploitation.visit_log"].reasons[0]
    assert differences(content(busy), content(other)) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, some(2, 6)))
def test_whatever_comes_in_whatever_order_incremental_equals_full(tmp_path, seed):
    """Deliveries, whole and partial runs, maintenance and rollbacks, as drawn; then as made at once from landing."""
    draw, root = random.Random(seed), greedy_shop(tmp_path / "shop")
    backbone.open(root).run()
    for number in range(10, 26):
        deliver_day(root, number)
        names = draw.choice([(), (), ("+trusted.orders",), ("+trusted.visits",)])
        assert not backbone.open(root).run(select=names).failed
        if draw.random() < 0.3:
            backbone.open(root).maintain()
        if draw.random() < 0.2:
            kept = [n for n in snapshots(Site(root / "lake" / "dev")) if n > 1]
            backbone.open(root).rollback(draw.choice(kept[-3:]))
    backbone.open(root).run()
    alone = greedy_shop(tmp_path / "alone" / "shop")
    for number in range(10, 26):
        deliver_day(alone, number)
    backbone.open(alone).run()

    assert differences(content(root), content(alone)) == []
    assert unsound(backbone.open(root).doctor()) == []


def test_runs_maintain_by_themselves_when_it_is_due(busy, tmp_path, monkeypatch):
    by_hand = Path(shutil.copytree(busy, tmp_path / "by_hand"))
    (busy / "backbone.yml").write_text("name: shop\n" + GREEDY.replace("by_hand", "automatic"))
    monkeypatch.setattr("backbone.lake.upkeep._BUSY", 9)
    for root in (busy, by_hand):
        deliver(root, LATER)

    report, other = backbone.open(busy).run(), backbone.open(by_hand).run()

    assert report.status == other.status == "published"
    assert "formatted.orders" in [one.dataset for one in report.maintained.compacted]
    assert report.maintained.expired
    assert other.maintained is None
    assert [entry.status for entry in backbone.open(busy).history(2)] == ["maintained", "published"]
    assert differences(content(busy), content(by_hand)) == []
    assert backbone.open(busy).run().status == "nothing"
    deliver_day(busy, 70)
    assert backbone.open(busy).run().maintained is None


@pytest.fixture
def due(busy, monkeypatch):
    """A shop whose next run is followed by maintenance."""
    (busy / "backbone.yml").write_text("name: shop\n")
    monkeypatch.setattr("backbone.lake.upkeep._BUSY", 9)
    deliver(busy, LATER)
    return busy


def interpreter(path: Path, script: str) -> str:
    """Something in the place of Python."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_crash_in_the_maintenance_after_a_run_is_a_warning_of_the_run(due, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", interpreter(tmp_path / "crashing", "kill -ABRT $$"))

    report = backbone.open(due).run()

    assert report.status == "published"
    assert [warning.partition(",")[0] for warning in report.maintained.warnings] == [
        "SIGABRT ended the maintenance of the lake"
    ]
    assert backbone.open(due).run().status == "nothing"
    monkeypatch.undo()
    assert backbone.open(due).maintain().compacted


def test_a_run_stays_published_if_the_maintenance_after_it_fails(due):
    (due / "lake" / "dev" / "unneeded.json").unlink(missing_ok=True)
    (due / "lake" / "dev" / "unneeded.json").mkdir()

    report = backbone.open(due).run()

    assert report.status == "published"
    assert "unneeded.json" in report.maintained.warnings[0]
    assert backbone.open(due).run().status == "nothing"


def test_maintenance_is_left_to_a_run_that_has_begun_meanwhile(due):
    workspace = backbone.open(due)
    with workspace.environment.site.books.writing(None):
        assert maintained_where_due(workspace.project, workspace.environment) is None

    assert maintained_where_due(workspace.project, workspace.environment).compacted


def test_an_interrupt_ends_the_maintenance_after_a_run_too(due, tmp_path, monkeypatch):
    started = tmp_path / "started"
    script = f"trap 'rm {started}; exit 1' INT\ntouch {started}\nwhile :; do sleep 0.1; done"
    monkeypatch.setattr("sys.executable", interpreter(tmp_path / "waiting", script))

    def interrupt_once_it_runs() -> None:
        while not started.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_once_it_runs, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        backbone.open(due).run()

    assert not started.exists()
    assert backbone.open(due).history(1)[0].status == "published"


def test_a_dry_run_says_what_would_be_done_and_does_nothing(busy):
    root = busy
    files = sorted((root / "lake").rglob("*.parquet"))

    report = backbone.open(root).maintain(dry_run=True)

    assert "formatted.orders" in [one.dataset for one in report.compacted]
    assert report.expired
    assert report.run == ""
    assert sorted((root / "lake").rglob("*.parquet")) == files
    assert backbone.open(root).history(1)[0].status == "published"


def test_what_a_reader_holds_stays_until_it_lets_go(busy):
    root = busy
    held = backbone.open(root).sql("SELECT count(*) FROM trusted.orders", as_of=3)
    before, frozen = held.rows(), Site(root / "lake" / "dev").books.holders()

    report = backbone.open(root).maintain()

    assert [holder.snapshot for holder in frozen] == [3]
    assert [kept.snapshots for kept in report.kept] == [(3,)]
    assert report.files_waiting > 0
    assert held.rows() == before
    del held
    gc.collect()
    assert 3 in backbone.open(root).maintain().expired
    with pytest.raises(UsageError, match="Snapshot 3 is kept no longer"):
        backbone.open(root).sql("FROM trusted.orders", as_of=3)


def test_what_another_project_reads_stays(busy, tmp_path):
    root = busy
    write = {
        "backbone.yml": "name: analyses\nbackbone: {project: ../shop, snapshot: 4}\n",
        "exploitation/few.sql": "SELECT order_id FROM exploitation.large_orders LIMIT 3\n",
    }
    for name, text in write.items():
        path = tmp_path / "analyses" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    backbone.open(tmp_path / "analyses").run()

    report = backbone.open(root).maintain()

    (kept,) = report.kept
    assert kept.snapshots == (4,)
    assert "analyses" in kept.because
    assert backbone.open(tmp_path / "analyses").run(force=True).status == "published"


POINTS = [
    Point("files merged"), Point("files merged", 3), Point("transaction", 2, before=True),
    Point("snapshots expired"), Point("transaction", 3, before=True), Point("files forgotten"),
    Point("file removed", 1, before=True), Point("file removed", 20), Point("rows inserted"), Point("rows flushed"),
    Point("scratch removed", 1, before=True), Point("journal closed", 1, before=True),
]  # fmt: skip


@pytest.fixture(scope="module")
def a_day_later(original, tmp_path_factory):
    """What a shop that never was maintained holds after one more day."""
    root = Path(shutil.copytree(original, tmp_path_factory.mktemp("later") / "shop"))
    deliver_day(root, 30)
    backbone.open(root).run()
    return content(root)


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS[:: some(2, 1)], ids=str)
def test_killed_maintenance_is_mended_by_the_next_command(busy, a_day_later, point):
    before = content(busy)

    assert kill_at(busy, point, ("maintain",))

    assert differences(content(busy), before) == []
    deliver_day(busy, 30)
    assert run_to_the_end(busy) == 0
    assert differences(content(busy), a_day_later) == []
    assert leftovers(busy) == []
    assert unsound(backbone.open(busy).doctor()) == []
    assert backbone.open(busy).maintain().snapshot
    assert differences(content(busy), a_day_later) == []
    assert backbone.open(busy).run().status == "nothing"
