import sqlite3
from pathlib import Path

import duckdb
import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.kinds import kind_named
from backbone.formats.peek import Peeked, Wanted, peek_file
from backbone.formats.reading import read_records


def look(path: Path, part: str | None = None) -> tuple[Peeked, list[tuple[object, ...]]]:
    with DuckDBEngine().session() as session:
        peeked = peek_file(path, session, scratch=path.parent / "scratch", wanted=Wanted(part))
        records = read_records(path, peeked.template, session, scratch=path.parent / "scratch")
        return peeked, session.rows(f"SELECT * FROM {records.table} ORDER BY _record")


@pytest.fixture
def lite(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "f.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, paid REAL, code TEXT, day TEXT, raw BLOB)")
        connection.execute(
            "INSERT INTO orders VALUES (1, 0.1, '007', '2024-01-05', x'00ff'), (2, 2, 'Zoë', NULL, NULL)"
        )
        connection.execute("CREATE TABLE people (name TEXT)")
        connection.execute("INSERT INTO people VALUES ('Ada')")
    connection.close()
    return tmp_path / "f.db"


@pytest.fixture
def duck(tmp_path: Path) -> Path:
    with duckdb.connect(tmp_path / "f.duckdb") as connection:
        connection.execute(
            "CREATE TABLE orders AS SELECT 1 AS id, 1.50::DECIMAL(9,2) AS paid, '007' AS code, "
            "DATE '2024-01-05' AS day, "
            "170141183460469231731687303715884105727::HUGEINT // 1000000000000000000000 AS big, "
            "'5f3e3a90-0000-4000-8000-000000000000'::UUID AS u UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL"
        )
        connection.execute("CREATE SCHEMA other; CREATE TABLE other.people AS SELECT 'Ada' AS name")
    return tmp_path / "f.duckdb"


def test_sqlite_values_are_their_texts(lite: Path) -> None:
    peeked, rows = look(lite, "orders")

    assert rows == [(1, "1", "0.1", "007", "2024-01-05", "\\x00\\xFF"), (2, "2", "2.0", "Zoë", None, None)]
    assert [c.domain for c in peeked.columns] == ["integer", "float", "text", "date", "text"]
    assert peeked.evidence[0] == "table 'orders' of 2; the others are people: --part NAME, or --part all"


def test_duckdb_types_are_kept(duck: Path) -> None:
    peeked, rows = look(duck, "orders")

    uuid = "5f3e3a90-0000-4000-8000-000000000000"
    assert rows == [(1, "1", "1.50", "007", "2024-01-05", "170141183460469231", uuid), (2, *[None] * 6)]
    assert [c.domain for c in peeked.columns] == ["integer", "decimal(2)", "text", "date", "decimal(0)", "text"]
    assert look(duck, "other.people")[1] == [(1, "Ada")]


def test_tables_are_named(lite: Path, duck: Path) -> None:
    with DuckDBEngine().session() as session:
        assert kind_named("sqlite").parts(lite, session) == ("orders", "people")
        assert kind_named("duckdb").parts(duck, session) == ("orders", "other.people")
    for path in (lite, duck):
        with pytest.raises(UsageError, match="has 2 tables: orders, "):
            look(path)
        with pytest.raises(UsageError, match=r"no table 'order'\. Did you mean 'orders'"):
            look(path, "order")


def test_landed_files_stay_as_they_are(lite: Path, duck: Path) -> None:
    before = {path: path.read_bytes() for path in (lite, duck)}

    for path in before:
        path.chmod(0o444)
        look(path, "orders")

    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in lite.parent.iterdir()} == {"f.db", "f.duckdb", "scratch"}


def test_damaged_databases_are_refused(lite: Path, duck: Path) -> None:
    lite.write_bytes(lite.read_bytes()[:5000])
    duck.write_bytes(duck.read_bytes()[:5000])

    with pytest.raises(UsageError, match=r"f\.db can't be read as SQLite's"):
        look(lite, "orders")
    with pytest.raises(UsageError, match=r"f\.duckdb can't be opened"):
        look(duck, "orders")
