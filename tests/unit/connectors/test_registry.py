"""The registry of landed files, wherever it is kept: one suite runs over both."""

import subprocess
import sys
from datetime import timedelta

import pytest

from backbone.connectors.registry import Arrival, Registry
from backbone.engine.postgres import Database


@pytest.fixture(params=["folder", "postgres"])
def registry(request, tmp_path):
    database = Database(request.getfixturevalue("database"), "shop_landing") if request.param == "postgres" else None
    return Registry(tmp_path / "landing", database)


def arrival(registry, name, source="orders", size=3, mtime_ns=5):
    return Arrival(source, registry._folder / "temporal" / source / name, f"data/{name}", size, mtime_ns)


def land(registry, name, sha256, source="orders", **more):
    path = registry._folder / "persistent" / source / sha256 / name
    return registry.register(arrival(registry, name, source, **more), path=path, sha256=sha256)


def test_before_anything_has_landed_there_is_nothing(registry):
    assert not registry.store.exists()
    assert registry.files() == ()
    assert registry.newest() is None
    assert registry.newest_by_source() == {}
    assert registry.seen("orders") == {}


def test_files_have_numbers_in_the_order_of_their_arrival(registry):
    files = [land(registry, "a.csv", "aa"), land(registry, "b.csv", "bb", "visits"), land(registry, "c.csv", "cc")]

    assert [file.id for file in files] == [1, 2, 3]
    assert registry.files() == tuple(files)
    assert registry.files("visits") == (files[1],)
    assert registry.newest() == files[2]
    assert registry.newest("visits") == files[1]
    assert registry.newest_by_source() == {"orders": 3, "visits": 2}
    assert files[0].arrived_at < files[1].arrived_at < files[2].arrived_at < registry.next_moment()


def test_what_has_arrived_is_known_by_content_size_and_place(registry):
    first = land(registry, "a.csv", "aa", size=7, mtime_ns=9)
    registry.register_repeat(arrival(registry, "again.csv", size=7, mtime_ns=11), first)

    assert registry.with_content("orders", "aa") == first
    assert registry.with_content("visits", "aa") is None
    assert registry.has_size("orders", 7)
    assert not registry.has_size("orders", 8)
    assert registry.last_from("orders", "data/again.csv") == first
    assert registry.came_as(arrival(registry, "b.csv", mtime_ns=11), "aa")
    assert not registry.came_as(arrival(registry, "b.csv", mtime_ns=12), "aa")
    assert registry.seen("orders") == {"data/a.csv": (7, 9), "data/again.csv": (7, 11)}
    assert registry.seen_at("orders", "data/again.csv") == (7, 11)


def test_it_is_written_anew_and_numbers_go_on_after_the_last(registry):
    files = [land(registry, "a.csv", "aa"), land(registry, "b.csv", "bb")]

    registry.rewrite(files[1:], "former")

    assert registry.files() == (files[1],)
    assert land(registry, "c.csv", "cc").id == 3
    assert registry.newest().arrived_at - files[1].arrived_at > timedelta()


def test_it_goes_to_another_place_with_all_that_it_knows(registry, tmp_path):
    files = (land(registry, "a.csv", "aa"), land(registry, "b.csv", "bb"))
    elsewhere = Registry(tmp_path / "copy")

    elsewhere.store.take_over(registry.store)
    assert [(f.id, f.sha256, f.arrived_at) for f in elsewhere.files()] == [
        (f.id, f.sha256, f.arrived_at) for f in files
    ]
    assert elsewhere.seen("orders") == registry.seen("orders")
    land(elsewhere, "c.csv", "cc")

    registry.store.take_over(elsewhere.store)
    assert [file.sha256 for file in registry.files()] == ["aa", "bb", "cc"]
    assert land(registry, "d.csv", "dd").id == 4


_DIES = """
import os, sqlite3, sys
from pathlib import Path
from backbone.connectors.registry import Arrival, Registry

folder = Path(sys.argv[1])
registry = Registry(folder)
reader = sqlite3.connect(folder / "registry.sqlite")
reader.execute("BEGIN")
reader.execute("SELECT count(*) FROM file").fetchone()  # so that nobody tidies the log away
arrival = Arrival("orders", folder / "late", "late", 1, 1)
registry.register(arrival, path=folder / "persistent" / "orders" / "late" / "late", sha256="late")
os._exit(9)
"""


def test_what_a_killed_process_left_beside_it_does_no_harm_to_the_one_that_takes_its_place(tmp_path):
    registry = Registry(tmp_path / "landing")
    there = Registry(tmp_path / "there")
    for number in range(300):
        land(there, f"{number}.csv", f"{number}")
    land(registry, "a.csv", "aa")
    folder = registry.store.path.parent
    subprocess.run([sys.executable, "-c", _DIES, str(folder)], check=False)
    assert registry.store.path.with_name("registry.sqlite-wal").stat().st_size
    registry.store.path.with_suffix(".part").write_bytes(registry.store.path.read_bytes())  # of another, killed later

    registry.store.take_over(there.store)

    assert registry.store.damage() is None
    assert [file.name for file in registry.files()] == [file.name for file in there.files()]
    land(registry, "b.csv", "bb")
