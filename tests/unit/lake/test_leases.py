"""Leases: what readers hold stays, in whatever order they come and others publish."""

import fcntl
import json
import multiprocessing
import os
from datetime import UTC, datetime, timedelta

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.postgres import Database
from backbone.errors import LakeError
from backbone.lake import lock
from backbone.lake.books import postgres_leases
from backbone.lake.books.postgres import PostgresBooks
from backbone.lake.catalogue import present_snapshot
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.lake.upkeep import clean_up, removable, scheduled
from backbone.model.relations import Attribute, Relation

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def lake(site):
    """A lake with a table of ten rows of which one was deleted."""
    engine = DuckDBEngine()
    lake = Lake(engine.connection, site)
    path = site.tables / "trusted" / "a" / "r1-0.parquet"
    with engine.session() as session:
        session.write("SELECT range AS n FROM range(10)", path)
    with lake.transaction("r1") as transaction:
        transaction.replace("trusted.a", Relation((Attribute("n", "integer"),)), [path])
    with lake.transaction("r2") as transaction:
        transaction.delete("trusted.a", "n = 0")
    yield lake
    engine.close()


def read_last(lake):
    return lake.site.books.take_lease(lambda: present_snapshot(lake.site))


def forget_notes(site):
    if site.books.shared:
        with site.books.database.writing() as rows:
            rows.execute("DELETE FROM backbone_note")
    else:
        (site.folder / "unneeded.json").write_text("{")


def leave_dead_lease(site):
    """What a process that was killed leaves."""
    if site.books.shared:
        with site.books.database.writing() as rows:
            rows.execute("INSERT INTO backbone_lease VALUES ('dead', 7, 1, 2, 'process 1', now(), false)")
    else:
        text = {"snapshot": 1, "last": 2, "who": "process 1", "since": datetime.now(UTC).isoformat()}
        (site.folder / "readers" / "1-abc.json").write_text(json.dumps(text))


def written_leases(site):
    if not site.books.shared:
        return len(list((site.folder / "readers").glob("*.json")))
    with site.books.database.reading() as rows:
        return rows.execute("SELECT count(*) FROM backbone_lease").fetchone()[0]


def removable_now(lake):
    with lake.site.books.without_new_leases() as held:
        return removable(lake.site, held, LATER)


def test_a_reader_that_came_while_files_became_unneeded_keeps_them(lake):
    with lake.transaction("r3") as transaction:
        transaction.delete("trusted.a", "n = 1")
        lease = read_last(lake)  # of the catalogue as it is before the commit

    (file,) = scheduled(lake.site)
    (holder,) = lake.site.books.holders()
    assert file.since < holder.since  # time would say that the reader doesn't need it
    assert removable_now(lake) == []
    lease.close()
    assert removable_now(lake) == [file]


def test_readers_that_came_after_maintenance_had_seen_a_file_unneeded_do_not_keep_it(lake):
    first = read_last(lake)
    with lake.transaction("r3") as transaction:
        transaction.delete("trusted.a", "n = 1")
    assert removable_now(lake) == []
    with lake.transaction("r4") as transaction:
        transaction.delete("trusted.a", "n = 2")
    second = read_last(lake)
    first.close()

    (file,) = removable_now(lake)

    assert file == min(scheduled(lake.site), key=lambda one: one.number)
    assert clean_up(lake, "r5", [file])[0] == 1
    assert not (lake.site.folder / "tables" / file.path).exists()
    assert len(lake.records("FROM lake.trusted.a")) == 7
    second.close()


def test_what_was_noted_of_unneeded_files_may_be_lost(lake):
    with lake.transaction("r3") as transaction:
        transaction.delete("trusted.a", "n = 1")
    removable_now(lake)
    forget_notes(lake.site)
    lease = read_last(lake)

    assert removable_now(lake) == []
    lease.close()
    assert removable_now(lake) == scheduled(lake.site)


def test_a_lease_that_is_being_made_is_not_taken_for_a_dead_one(tmp_path):
    (tmp_path / "readers").mkdir()
    begun = tmp_path / "readers" / "1-abc.json"
    begun.touch()  # made, and not locked yet

    assert Site(tmp_path).books.holders() == []
    assert begun.exists()


def test_the_leases_of_dead_processes_go_and_pins_stay(lake):
    lease = read_last(lake)
    lake.site.books.pin("elsewhere (dev)", 1)
    leave_dead_lease(lake.site)
    assert written_leases(lake.site) == 3

    with lake.site.books.without_new_leases() as held:
        assert [(one.snapshot, one.last, one.process) for one in held] == [(3, 3, True), (1, 1, False)]

    assert written_leases(lake.site) == 2
    lease.close()
    assert written_leases(lake.site) == 1


def test_a_lock_that_should_be_free_soon_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0.05)
    (tmp_path / "readers").mkdir()
    guard = os.open(tmp_path / "readers" / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(guard, fcntl.LOCK_EX)

    with pytest.raises(LakeError, match=f"Which one: fuser -v {tmp_path}/readers/lock"):
        Site(tmp_path).books.take_lease(lambda: 1)

    os.close(guard)
    assert Site(tmp_path).books.take_lease(lambda: 1).snapshot == 1


def test_who_holds_a_file_and_has_not_written_it_yet_is_another_process(tmp_path):
    handle = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)

    with pytest.raises(LakeError, match="under way, another process, and"):
        lock.locked(tmp_path / "lock", wait=False).__enter__()

    os.close(handle)


def test_of_a_lease_that_was_interrupted_nothing_is_left(lake, monkeypatch):
    if not lake.site.books.shared:
        return
    write = postgres_leases.Leases._write

    def write_and_be_interrupted(*arguments):
        write(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(postgres_leases.Leases, "_write", write_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_last(lake)
    monkeypatch.undo()

    assert written_leases(lake.site) == 0
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
    locks += "(SELECT oid FROM pg_database WHERE datname = current_database())"
    with lake.site.books.database.reading() as rows:
        assert rows.execute(locks).fetchone() == (0,)
    assert read_last(lake).snapshot == 3


def test_a_pin_is_left_out_where_one_may_only_read_and_only_there(database, postgres):
    name = database.rpartition("/")[2]
    books = PostgresBooks(Database(database, "shop_dev"))
    books.prepare()
    postgres.execute(f"CREATE ROLE reader_{name} LOGIN PASSWORD 'pw-of-it'")
    postgres.execute(f"GRANT USAGE ON SCHEMA shop_dev TO reader_{name}", name)
    postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA shop_dev TO reader_{name}", name)
    reader = PostgresBooks(Database(postgres.url(name, f"reader_{name}", "pw-of-it"), "shop_dev"))

    reader.pin("elsewhere (dev)", 1)
    postgres.execute(f"ALTER ROLE reader_{name} SET default_transaction_read_only = on")
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader_{name}'")
    reader.pin("elsewhere (dev)", 1)
    assert reader.take_lease(lambda: 1).snapshot == 1
    assert books.holders() == []

    postgres.execute(f"ALTER ROLE reader_{name} CONNECTION LIMIT 0")
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader_{name}'")
    with pytest.raises(LakeError, match="too many connections for role"):
        reader.pin("elsewhere (dev)", 1)


def test_a_forked_process_leaves_its_parent_s_leases_alone_and_has_its_own(lake):
    lease = read_last(lake)

    def child(found):
        own = read_last(lake)
        found.extend(sorted(one.who for one in lake.site.books.holders()))
        own.close()

    fork = multiprocessing.get_context("fork")
    with fork.Manager() as manager:
        seen = manager.list()
        process = fork.Process(target=child, args=(seen,))
        process.start()
        process.join()
        assert process.exitcode == 0
        assert len(set(seen)) == len(seen) == 2

    assert [one.snapshot for one in lake.site.books.holders()] == [lease.snapshot]
    lease.close()
    assert lake.site.books.holders() == []
