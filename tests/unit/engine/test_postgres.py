"""How a database is reached, and what people are told of it."""

import multiprocessing
import threading

import pytest

from backbone.engine import postgres_locks
from backbone.engine.postgres import Database
from backbone.engine.postgres_locks import Wanted, check_held, held
from backbone.errors import BusyError, ForbiddenError, LakeError


def test_a_database_is_told_by_host_name_and_schema():
    database = Database("postgresql://ann:s3cret@db.example/lake", "shop_dev")
    assert database.place == "PostgreSQL at db.example:5432, database lake, schema shop_dev"
    assert "s3cret" not in repr(database)
    assert "s3cret" in database.parameters
    assert database.told(f"can't reach {database.parameters}") == "can't reach …"
    assert database.told("x" * 10_000) == "x" * 600 + "…"


def test_a_moment_stays_one_and_sees_no_later_rows(database):
    there = Database(database, "one")
    with there.writing() as rows:
        rows.execute("CREATE SCHEMA one")
        rows.execute("CREATE TABLE one.n (n int)")
    with there.reading() as rows:
        assert rows.execute("SELECT count(*) FROM n").fetchone() == (0,)
        with there.writing() as others:
            others.execute("INSERT INTO n VALUES (?), (?)", (1, 2))
        assert rows.execute("SELECT count(*) FROM n").fetchone() == (0,)
    with there.reading() as rows:
        assert rows.execute("SELECT n FROM n WHERE n > :least AND '5%' = '5%'", {"least": 1}).fetchall() == [(2,)]


def test_a_failed_transaction_leaves_nothing_and_the_next_one_works(database):
    there = Database(database, "one")
    with there.writing() as rows:
        rows.execute("CREATE SCHEMA one")
        rows.execute("CREATE TABLE n (n int)")

    def fail():
        with there.writing() as rows:
            rows.execute("INSERT INTO n VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with there.reading() as rows:
        assert rows.execute("SELECT count(*) FROM n").fetchone() == (0,)


def test_what_the_database_says_is_told_as_an_error_of_the_lake(database):
    there = Database(database, "one")
    for use in (there.reading, there.writing):
        with pytest.raises(LakeError, match=r"schema one can't be .*nonsense"), use() as rows:
            rows.execute("SELECT nonsense")
    assert there.rows("SELECT n FROM nowhere") == []


def test_a_role_that_may_only_read_is_told_so(postgres, database):
    name = database.rpartition("/")[2]
    postgres.execute(f"CREATE ROLE reader_{name} LOGIN PASSWORD 'pw-of-it'")
    postgres.execute(f"ALTER ROLE reader_{name} SET default_transaction_read_only = on")
    there = Database(postgres.url(name, f"reader_{name}", "pw-of-it"), "one")

    for refused in ("CREATE TABLE pg_temp.n AS SELECT 1", "CREATE SCHEMA one", "SELECT * FROM pg_authid"):
        told = r"can't be written to by this role: .*\. What .*: docs/team\.md"
        with pytest.raises(ForbiddenError, match=told), there.writing() as rows:
            rows.execute(refused)


def test_an_idle_connection_that_was_cut_is_replaced(database, postgres):
    there = Database(database, "one")
    with there.reading() as rows:
        rows.execute("SELECT 1")
    name = database.rpartition("/")[2]
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    with there.reading() as rows:
        assert rows.execute("SELECT 1").fetchone() == (1,)


def test_threads_and_forks_have_connections_of_their_own(database):
    there, found = Database(database, "one"), []

    def ask(found):
        with there.reading() as rows:
            found.append(rows.execute("SELECT pg_backend_pid()").fetchone()[0])

    ask(found)
    with there.reading():
        thread = threading.Thread(target=ask, args=(found,))
        thread.start()
        thread.join()
    with multiprocessing.get_context("fork").Manager() as manager:
        elsewhere = manager.list()
        process = multiprocessing.get_context("fork").Process(target=ask, args=(elsewhere,))
        process.start()
        process.join()
        assert process.exitcode == 0
        found.append(elsewhere[0])
    ask(found)

    assert len(set(found[:3])) == 3
    assert found[3] in found[:2]


def test_locks_that_were_cut_are_noticed(database, postgres):
    there = Database(database, "one")
    with held(there, [Wanted("a")]):
        check_held(there)
        name = database.rpartition("/")[2]
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        with pytest.raises(LakeError, match="was cut, and with it the locks"):
            check_held(there)
    check_held(there)


def test_who_waits_is_told_for_whom(database):
    there, said = Database(database, "one"), []
    with held(there, [Wanted("a", shared=True)]):
        with held(there, [Wanted("a", shared=True)], wait=False):
            pass
        waiting = threading.Thread(target=lambda: held(there, [Wanted("a")], on_wait=said.append).__enter__())
        waiting.start()
        while not said:
            waiting.join(0.02)
    waiting.join(10)
    assert not waiting.is_alive()
    assert said[0].startswith("process ")


def test_who_has_gone_before_one_could_ask_is_another_process(database, monkeypatch):
    there = Database(database, "one")
    monkeypatch.setattr(postgres_locks, "holders", lambda *_: "")
    with (
        held(there, [Wanted("a")]),
        pytest.raises(BusyError, match="under way, another process, and"),
        held(there, [Wanted("a")], wait=False),
    ):
        pass
