"""Locks: always taken in one order, so that no two commands wait for each other for ever."""

import fcntl
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
from faults_shop import LATER, deliver, make_shop

import backbone
from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.lake import sealed
from backbone.lake.books import FolderBooks
from backbone.lake.catalogue import last_snapshot
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.workspace.adding import add

ORDER = ["run.lock", "landing.lock", "lock", "lake.lock"]
"""As `lake/lock.py` says."""


def file_of(handle: int) -> Path:
    return Path(f"/proc/self/fd/{handle}").readlink()


def held_now(taken: "dict[int, Path]", other: int) -> list[str]:
    """The names of the locks in `taken` that are held still, but for handle `other`: they are open, of those files."""
    held = []
    for handle, path in taken.items():
        with suppress(OSError):
            if handle != other and file_of(handle) == path:
                held.append(path.name)
    return held


@pytest.fixture
def watched(monkeypatch):
    """What goes against the order of locks, and who reads a file that the engine's SQLite has open just then."""
    taken: dict[int, Path] = {}
    wrong: list[str] = []
    seen: set[tuple[str, str]] = set()
    flock, connect = fcntl.flock, sqlite3.connect

    def watch_flock(handle: int, kind: int) -> None:
        path = file_of(handle)
        if path.name in ORDER:
            above = [name for name in held_now(taken, handle) if ORDER.index(name) > ORDER.index(path.name)]
            wrong.extend(f"{path.name} while {name} is held" for name in above)
            seen.update((name, path.name) for name in held_now(taken, handle))
            taken[handle] = path
        flock(handle, kind)

    def watch_connect(database, *arguments, **more):
        path = str(database).removeprefix("file://").partition("?")[0]
        for descriptor in Path("/proc/self/fd").iterdir():
            with suppress(OSError):
                if str(descriptor.readlink()) == path:
                    wrong.append(f"{path} is read while it is open")
        return connect(database, *arguments, **more)

    monkeypatch.setattr(fcntl, "flock", watch_flock)
    monkeypatch.setattr(sqlite3, "connect", watch_connect)
    return wrong, seen


def test_all_commands_take_locks_in_one_order_and_read_no_catalogue_that_they_are_writing(tmp_path, watched):
    wrong, seen = watched
    root = make_shop(tmp_path / "shop")
    (root / "backbone.yml").write_text(
        "name: shop\nretention: {snapshots: 0 seconds, at_least: 1, files: 0 seconds, maintenance: by_hand}\n"
    )
    workspace = backbone.open(root)
    workspace.run()
    deliver(root, LATER)
    workspace.run()
    workspace.sql("SELECT 1 FROM trusted.orders").rows()
    workspace.backup(tmp_path / "backup")
    workspace.rollback(1)
    (root / "extra.csv").write_text("order_id,customer,ordered_at,amount\n900,c1,2026-01-04,5\n")
    add(root, "orders", (str(root / "extra.csv"),))
    workspace.maintain()
    next((root / "lake" / "landing" / "persistent").rglob("*.csv")).unlink()
    workspace.doctor(repair=True)
    workspace.restore(tmp_path / "backup")
    backbone.open(root, env="prod").run()

    assert wrong == []
    assert {("run.lock", "landing.lock"), ("run.lock", "lake.lock"), ("lock", "lake.lock")} <= seen


def test_reading_in_another_thread_waits_for_a_transaction_of_this_process(tmp_path):
    """Closing the file would free the locks that the engine has on it."""
    engine = DuckDBEngine()
    lake = Lake(engine.connection, Site(tmp_path / "dev"))
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.append(last_snapshot(lake.site)))

    with lake.transaction("r1") as transaction:
        engine.connection.execute("CREATE TABLE lake.governance.a (n INTEGER)")
        reader.start()
        reader.join(0.3)
        assert reader.is_alive()
    reader.join()

    assert found == [(lake.snapshot[0], transaction.snapshot)]
    engine.close()


def test_what_readers_see_is_the_catalogue_at_one_moment(tmp_path, monkeypatch):
    """Whatever is published while it is copied."""
    root = make_shop(tmp_path)
    backbone.open(root).run()
    copy = sealed.sqlite.copy

    def copy_and_publish(path: Path, target: Path) -> None:
        copy(path, target)
        with closing(sqlite3.connect(FolderBooks(root / "lake" / "dev").catalogue)) as catalogue, catalogue:
            catalogue.execute("DELETE FROM ducklake_data_file")

    monkeypatch.setattr(sealed.sqlite, "copy", copy_and_publish)

    assert backbone.open(root).sql("SELECT count(*) FROM formatted.orders").rows()[0][0] > 0
