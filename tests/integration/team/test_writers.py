"""Several who write to one lake, each in a process of its own, as if on machines of their own."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
from faults_shop import LATER, content, deliver, differences, make_shop, unsound
from team_shop import ended, make_team_shop, start

import backbone
from backbone.lake.catalogue import registered_files

_SLOW = '''"""Rows that take their time."""
import time
from pathlib import Path

import duckdb
from backbone import view


@view("trusted.orders")
def {name}(orders: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Orders, in a while."""
    Path("{folder}/{name}.begun").touch()
    until = time.monotonic() + 60
    while not Path("{folder}/{name}.go").exists() and time.monotonic() < until:
        time.sleep(0.02)
    return orders.filter("amount > {least}")
'''


@pytest.fixture
def shop(tmp_path, database):
    """The shop with eight more views, of which nothing has run but what they are made from."""
    root = make_team_shop(tmp_path / "shop", database)
    for number in range(8):
        (root / "exploitation" / f"v{number}.sql").write_text(
            f"SELECT order_id, amount FROM trusted.orders WHERE amount > {number}\n"
        )
    backbone.open(root).run("zone:formatted zone:trusted")
    return root


def slow_view(root, name, least=0):
    """A view that begins, and ends when it is let go."""
    (root / "exploitation" / f"{name}.py").write_text(_SLOW.format(name=name, folder=root.parent, least=least))
    return root.parent / f"{name}.begun", root.parent / f"{name}.go"


def wait_for(path):
    until = time.monotonic() + 120
    while not Path(path).exists():
        assert time.monotonic() < until, f"{path} has not come"
        time.sleep(0.02)


def unregistered(root):
    site = backbone.open(root).environment.site
    known = registered_files(site)
    return [one.name for one in site.data.list("tables/") if one.name.removeprefix("tables/") not in known]


def test_eight_runs_of_different_datasets_at_once_publish_all(shop):
    before = backbone.open(shop).status().snapshot
    runs = [start(shop, "run", "--select", f"v{number}", "--no-wait") for number in range(8)]

    for code, said in map(ended, runs):
        assert code == 0, said

    assert backbone.open(shop).status().snapshot == before + 8
    for number in range(8):
        (found,) = backbone.open(shop).sql(f"SELECT count(*), min(amount) > {number} FROM v{number}").rows()
        assert found[0] > 0
        assert found[1]
    history = backbone.open(shop).history(9)
    assert [entry.status for entry in history] == ["published"] * 9
    assert unregistered(shop) == []
    report = backbone.open(shop).run("v0 v1 v2 v3 v4 v5 v6 v7")
    assert report.status == "nothing"
    backbone.open(shop).run()
    assert unsound(backbone.open(shop).doctor()) == []


def test_runs_are_side_by_side_and_each_reads_what_was_there_when_it_began(shop):
    begun, go = slow_view(shop, "slow")
    slow = start(shop, "run", "--select", "slow")
    wait_for(begun)
    deliver(shop, LATER)

    meanwhile = backbone.open(shop).run("trusted.orders formatted.orders", wait=False)
    assert meanwhile.status == "published"
    go.touch()
    code, said = ended(slow)

    assert code == 0, said
    # It was made from the orders of before, and the next plan says so.
    (step,) = [one for one in backbone.open(shop).plan("slow").steps if one.step.dataset == "exploitation.slow"]
    assert (step.action, step.reasons) == ("run", ("trusted.orders changed",))
    assert backbone.open(shop).run().status == "published"
    assert backbone.open(shop).run().status == "nothing"
    assert unsound(backbone.open(shop).doctor()) == []


def test_two_runs_of_one_dataset_take_turns_or_one_is_refused(shop):
    begun, go = slow_view(shop, "slow")
    first = start(shop, "run", "--select", "slow")
    wait_for(begun)

    code, said = ended(start(shop, "run", "--select", "slow", "--no-wait"))
    assert code == 1
    assert re.search(rf"Another run is under way, process {first.pid} on \S+, and you asked not to wait for it", said)
    whole, waited = ended(start(shop, "run", "--no-wait"))
    assert whole == 1, waited
    second = start(shop, "run", "--select", "slow")
    while second.poll() is None and not backbone.open(shop).environment.site.books.entries():
        time.sleep(0.05)
    go.touch()

    assert ended(first)[0] == 0
    code, said = ended(second)
    assert code == 0, said
    assert [e.status for e in backbone.open(shop).history(2)] == ["published", "published"]


def test_a_run_killed_while_another_runs_leaves_that_one_alone(shop):
    begun, go = slow_view(shop, "slow")
    dying_begun, _ = slow_view(shop, "dying")
    slow = start(shop, "run", "--select", "slow")
    dying = start(shop, "run", "--select", "dying")
    wait_for(begun)
    wait_for(dying_begun)
    # As if it had staged: what bears its name is its own.
    entries = {
        str(entry["pid"]): str(entry["run"]) for entry, _ in backbone.open(shop).environment.site.books.entries()
    }
    tables = shop / "lake" / "dev" / "tables" / "exploitation"
    staged = [
        tables / "slow" / f"{entries[str(slow.pid)]}-77.parquet",
        tables / "dying" / f"{entries[str(dying.pid)]}-77.parquet",
    ]
    for path in staged:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"staged")
    os.kill(dying.pid, signal.SIGKILL)
    ended(dying)
    statuses = {entry.run: entry.status for entry in backbone.open(shop).history(5)}
    assert statuses[entries[str(slow.pid)]] == "running"
    assert statuses[entries[str(dying.pid)]] == "killed"

    assert backbone.open(shop).run("v0").status == "published"
    assert [path.exists() for path in staged] == [True, False]
    staged[0].unlink()
    go.touch()
    code, said = ended(slow)

    assert code == 0, said
    recorded = {entry.run: entry.status for entry in backbone.open(shop).history(9)}
    assert recorded[entries[str(dying.pid)]] == "killed"
    assert recorded[entries[str(slow.pid)]] == "published"
    assert unregistered(shop) == []


def test_maintenance_waits_for_those_who_write_and_they_for_it(shop):
    begun, go = slow_view(shop, "slow")
    slow = start(shop, "run", "--select", "slow")
    wait_for(begun)
    maintaining = start(shop, "maintain")
    while "process" not in "".join(who for who in [backbone.open(shop).environment.site.books.writer()]):
        time.sleep(0.05)
    assert maintaining.poll() is None
    go.touch()

    assert ended(slow)[0] == 0
    code, said = ended(maintaining)
    assert code == 0, said
    assert unsound(backbone.open(shop).doctor()) == []


@pytest.mark.long
def test_runs_readers_and_maintenance_at_once_end_as_one_run_would(shop, tmp_path):
    (shop / "backbone.yml").write_text(
        (shop / "backbone.yml").read_text()
        + "retention: {snapshots: 0 seconds, at_least: 1, files: 0 seconds, maintenance: by_hand}\n"
    )
    selections = ["formatted.orders trusted.orders", "formatted.visits trusted.visits", "large_orders totals", "v1 v2"]
    until = time.monotonic() + 60
    arrived = 0
    while time.monotonic() < until:
        deliver(shop, {f"orders-x{arrived}.csv": f"order_id,customer,day,amount\n{1000 + arrived},c1,2026-01-09,70\n"})
        arrived += 1
        processes = [start(shop, "run", "--select", one) for one in selections]
        processes += [start(shop, "sql", "SELECT count(*), sum(amount) FROM trusted.orders") for _ in range(2)]
        processes.append(start(shop, "maintain"))
        for code, said in map(ended, processes):
            assert code == 0, said
    backbone.open(shop).run()

    fresh = make_shop(tmp_path / "fresh")
    for path in (shop / "data").iterdir():
        deliver(fresh, {path.name: path.read_text()})
    backbone.open(fresh).run()
    assert differences(content(shop), content(fresh)) == []
    assert unsound(backbone.open(shop).doctor()) == []
