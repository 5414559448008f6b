from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import QueryError
from backbone.lake.books import Lease
from backbone.lake.catalogue import last_snapshot
from backbone.lake.sealed import SealedLake, frozen_catalogue, run_query, sealed_connection
from backbone.lake.store import Lake
from backbone.model.relations import Attribute, Relation


@pytest.fixture
def folder(filled):
    return filled.folder


@pytest.fixture
def filled(site):
    engine = DuckDBEngine()
    lake = Lake(engine.connection, site)
    path = lake.site.folder / "tables/trusted/a/r1-0.parquet"
    with engine.session() as session:
        session.write("SELECT 1 AS _file, 42 AS x", path)
    relation = Relation((Attribute("_file", "integer"), Attribute("x", "integer")))
    with lake.transaction("r1") as transaction:
        transaction.replace("trusted.a", relation, [path])
    engine.close()
    return site


@pytest.fixture
def sealed(filled):
    return SealedLake(filled, Lease(last_snapshot(filled)[1]))


def fetch(sealed, query, **more):
    return sealed.run(query, lambda cursor: cursor.fetchall(), **more)


@pytest.mark.parametrize("query", ["from a", "from trusted.a", "select x from a;", "with b as (from a) from b"])
def test_datasets_can_be_read_by_bare_and_full_name(sealed, query):
    assert fetch(sealed, query) == [(42,)]


def test_names_have_no_case_where_there_are_many_datasets(sealed, monkeypatch):
    monkeypatch.setattr("backbone.lake.sealed._MANY", 0)

    assert fetch(sealed, "from A") == fetch(sealed, "from Trusted.A") == [(42,)]


def test_a_comment_at_the_end_does_not_keep_rows_from_a_file(sealed, tmp_path):
    assert sealed.write("from a; -- all of them", tmp_path / "a.csv", "FORMAT csv") == 1


def test_system_columns_are_there_for_those_who_ask(sealed):
    assert fetch(sealed, "select _file from a", system=True) == [(1,)]


def test_python_variables_are_not_tables(sealed):
    variable = Path()  # noqa: F841 - DuckDB would find it by its name

    with pytest.raises(QueryError, match="variable"):
        fetch(sealed, "from variable")


def test_a_query_does_not_run_for_ever(filled):
    last = last_snapshot(filled)[1]
    connection = sealed_connection(filled, last=last, snapshot=last, datasets={})

    with pytest.raises(QueryError, match=r"longer than 0\.2 seconds"):
        run_query(connection, "select sum(a.range * b.range) from range(10000000) a, range(10000000) b",
                  lambda cursor: cursor.fetchall(), timeout_seconds=0.2)  # fmt: skip
    connection.close()


def test_rows_can_be_written_to_the_one_file_named(sealed, tmp_path):
    assert sealed.write("from a", tmp_path / "out.csv", "FORMAT csv, HEADER true") == 1
    assert (tmp_path / "out.csv").read_text() == "x\n42\n"


def test_inlined_governance_rows_keep_their_types(site):
    engine = DuckDBEngine()
    lake = Lake(engine.connection, site)
    kinds = ("float", "timestamp_tz", "boolean", "integer", "text[]", "json", "text")
    relation = Relation(tuple(Attribute(f"c{number}", kind) for number, kind in enumerate(kinds)))
    row = {
        "c0": 0.5,
        "c1": "2026-01-02T00:00:00+00:00",
        "c2": True,
        "c3": 7,
        "c4": ["x"],
        "c5": '{"a": 1}',
        "c6": "ä\\",
    }
    with lake.transaction("r1") as transaction:
        transaction.ensure("governance.run", relation)
        transaction.insert("governance.run", relation, [row])
    engine.close()
    last = last_snapshot(site)[1]

    found = fetch(SealedLake(site, Lease(last)),
                  "select c0, epoch(c1), c2, c3, c4, c5 ->> 'a', c6 from governance.run")  # fmt: skip

    assert found == [(0.5, 1767312000.0, True, 7, ["x"], "1", "ä\\")]


def test_a_killed_process_leaves_no_half_copy_behind(folder, filled):
    last = last_snapshot(filled)[1]
    cache = folder / "cache"
    cache.mkdir()
    for name in (f"catalogue-{last}.part", f"catalogue-{last}.part.wal", "catalogue-1.0badf00d.part"):
        (cache / name).write_bytes(b"half")

    frozen = frozen_catalogue(filled, last)

    assert frozen.name.endswith(f"-{last}.duckdb")
    assert sorted(cache.iterdir()) == [frozen, cache / "lock"]


def test_readers_at_once_copy_the_catalogue_once(filled):
    last = last_snapshot(filled)[1]

    with ThreadPoolExecutor(8) as readers:
        paths = list(readers.map(lambda _: frozen_catalogue(filled, last).stat().st_ino, range(8)))

    assert len(set(paths)) == 1
