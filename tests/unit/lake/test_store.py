from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import LakeError
from backbone.lake.catalogue import committed_runs, datasets_at, last_snapshot, registered_files, snapshot_at
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.lake.transactions import transaction
from backbone.lake.upkeep import inlined_rows
from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Extent, Removal

RELATION = Relation((Attribute("_file", "integer"), Attribute("_record", "integer"), Attribute("x", "text")))


@pytest.fixture
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


@pytest.fixture
def lake(engine, site):
    return Lake(engine.connection, site)


def stage(engine, lake, name: str, query: str, dataset: str = "trusted.a") -> Path:
    path = lake.site.folder / "tables" / dataset.replace(".", "/") / f"{name}.parquet"
    with engine.session() as session:
        session.write(query, path)
    return path


def rows(lake, snapshot=None):
    at = f"AT (VERSION => {snapshot})" if snapshot is not None else ""
    return [tuple(r.values()) for r in lake.records(f"SELECT _record, x FROM lake.trusted.a {at} ORDER BY ALL")]


def test_what_a_transaction_did_is_visible_together_and_in_time(engine, lake):
    first = stage(engine, lake, "r1-0", "SELECT 1 _file, range _record, 'a' x FROM range(2)")
    with lake.transaction("r1") as transaction:
        transaction.replace("trusted.a", RELATION, [first])
    gone = stage(engine, lake, "r2-0", "SELECT 1 _file, 0 _record")
    more = stage(engine, lake, "r2-1", "SELECT 2 _file, 7 _record, 'b' x")
    with lake.transaction("r2") as later:
        later.change("trusted.a", RELATION, removed=[Removal((gone,), ("_file", "_record"))], files=[more])

    assert rows(lake) == [(1, "a"), (7, "b")]
    assert rows(lake, transaction.snapshot) == [(0, "a"), (1, "a")]
    assert later.snapshot == transaction.snapshot + 1 == last_snapshot(lake.site)[1]
    assert committed_runs(lake.site) == {"r1", "r2"}


def test_files_registered_together_are_just_those(engine, lake):
    staged = [stage(engine, lake, f"r1-{n}", f"SELECT 1 _file, {n} _record, 'a' x") for n in range(3)]
    stage(engine, lake, "r0-9", "SELECT 1 _file, 8 _record, 'not registered' x")

    with lake.transaction("r1") as transaction:
        transaction.replace("trusted.a", RELATION, staged)
    late = [stage(engine, lake, f"r2-{n}", f"SELECT 1 _file, {n} _record, 'b' x") for n in (3, 4, 5)]
    with lake.transaction("r2") as transaction:
        transaction.change("trusted.a", RELATION, files=late[:2])

    assert rows(lake) == [(0, "a"), (1, "a"), (2, "a"), (3, "b"), (4, "b")]


def test_an_error_leaves_everything_as_it_was(engine, lake):
    first = stage(engine, lake, "r1-0", "SELECT 1 _file, range _record, 'a' x FROM range(2)")
    with lake.transaction("r1") as transaction:
        transaction.replace("trusted.a", RELATION, [first])
    before = last_snapshot(lake.site)

    def fail_half_way():
        with lake.transaction("r2") as transaction:
            transaction.replace("trusted.a", RELATION, [])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert rows(lake) == [(0, "a"), (1, "a")]
    assert last_snapshot(lake.site) == before


def test_a_column_that_comes_later_is_null_in_earlier_rows(engine, lake):
    first = stage(engine, lake, "r1-0", "SELECT 1 _file, 1 _record, 'a' x")
    with lake.transaction("r1") as transaction:
        transaction.replace("trusted.a", RELATION, [first])
    wider = Relation((*RELATION.attributes, Attribute("y", "integer")))
    more = stage(engine, lake, "r2-0", "SELECT 2 _file, 1 _record, 'b' x, 5 y")
    with lake.transaction("r2") as transaction:
        transaction.change("trusted.a", wider, files=[more])

    found = lake.records("SELECT x, y FROM lake.trusted.a ORDER BY x")
    assert found == [{"x": "a", "y": None}, {"x": "b", "y": 5}]
    assert datasets_at(lake.site, transaction.snapshot)["trusted.a"][-1] == ("y", "int64")


def test_files_are_registered_relative_so_that_a_lake_can_be_moved(engine, lake, tmp_path):
    first = stage(engine, lake, "r1-0", "SELECT 1 _file, 1 _record, 'a' x")
    with lake.transaction("r1") as transaction:
        transaction.replace("trusted.a", RELATION, [first])
    engine.close()
    moved = replace(lake.site, folder=lake.site.folder.rename(tmp_path / "elsewhere"))

    assert registered_files(moved) == {"trusted/a/r1-0.parquet"}
    again = DuckDBEngine()
    assert rows(Lake(again.connection, moved)) == [(1, "a")]
    again.close()


def test_governance_rows_round_trip(lake):
    relation = Relation((Attribute("t", "timestamp_tz"), Attribute("j", "json"), Attribute("l", "text[]")))
    row = {"t": "2026-01-02T03:04:05+00:00", "j": '{"a": "it\'s"}', "l": ["x", "y"]}
    with lake.transaction("r1") as transaction:
        transaction.ensure("governance.run", relation)
        transaction.insert("governance.run", relation, [row, {"j": None}])

    found = lake.records("SELECT epoch(t) AS t, j ->> 'a' AS a, l FROM lake.governance.run ORDER BY t NULLS LAST")
    assert found == [{"t": 1767323045.0, "a": "it's", "l": ["x", "y"]}, {"t": None, "a": None, "l": None}]


def test_changes_since_a_snapshot_are_shown(engine, lake):
    first = stage(engine, lake, "r1-0", "SELECT 1 _file, range _record, 'a' x FROM range(3)")
    with lake.transaction("r1") as one:
        one.replace("trusted.a", RELATION, [first])
    gone = stage(engine, lake, "r2-0", "SELECT 1 _file, 0 _record")
    more = stage(engine, lake, "r2-1", "SELECT 2 _file, 7 _record, 'b' x")
    with lake.transaction("r2") as two:
        two.change("trusted.a", RELATION, removed=[Removal((gone,), ("_file", "_record"))], files=[more])
    staged = stage(engine, lake, "r3-0", "SELECT 3 _file, 9 _record, 'c' x")
    lost = stage(engine, lake, "r3-1", "SELECT 1 _file, 1 _record")
    removal = Removal((lost,), ("_file", "_record"))
    extent = Extent("trusted.a", RELATION, two.snapshot, (removal,), (staged,), since=one.snapshot)

    with engine.session() as session:
        session.show_system(True)
        session.show(extent)
        now = session.rows("SELECT _record FROM trusted.a ORDER BY 1")
        came = session.rows("SELECT _record FROM __inserted.trusted__a ORDER BY 1")
        went = session.rows("SELECT _record FROM __deleted.trusted__a ORDER BY 1")

    assert (now, came, went) == ([(2,), (7,), (9,)], [(7,), (9,)], [(0,), (1,)])


def test_a_snapshot_is_found_by_number_and_by_time(lake):
    with lake.transaction("r1") as transaction:
        transaction.ensure("governance.run", RELATION)

    assert snapshot_at(lake.site, str(transaction.snapshot)) == transaction.snapshot
    assert snapshot_at(lake.site, "2999-01-01") == transaction.snapshot


class Watching:
    """A connection that notes how many threads there are whenever DuckLake is called to write rows of the catalogue."""

    def __init__(self, connection) -> None:
        self._connection = connection
        self.threads = {}

    def execute(self, statement):
        if "ducklake_flush" in statement or statement == "COMMIT":
            self.threads[statement] = self._connection.sql("SELECT current_setting('threads')").fetchone()[0]
        return self._connection.execute(statement)


def test_rows_are_flushed_from_the_catalogue_by_one_thread(tmp_path):
    """DuckLake 1.5.5 notes flushed tables in a list without a lock: two threads damage the heap (ADR 30)."""
    engine = DuckDBEngine()
    engine.connection.execute("SET threads = 4")
    Lake(engine.connection, Site(tmp_path / "dev"))
    watched, notes = Watching(engine.connection), Relation((Attribute("x", "text"),))
    with transaction(engine.connection, Site(tmp_path / "dev"), "r1") as writing:
        for name in ("governance.a", "governance.b"):
            writing.ensure(name, notes)
            writing.insert(name, notes, [{"x": "kept in the catalogue"}])
    before = inlined_rows(Site(tmp_path / "dev"))

    with transaction(watched, Site(tmp_path / "dev"), "r2", "maintenance") as writing:
        writing.flush()

    assert before == 2
    assert inlined_rows(Site(tmp_path / "dev")) == 0
    assert set(watched.threads.values()) == {1}
    assert len(watched.threads) == 2
    assert engine.connection.sql("SELECT current_setting('threads')").fetchone() == (4,)
    engine.close()


def test_files_that_are_of_no_use_any_more_go_with_the_commit_and_not_before(engine, lake):
    few = stage(engine, lake, "r1-0", "SELECT 1 _file, 1 _record, 'a' x", "governance.run")
    again = iter([duckdb.TransactionException("Transaction conflict")])

    def work(transaction):
        transaction.ensure("governance.run", RELATION)
        transaction.insert_file("governance.run", few)
        for error in again:
            raise error
        return transaction.snapshot

    if lake.site.books.shared:
        snapshot = lake.publish("r1", work)
        assert not few.exists()
        assert last_snapshot(lake.site)[1] == snapshot
    else:
        with pytest.raises(LakeError, match="Nothing could be published: Transaction conflict"):
            lake.publish("r1", work)
        assert few.exists()
        assert lake.publish("r1", work) == last_snapshot(lake.site)[1]
    assert len(lake.records("FROM lake.governance.run")) == 1
