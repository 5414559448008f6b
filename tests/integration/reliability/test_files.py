"""Files that vanish or change while they are read: what arrived is never lost, nor landed twice, nor half."""

from collections.abc import Callable
from pathlib import Path

import pytest
from faults_shop import arrivals, deliver, leftovers, settle, unsound, write_files

import backbone
from backbone.connectors.registry import Registry
from backbone.model.reports import RunEvent, RunReport
from backbone.workspace.adding import add

HEADER = "item,price\n"
PROJECT = {
    "backbone.yml": "name: changing\n",
    "sources/prices.yml": "from: data/prices-*.csv\ncolumns: {item: text, price: integer}\n",
    "sources/stock.yml": "from: data/stock-*.csv\ncolumns: {item: text, pieces: integer}\n",
    "trusted/prices.yml": "versions: upsert\nkey: item\n",
    "exploitation/dear.sql": "SELECT item, price FROM trusted.prices WHERE price > 1\n",
    "exploitation/doubled.py": '''"""Doubles."""
import duckdb
from backbone import view


@view("exploitation.dear")
def doubled(dear: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Twice the price."""
    return dear.project("item, price * 2 AS price")
''',
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_files(tmp_path, PROJECT)
    deliver(tmp_path, {"prices-1.csv": f"{HEADER}tea,1\nrum,10\n", "stock-1.csv": "item,pieces\ntea,5\n"})
    return tmp_path


def run(root: Path, when: Callable[[RunEvent], bool] = lambda _: False, then: Callable[[], object] = list) -> RunReport:
    """A run, in which something happens once."""
    waiting = [then]

    def watch(event: RunEvent) -> None:
        if waiting and when(event):
            waiting.pop()()

    report = backbone.open(root).run(on_event=watch)
    assert not waiting or when is run.__defaults__[0], "it never happened"
    return report


def landing(name: str) -> Callable[[RunEvent], bool]:
    return lambda event: event.kind == "landing" and event.text == name


def begins(dataset: str) -> Callable[[RunEvent], bool]:
    return lambda event: event.kind == "step_started" and event.dataset == dataset


def rows(root: Path, query: str) -> list[tuple[object, ...]]:
    return backbone.open(root).sql(f"{query} ORDER BY ALL").rows()


def names(root: Path) -> list[str]:
    return [file.name for file in backbone.open(root).environment.landing.registry.files()]


def expect_sound(root: Path) -> None:
    assert backbone.open(root).run().status == "nothing"
    assert leftovers(root) == []
    assert unsound(backbone.open(root).doctor()) == []


def test_a_file_that_vanishes_before_it_is_landed_is_left_out(shop):
    report = run(shop, landing("prices-1.csv"), (shop / "data/prices-1.csv").unlink)

    assert not report.failed
    assert names(shop) == ["stock-1.csv"]
    assert rows(shop, "SELECT pieces FROM trusted.stock") == [(5,)]
    deliver(shop, {"prices-1.csv": f"{HEADER}tea,1\n"})
    assert not run(shop).failed
    assert rows(shop, "SELECT price FROM trusted.prices") == [(1,)]
    expect_sound(shop)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.write_text(f"{HEADER}tea,1\nrum,10\ngin,7\n"), id="grows"),
        pytest.param(lambda path: path.write_text(HEADER), id="is cut"),
        pytest.param(lambda path: (path.unlink(), path.write_text(f"{HEADER}tea,2\nrum,9\n")), id="is replaced"),
    ],
)
def test_a_file_that_changes_while_it_is_landed_lands_whole_with_the_next_run(shop, change):
    path = shop / "data/prices-1.csv"

    run(shop, landing("prices-1.csv"), lambda: change(path))

    assert "prices-1.csv" not in names(shop)
    settle(path)
    assert not run(shop).failed
    landed = backbone.open(shop).environment.landing.registry.files("prices")
    assert [file.path.read_text() for file in landed] == [path.read_text()]
    assert arrivals(shop) == 2
    expect_sound(shop)


def test_a_file_dropped_in_the_place_of_one_that_is_landing_is_landed_too(shop, monkeypatch):
    drop = shop / "lake/landing/temporal/prices/prices-2.csv"
    write_files(shop, {str(drop.relative_to(shop)): f"{HEADER}gin,3\n"})
    settle(drop)
    register = Registry.register

    def replaced_meanwhile(*arguments, **named):
        file = register(*arguments, **named)
        if file.name == drop.name and file.size == len(f"{HEADER}gin,3\n"):
            new = shop / "new.csv"
            new.write_text(f"{HEADER}gin,4\nale,5\n")
            new.replace(drop)
        return file

    monkeypatch.setattr(Registry, "register", replaced_meanwhile)
    assert not run(shop).failed
    settle(drop)
    assert not run(shop).failed

    assert names(shop) == ["prices-1.csv", "prices-2.csv", "stock-1.csv", "prices-2.csv"]
    assert rows(shop, "SELECT item, price FROM trusted.prices") == [("ale", 5), ("gin", 4), ("rum", 10), ("tea", 1)]
    assert not list(drop.parent.iterdir())
    expect_sound(shop)


def test_a_landed_file_that_vanished_fails_its_source_alone_and_comes_back_from_a_copy(shop):
    def lose() -> None:
        (file,) = backbone.open(shop).environment.landing.registry.files("prices")
        file.path.rename(shop / "copy.csv")

    report = run(shop, begins("formatted.prices"), lose)

    (failed,) = report.failed
    assert failed.dataset == "formatted.prices"
    assert "prices-1.csv" in failed.failure.message
    assert "is not there any more" in failed.failure.message
    assert "backbone doctor" in failed.failure.hint
    assert rows(shop, "SELECT pieces FROM trusted.stock") == [(5,)]
    (file,) = backbone.open(shop).environment.landing.registry.files("prices")
    (shop / "copy.csv").rename(file.path)
    assert not run(shop).failed
    assert rows(shop, "SELECT item, price FROM exploitation.doubled") == [("rum", 20)]
    expect_sound(shop)


def test_sql_and_rules_edited_during_a_run_count_for_the_next_one(shop):
    def edit() -> None:
        write_files(shop, {
            "exploitation/dear.sql": "SELECT item, price FROM trusted.prices WHERE price > 100\n",
            "trusted/prices.yml": "versions: upsert\nkey: item\nrules: [{in_range: price, from: 5, else: warn}]\n",
        })  # fmt: skip

    report = run(shop, begins("formatted.prices"), edit)

    assert not report.failed
    assert rows(shop, "SELECT item FROM exploitation.dear") == [("rum",)]
    assert {p.step.dataset for p in backbone.open(shop).plan().runs} >= {"trusted.prices", "exploitation.dear"}
    assert not run(shop).failed
    assert rows(shop, "SELECT item FROM exploitation.dear") == []
    expect_sound(shop)


def test_python_edited_during_a_run_is_not_published_as_what_was_planned(shop):
    path = shop / "exploitation/doubled.py"

    report = run(shop, begins("trusted.prices"), lambda: path.write_text(path.read_text().replace("* 2", "* 3")))

    (failed,) = report.failed
    assert failed.dataset == "exploitation.doubled"
    assert "edited after the run had begun" in failed.failure.message
    assert "backbone run" in failed.failure.hint
    assert not run(shop).failed
    assert rows(shop, "SELECT item, price FROM exploitation.doubled") == [("rum", 30)]
    expect_sound(shop)


def test_python_whose_words_alone_are_edited_during_a_run_is_what_was_planned(shop):
    path = shop / "exploitation/doubled.py"

    report = run(shop, begins("trusted.prices"), lambda: path.write_text(f"# more words\n{path.read_text()}"))

    assert not report.failed
    assert rows(shop, "SELECT item, price FROM exploitation.doubled") == [("rum", 20)]
    expect_sound(shop)


def test_a_source_gets_one_more_location_with_add(shop):
    assert not run(shop).failed
    write_files(shop, {"more.csv": f"{HEADER}ale,4\n"})
    settle(shop / "more.csv")

    added = add(shop, "prices", ("more.csv",))

    assert [landed.name for landed in added.landed] == ["more.csv"]
    assert ("ale", 4) in rows(shop, "SELECT item, price FROM trusted.prices")
