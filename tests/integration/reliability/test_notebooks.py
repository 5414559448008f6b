"""In Jupyter kernels, as people have them: what is asked is answered, what is held stays, nothing else is drawn."""

import pytest
from accounts import ACCOUNTS, QUESTION, deliver_both
from faults_shop import make_shop, unsound, write_files
from notebooks import open_notebooks

import backbone


def test_a_notebook_runs_asks_and_draws_nothing_else(tmp_path):
    root = make_shop(tmp_path)

    with open_notebooks(root, 1) as (notebook,):
        ran = notebook.run("import backbone\nshop = backbone.open()\nprint(shop.run().status)")
        asked = notebook.run("print(shop.sql('SELECT count(*) FROM trusted.orders').rows())")
        framed = notebook.run("print(len(shop.table('orders').df()))")
        refused = notebook.run("shop.sql('SELECT amuont FROM orders').rows()")

    assert ran == "published\n"
    assert asked == f"[({int(framed)},)]\n"
    assert "QueryError" in refused
    assert "amuont" in refused


@pytest.mark.long
def test_what_a_notebook_holds_stays_as_it_was_while_runs_and_maintenance_go_on(tmp_path):
    settings = "name: bank\nretention: {snapshots: 0 seconds, at_least: 1, files: 0 seconds}\n"
    write_files(tmp_path, {**ACCOUNTS, "backbone.yml": settings})
    deliver_both(tmp_path, 0)
    backbone.open(tmp_path).run()

    with open_notebooks(tmp_path, 2) as notebooks:
        for notebook in notebooks:
            assert notebook.run(f"import backbone\nheld = backbone.open().sql({QUESTION!r})") == ""
        first = [notebook.run("print(held.rows())") for notebook in notebooks]
        newest = []
        for number in range(1, 4):
            deliver_both(tmp_path, number)
            assert not backbone.open(tmp_path).run().failed
            backbone.open(tmp_path).maintain()
            held = [notebook.run("print(held.rows())") for notebook in notebooks]
            newest += [notebook.run(f"print(backbone.open().sql({QUESTION!r}).rows())") for notebook in notebooks]
            assert held == first

    assert all(row.startswith("[(0, 0, ") for row in (*first, *newest))
    assert len(set(newest)) == 3
    assert unsound(backbone.open(tmp_path).doctor()) == []


def test_a_notebook_shows_reports_as_a_terminal_does(tmp_path):
    root = make_shop(tmp_path)

    with open_notebooks(root, 1) as (notebook,):
        notebook.run("import backbone\nshop = backbone.open()\nreport = shop.run()")
        again = notebook.run("shop.run()")
        rows = notebook.run("shop.sql('SELECT 1 AS one, true AS yes')")
        more = notebook.run("shop.sql('SELECT * FROM generate_series(1, 11) AS g(n)')")
        within = notebook.run("[shop.plan()]")

    assert again == "nothing to do: 9 datasets unchanged"
    assert [line.split() for line in rows.splitlines()] == [["one", "yes"], ["1", "true"]]
    assert more.splitlines()[1:11] == [f"{n:>2}" for n in range(1, 11)]
    assert more.splitlines()[11:] == ["… 11 rows"]
    assert within == "[nothing to do: 9 datasets unchanged]"
