"""Tables of real databases, SQLite's and PostgreSQL's: the same promises for both."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import backbone
from backbone.connectors.landing import LandingZone

COLUMNS = "columns: {id: integer, name: text, amount: text, at: timestamp}\n"


@pytest.fixture(params=["sqlite", "postgres"])
def execute(request, tmp_path, monkeypatch) -> Callable[[str], None]:
    """Run statements in a database that `origin` names."""
    if request.param == "sqlite":

        def run(statements: str) -> None:
            with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
                connection.executescript(statements)

        run.origin = "sqlite: shop.db"
    else:
        url = request.getfixturevalue("database")
        monkeypatch.setenv("PG_URL", url)

        def run(statements: str) -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(statements)

        run.origin, run.password = "postgres: '${PG_URL}'", url.split(":")[2].split("@")[0]
    run("CREATE TABLE orders (id bigint, name text, amount numeric(18,2), at timestamp)")
    run("INSERT INTO orders VALUES (1, 'a', 1.5, '2024-01-01 10:00:00.000001'), (2, '', NULL, '2024-01-01 11:00:00')")
    return run


@pytest.fixture
def project(tmp_path: Path, execute) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    declare(tmp_path, f"{{{execute.origin}, table: orders, cursor: at}}")
    return tmp_path


def declare(root: Path, origin: str) -> None:
    (root / "sources/orders.yml").write_text(f"from: {origin}\n{COLUMNS}")


def ids(root: Path) -> list[int]:
    return [row[0] for row in backbone.open(root).sql("SELECT id FROM trusted.orders ORDER BY id").rows()]


def landed(root: Path) -> list[str]:
    return [file.path.read_text() for file in backbone.open(root).environment.landing.registry.files("orders")]


@pytest.mark.usefixtures("execute")
def test_a_table_lands_with_exact_values(project):
    assert backbone.open(project).run().status == "published"
    rows = (
        backbone.open(project)
        .sql('SELECT id, name, amount, CAST("at" AS VARCHAR) FROM formatted.orders ORDER BY id')
        .rows()
    )

    assert [(row[0], row[1], row[3]) for row in rows] == [
        (1, "a", "2024-01-01 10:00:00.000001"),
        (2, rows[1][1], "2024-01-01 11:00:00"),
    ]
    assert (rows[0][2].rstrip("0"), rows[1][2]) == ("1.5", None)
    assert '"name": ""' in landed(project)[0]


def test_with_a_cursor_only_new_rows_land_and_ties_neither_double_nor_get_lost(project, execute):
    backbone.open(project).run()
    execute("INSERT INTO orders VALUES (3, 'c', 3, '2024-01-01 11:00:00'), (4, 'd', 4, '2024-01-02 00:00:00')")
    backbone.open(project).run()
    execute("INSERT INTO orders VALUES (5, 'e', 5, '2024-01-02 00:00:00'), (5, 'e', 5, '2024-01-02 00:00:00')")
    backbone.open(project).run()
    execute("INSERT INTO orders VALUES (5, 'e', 5, '2024-01-02 00:00:00')")
    backbone.open(project).run()

    assert backbone.open(project).run().status == "nothing"
    assert ids(project) == [1, 2, 3, 4, 5, 5, 5]
    assert [text.count("\n") for text in landed(project)] == [2, 2, 2, 1]


def test_without_a_cursor_a_table_lands_whole_when_it_has_changed(project, execute):
    declare(project, f"{{{execute.origin}, table: orders}}")
    (project / "trusted").mkdir()
    (project / "trusted/orders.yml").write_text("versions: snapshot\n")
    backbone.open(project).run()
    assert backbone.open(project).run().status == "nothing"
    execute("DELETE FROM orders WHERE id = 1; INSERT INTO orders VALUES (7, 'x', 1, '2024-01-01 00:00:00')")
    backbone.open(project).run()

    assert ids(project) == [2, 7]
    execute("DELETE FROM orders")
    assert "has no rows any more" in backbone.open(project).run().failed[0].failure.message
    assert ids(project) == [2, 7]


def test_a_query_lands_too(project, execute):
    declare(project, f"{{{execute.origin}, query: \"SELECT * FROM orders WHERE name LIKE '%a%';\", cursor: at}}")
    backbone.open(project).run()
    execute("INSERT INTO orders VALUES (8, 'aa', 1, '2024-03-01 00:00:00'), (9, 'z', 1, '2024-03-01 00:00:00')")
    backbone.open(project).run()

    assert ids(project) == [1, 8]


@pytest.mark.parametrize(
    ("change", "origin", "said"),
    [
        ("INSERT INTO orders VALUES (9, 'n', 1, NULL)", "table: orders, cursor: at", "`at` is null in 1 of its rows"),
        ("", "table: nope, cursor: at", "nope"),
        ("", "table: orders, cursor: wen", "wen"),
    ],
)
def test_what_cannot_be_fetched_fails_its_source_and_keeps_what_was(project, execute, change, origin, said):
    backbone.open(project).run()
    if change:
        execute(change)
    declare(project, f"{{{execute.origin}, {origin}}}")
    report = backbone.open(project).run()

    assert said in report.failed[0].failure.message
    assert ids(project) == [1, 2]


def test_a_kill_after_fetching_loses_and_doubles_nothing(project, execute, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    backbone.open(project).run()
    execute("INSERT INTO orders VALUES (3, 'c', 3, '2024-01-03 11:00:00')")
    for place, name in ((LandingZone, "_keep"), (Path, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, die)
            with pytest.raises(Killed):
                backbone.open(project).run()
    backbone.open(project).run()
    backbone.open(project).run()

    assert ids(project) == [1, 2, 3]
    assert [text.count("\n") for text in landed(project)] == [2, 1]


@pytest.mark.usefixtures("execute")
def test_a_rebuilt_registry_still_knows_where_the_cursor_was(project):
    backbone.open(project).run()
    registry = backbone.open(project).environment.landing.registry
    registry.rewrite(registry.files(), "registry.aside")

    assert backbone.open(project).run().status == "nothing"
    assert ids(project) == [1, 2]


def test_no_password_is_told(project, execute, monkeypatch):
    if not hasattr(execute, "password"):
        pytest.skip("SQLite has none")
    backbone.open(project).run()
    monkeypatch.setenv("PG_URL", f"postgresql://postgres:kanari7f3a@127.0.0.1:{_port()}/x")
    message = backbone.open(project).run().failed[0].failure.message

    assert "table orders of postgres ${PG_URL} can't be read" in message
    assert "kanari" not in message
    assert not [p for p in project.rglob("*") if p.is_file() and execute.password.encode() in p.read_bytes()]


def _port() -> int:
    import os

    return int(os.environ["PG_URL"].rsplit(":", 1)[1].split("/")[0])
