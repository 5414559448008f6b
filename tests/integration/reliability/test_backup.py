"""Backups, lakes put back from them, and projects that are moved."""

import shutil
import threading
from pathlib import Path

import pytest
from faults_run import Point, kill_at, run_to_the_end
from faults_shop import LATER, content, deliver, differences, leftovers, make_shop, unsound, write_files
from thoroughness import some

import backbone
from backbone.errors import LakeError, UsageError
from backbone.lake.lock import locked


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    root = make_shop(tmp_path_factory.mktemp("original") / "shop")
    backbone.open(root).run()
    return root


@pytest.fixture
def shop(original, tmp_path):
    return Path(shutil.copytree(original, tmp_path / "shop"))


def test_a_project_can_be_moved(shop, tmp_path):
    before = content(shop)
    moved = Path(shutil.move(shop, tmp_path / "elsewhere" / "shop"))

    assert backbone.open(moved).run().status == "nothing"
    assert differences(content(moved), before) == []
    assert unsound(backbone.open(moved).doctor()) == []
    deliver(moved, LATER)
    report = backbone.open(moved).run()
    assert len(report.landed) == 2
    assert {step.dataset: step.how for step in report.steps}["trusted.visits"] == "incremental"


def test_a_lake_is_put_back_and_the_next_run_goes_on_from_there(shop, tmp_path):
    before = content(shop)
    backup = backbone.open(shop).backup(tmp_path / "backup")
    deliver(shop, LATER)
    backbone.open(shop).run()
    after, last = content(shop), backbone.open(shop).status().snapshot

    restored = backbone.open(shop).restore(tmp_path / "backup")

    assert restored.restored == backup.snapshot
    assert restored.replaced == last
    assert restored.snapshot > last
    assert differences(content(shop), before) == []
    assert unsound(backbone.open(shop).doctor()) == []
    assert leftovers(shop) == []
    assert not (shop / "lake" / "dev.restoring").exists()
    backbone.open(shop).run()
    assert differences(content(shop), after) == []
    assert unsound(backbone.open(shop).doctor()) == []
    assert [entry.status for entry in backbone.open(shop).history(2)] == ["published", "restored"]


def test_a_project_whose_storage_was_lost_comes_back_with_its_landed_files(shop, tmp_path):
    before = content(shop)
    backbone.open(shop).backup(tmp_path / "backup")
    shutil.rmtree(shop / "lake")

    restored = backbone.open(shop).restore(tmp_path / "backup")

    assert restored.landed_files == 6
    assert differences(content(shop), before) == []
    assert unsound(backbone.open(shop).doctor()) == []
    assert backbone.open(shop).run().landed == ()


def test_a_plain_copy_of_a_lake_that_nobody_used_is_a_backup(shop, tmp_path):
    shutil.copytree(shop / "lake" / "dev", tmp_path / "copy")
    before = content(shop)
    deliver(shop, LATER)
    backbone.open(shop).run()

    backbone.open(shop).restore(tmp_path / "copy")

    assert differences(content(shop), before) == []


def test_a_backup_is_one_moment_while_a_run_and_maintenance_go_on(shop, tmp_path):
    before = content(shop)
    deliver(shop, LATER)
    running = threading.Thread(target=lambda: (backbone.open(shop).run(), backbone.open(shop).maintain()))
    running.start()

    backbone.open(shop).backup(tmp_path / "backup")

    running.join()
    after = content(shop)
    other = tmp_path / "other" / "shop"
    other.mkdir(parents=True)
    write_files(other, {"backbone.yml": "name: shop\n"})
    backbone.open(other).restore(tmp_path / "backup")
    assert not differences(content(other), before) or not differences(content(other), after)


def test_what_is_damaged_does_not_replace_anything(shop, tmp_path):
    before = content(shop)
    backbone.open(shop).backup(tmp_path / "backup")
    path = next((tmp_path / "backup" / "dev" / "tables" / "trusted" / "orders").glob("*.parquet"))
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)

    with pytest.raises(LakeError, match=rf"{path.name} is damaged"):
        backbone.open(shop).restore(tmp_path / "backup")

    assert differences(content(shop), before) == []
    assert not (shop / "lake" / "dev.restoring").exists()


def test_what_does_not_belong_here_is_refused(shop, tmp_path):
    other = make_shop(tmp_path / "other")
    write_files(other, {"backbone.yml": "name: other\n"})
    backbone.open(shop).backup(tmp_path / "backup")

    with pytest.raises(UsageError, match="is of project 'shop', not 'other'"):
        backbone.open(other).restore(tmp_path / "backup")
    with pytest.raises(UsageError, match="has no lake of environment 'dev'"):
        backbone.open(other).restore(tmp_path / "nothing")
    with pytest.raises(UsageError, match="is there already"):
        backbone.open(shop).backup(tmp_path / "backup")
    assert backbone.open(other).restore(tmp_path / "backup", force=True).project == "shop"


def test_a_lake_that_is_being_read_stays(shop, tmp_path):
    backbone.open(shop).backup(tmp_path / "backup")
    held = backbone.open(shop).sql("SELECT count(*) FROM trusted.orders")

    with pytest.raises(LakeError, match="is being read by process"):
        backbone.open(shop).restore(tmp_path / "backup")

    assert held.rows()


def test_who_waits_for_a_lock_that_moves_away_takes_the_one_that_is_there(tmp_path):
    path, taken = tmp_path / "lake" / "run.lock", threading.Event()
    waits = threading.Event()

    def wait() -> None:
        with locked(path, on_wait=lambda _: waits.set()):
            taken.set()

    with locked(path):
        waiting = threading.Thread(target=wait)
        waiting.start()
        waits.wait(timeout=10)
        (tmp_path / "lake").rename(tmp_path / "former")
        first = locked(path)
        first.__enter__()
    assert not taken.wait(timeout=0.3)
    first.__exit__(None, None, None)
    assert taken.wait(timeout=10)
    waiting.join()


@pytest.mark.long
@pytest.mark.parametrize(
    "point",
    [*(Point("connection opened", n) for n in some((1, 8), (1, 4, 8, 12, 20))), Point("transaction", before=True)],
    ids=str,
)
def test_a_killed_restore_leaves_the_lake_before_or_after(shop, tmp_path, point):
    before = content(shop)
    backbone.open(shop).backup(tmp_path / "backup")
    deliver(shop, LATER)
    backbone.open(shop).run()
    after = content(shop)

    kill_at(shop, point, ("restore", str(tmp_path / "backup")))

    assert not differences(content(shop), before) or not differences(content(shop), after)
    assert run_to_the_end(shop) == 0
    assert differences(content(shop), after) == []
    assert unsound(backbone.open(shop).doctor()) == []
