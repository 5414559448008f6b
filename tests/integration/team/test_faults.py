"""A database that is cut off, killed, full of strangers or not there: nothing is lost, and one sentence says so."""

import os
import re
import time
from pathlib import Path

import psycopg
import pytest
from faults_shop import LATER, content, deliver, differences, make_shop, unsound
from postgres_server import postgres_server
from team_shop import ended, make_team_shop, start

import backbone
from backbone.errors import LakeError
from backbone.lake import transactions
from backbone.lake.books.postgres import PostgresBooks
from backbone.runs import run as running
from backbone.workspace import maintaining


@pytest.fixture
def shop(tmp_path, database):
    return make_team_shop(tmp_path / "shop", database)


@pytest.fixture
def later(tmp_path):
    """What a laptop has after the later delivery."""
    root = make_shop(tmp_path / "laptop")
    deliver(root, LATER)
    backbone.open(root).run()
    return content(root)


def cut(postgres, database, which):
    """Cut the connections of a database that a condition on pg_stat_activity and pg_locks names."""
    name = database.rpartition("/")[2]
    return postgres.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity a WHERE datname = '{name}' "
        f"AND pid <> pg_backend_pid() AND {which}"
    )


LOST = (
    r"The connection to PostgreSQL at 127\.0\.0\.1:\d+, database \w+, schema shop_dev was cut, and with it the locks "
    r"of this run, .* Nothing was published"
)
LOCKED = "EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory')"


def test_a_run_whose_locks_were_lost_publishes_nothing_and_the_next_one_does(
    shop, postgres, database, later, monkeypatch
):
    backbone.open(shop).run()
    before = content(shop)
    deliver(shop, LATER)
    send = running.send

    def send_and_lose(*arguments):
        cut(postgres, database, LOCKED)
        return send(*arguments)

    monkeypatch.setattr(running, "send", send_and_lose)
    with pytest.raises(LakeError, match=LOST):
        backbone.open(shop).run()
    monkeypatch.undo()
    assert differences(content(shop), before) == []

    assert backbone.open(shop).run().status == "published"
    assert differences(content(shop), later) == []
    assert unsound(backbone.open(shop).doctor()) == []


def test_a_transaction_that_is_cut_is_done_again_as_a_whole(shop, postgres, database, later, monkeypatch):
    backbone.open(shop).run()
    deliver(shop, LATER)
    insert, times, tried = transactions.Transaction.insert, [], []

    def insert_and_be_cut(self, *arguments):
        insert(self, *arguments)
        if self not in tried:
            tried.append(self)
        if len(tried) > len(times) < 2:  # twice, in the midst of the transaction
            times.append(cut(postgres, database, f"NOT {LOCKED} AND a.xact_start IS NOT NULL AND state <> 'idle'"))

    monkeypatch.setattr(transactions.Transaction, "insert", insert_and_be_cut)
    assert backbone.open(shop).run().status == "published"
    monkeypatch.undo()

    assert [len(found) > 0 for found in times] == [True, True]
    assert len(tried) == 3
    assert differences(content(shop), later) == []
    assert unsound(backbone.open(shop).doctor()) == []
    assert [e.status for e in backbone.open(shop).history(3)] == ["published", "published"]


def test_a_connection_lost_while_it_commits_is_asked_whether_it_did(shop, later, monkeypatch):
    backbone.open(shop).run()
    deliver(shop, LATER)
    commit = transactions._commit

    class Lost:
        """A connection whose answer to COMMIT doesn't arrive."""

        def __init__(self, connection):
            self._connection = connection

        def execute(self, statement):
            self._connection.execute(statement)
            raise transactions.duckdb.Error("IO Error: server closed the connection unexpectedly")

    monkeypatch.setattr(transactions, "_commit", lambda connection, *more: commit(Lost(connection), *more))
    assert backbone.open(shop).run().status == "published"
    monkeypatch.undo()

    assert differences(content(shop), later) == []
    assert [e.status for e in backbone.open(shop).history(3)] == ["published", "published"]


def test_a_server_that_dies_in_the_midst_of_a_run_loses_nothing(tmp_path, later):
    with postgres_server() as server:
        root = make_team_shop(tmp_path / "shop", server.url(server.new_database()))
        deliver(root, LATER)
        view = root / "exploitation" / "slow.py"
        view.write_text(
            f'"""Slow."""\nimport time\nfrom pathlib import Path\n\nimport duckdb\nfrom backbone import view\n\n\n'
            f'@view("trusted.orders")\ndef slow(orders: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:\n'
            f'    """Slow."""\n    Path("{tmp_path}/begun").touch()\n'
            f'    while not Path("{tmp_path}/go").exists():\n        time.sleep(0.02)\n    return orders\n'
        )
        run = start(root, "run")
        until = time.monotonic() + 120
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        server.kill()
        code, said = ended(start(root, "status"))
        assert code == 1
        assert "PostgreSQL at 127.0.0.1" in said
        assert server.password not in said
        server.start()
        (tmp_path / "go").touch()
        code, said = ended(run)
        assert code == 1
        assert "Nothing was published" in said
        assert server.password not in said

        code, said = ended(start(root, "run"))
        assert code == 0, said
        assert differences(content(root), later) == []
        assert unsound(backbone.open(root).doctor()) == []
        assert [e.status for e in backbone.open(root).history(3)] == ["published", "failed"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda url, server: url.replace(server.password, "wrong"), "password authentication failed"),
        (lambda url, _: url.rpartition("/")[0] + "/elsewhere", 'database "elsewhere" does not exist'),
        (lambda url, _: re.sub(r":\d+/", ":1/", url), "Connection refused"),
    ],
)
def test_a_database_that_lets_nobody_in_is_told_in_one_sentence_without_the_password(
    shop, postgres, database, change, said
):
    (shop / "secrets.env").write_text(f"PG_URL={change(database, postgres)}\n")

    for words in (("run",), ("status",), ("sql", "SELECT 1"), ("history",), ("doctor",)):
        code, told = ended(start(shop, *words))
        assert code != 0
        assert said in told
        assert "PostgreSQL at 127.0.0.1" in told
        assert postgres.password not in told
        assert "Traceback" not in told


def test_what_is_no_connection_string_is_told_without_quoting_it(shop):
    (shop / "secrets.env").write_text("PG_URL=hunter2 is the password\n")

    code, told = ended(start(shop, "run"))

    assert code != 0
    assert "isn't followed by how to connect" in told
    assert "hunter2" not in told


def test_who_may_not_make_a_schema_is_told_what_to_be_granted(shop, postgres, database):
    name = database.rpartition("/")[2]
    postgres.execute("DO $$ BEGIN CREATE ROLE stranger LOGIN PASSWORD 'pw-of-stranger'; "
                     "EXCEPTION WHEN duplicate_object THEN END $$")  # fmt: skip
    (shop / "secrets.env").write_text(f"PG_URL={postgres.url(name, 'stranger', 'pw-of-stranger')}\n")

    code, told = ended(start(shop, "run"))

    assert code == 1
    assert "can't be written to by this role: permission denied for database" in told
    assert "docs/team.md" in told
    assert "pw-of-stranger" not in told


def test_leases_and_idle_connections_survive_a_server_that_restarts(tmp_path):
    with postgres_server() as server:
        root = make_team_shop(tmp_path / "shop", server.url(server.new_database()))
        backbone.open(root).run()
        result = backbone.open(root).sql("SELECT count(*) FROM trusted.orders")
        first = result.rows()
        server.kill()
        server.start()

        assert result.rows() == first
        other = backbone.open(root).sql("SELECT count(*) FROM trusted.orders")
        assert other.rows() == first
        books = backbone.open(root).environment.site.books
        assert len(books.holders()) == 2
        with psycopg.connect(server.url(books.database.conninfo.rpartition("/")[2])) as connection:
            assert connection.execute("SELECT count(*) FROM shop_dev.backbone_lease").fetchone() == (2,)


def test_what_fails_after_a_run_has_published_is_a_warning_of_its_report(tmp_path, monkeypatch):
    with postgres_server() as server:
        root = make_team_shop(tmp_path / "shop", server.url(server.new_database()))
        due = maintaining.is_due

        def die_and_look(site):
            server.kill()
            return due(site)

        monkeypatch.setattr(maintaining, "is_due", die_and_look)
        report = backbone.open(root).run()
        assert report.status == "published"
        assert len(report.maintained.warnings) == 1
        assert "can't be used" in report.maintained.warnings[0]
        monkeypatch.undo()
        server.start()

        reader = tmp_path / "reader"
        (reader / "exploitation").mkdir(parents=True)
        (reader / "backbone.yml").write_text(f"name: reader\nbackbone: {root}\n")
        (reader / "exploitation" / "dear.sql").write_text("SELECT order_id FROM exploitation.large_orders\n")
        pin = PostgresBooks.pin

        def die_and_pin(*arguments):
            server.kill()
            pin(*arguments)

        monkeypatch.setattr(PostgresBooks, "pin", die_and_pin)
        report = backbone.open(reader).run()
        assert report.status == "published"
        assert len(report.warnings) == 1
        assert "isn't held for later runs: PostgreSQL at" in report.warnings[0]
        server.start()
        with pytest.raises(LakeError, match="can't be used"):
            backbone.open(reader).run()
        server.start()
        monkeypatch.undo()
        assert backbone.open(reader).run().status == "nothing"
        assert len(backbone.open(root).environment.site.books.holders()) >= 1


def test_secrets_are_not_in_what_is_shown_of_objects(shop, postgres):
    workspace = backbone.open(shop)
    workspace.run()

    shown = f"{workspace.environment!r} {workspace.environment.site!r} {workspace.environment.site.books.place}"
    assert postgres.password not in shown
    assert "$" not in workspace.environment.site.books.place
    assert os.environ.get("PG_URL") is None
    assert not [
        path
        for path in Path(shop / "lake").rglob("*")
        if path.is_file() and postgres.password.encode() in path.read_bytes()
    ]
