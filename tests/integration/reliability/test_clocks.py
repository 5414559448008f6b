"""A clock that jumps: what came later is newer, whatever time it says."""

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import libfaketime
import pytest
from faults_shop import ANALYSIS, DELIVERIES, FILES, LATER, deliver, leftovers, unsound, write_files

import backbone
from backbone.errors import UsageError
from backbone.lake.catalogue import snapshots
from backbone.lake.site import Site

PRELOADED = next(Path(libfaketime.__file__).parent.rglob("libfaketime.so.1"), None)
PROJECT = {
    "backbone.yml": "name: clocks\n",
    "sources/prices.yml": "from: data/prices-*.csv\ncolumns: {item: text, price: integer}\n",
    "trusted/prices.yml": "versions: upsert\nkey: item\n"
    "rules: [{in_range: price, from: 0, else: quarantine, tolerate: 100%}]\n",
}

pytestmark = pytest.mark.skipif(PRELOADED is None, reason="libfaketime has no library for this system")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_files(tmp_path, PROJECT)
    return tmp_path


def run_at(root: Path, moment: str, prices: str) -> None:
    """A delivery, and a run at a moment."""
    number = len(list((root / "data").glob("*"))) + 1
    deliver(root, {f"prices-{number}.csv": f"item,price\n{prices}"})
    command_at(root, moment, "run")


def command_at(root: Path, moment: str, word: str) -> None:
    """A command in a process (Python, SQLite, DuckDB) whose clock says `moment`."""
    command = [str(Path(sys.executable).with_name("backbone")), "--project", str(root), word]
    clock = {"LD_PRELOAD": str(PRELOADED), "FAKETIME": moment, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}
    done = subprocess.run(command, env=os.environ | clock, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def prices(root: Path, as_of: str | None = None) -> dict[object, object]:
    return dict(backbone.open(root).sql("SELECT item, price FROM trusted.prices", as_of).rows())


def test_a_model_that_was_trained_later_is_the_present_one_whatever_time_it_says(tmp_path):
    root = tmp_path / "shop"
    write_files(root, {name: FILES[name] for name in ("backbone.yml", "sources/orders.yml", "trusted/orders.yml")})
    write_files(root, ANALYSIS)
    deliver(root, {"orders-1.csv": DELIVERIES["orders-1.csv"]})
    command_at(root, "2026-03-02 12:00:00", "run")
    (former,) = (root / "lake" / "dev" / "models" / "dear").iterdir()
    deliver(root, {"orders-4.csv": LATER["orders-4.csv"]})
    command_at(root, "2019-01-01 00:00:00", "run")
    (present,) = set((root / "lake" / "dev" / "models" / "dear").iterdir()) - {former}

    for damaged, expected in ((former, []), (present, ["models"])):
        file = next(path for path in damaged.rglob("*") if path.is_file())
        content = file.read_bytes()
        file.write_bytes(b"damaged")
        assert [check.name for check in backbone.open(root).doctor() if not check.ok] == expected
        file.write_bytes(content)


def test_a_clock_that_is_set_back_changes_no_order(shop):
    run_at(shop, "2026-03-02 12:00:00", "tea,1\nrum,10\n")
    run_at(shop, "2019-01-01 00:00:00", "tea,2\ngin,-1\n")
    run_at(shop, "2031-01-01 00:00:00", "tea,3\n")
    run_at(shop, "2026-03-02 12:00:00", "tea,4\nale,-1\n")

    workspace = backbone.open(shop)
    assert prices(shop) == {"tea": 4, "rum": 10}
    history = workspace.history()
    assert [entry.snapshot for entry in history] == sorted((e.snapshot for e in history), reverse=True)
    assert workspace.status().last_run.run == history[0].run
    files = workspace.environment.landing.registry.files()
    assert [file.name for file in files] == [f"prices-{n}.csv" for n in (1, 2, 3, 4)]
    assert [file.arrived_at for file in files] == sorted(file.arrived_at for file in files)
    assert {group.run for group in workspace.quarantine("trusted.prices").groups} == {history[0].run}
    ledger = workspace.describe("trusted.prices").ledger
    assert (ledger.rows_in, ledger.rows_out, ledger.quarantined, ledger.merged_away) == (7, 2, 2, 3)
    assert workspace.run().status == "nothing"
    assert unsound(workspace.doctor()) == []
    assert leftovers(shop) == []


def test_a_time_that_means_two_snapshots_is_refused_and_a_number_is_not(shop):
    run_at(shop, "2026-03-02 12:00:00", "tea,1\n")
    run_at(shop, "2026-03-09 12:00:00", "tea,2\n")
    run_at(shop, "2026-03-05 12:00:00", "tea,3\n")
    third, second, _ = (entry.snapshot for entry in backbone.open(shop).history())

    assert prices(shop, "2026-03-04T00:00") == {"tea": 1}
    assert prices(shop, "2026-03-10") == {"tea": 3}
    with pytest.raises(UsageError, match=f"clock was set back between snapshots {second} and {third}"):
        prices(shop, "2026-03-06")
    assert prices(shop, str(second)) == {"tea": 2}


def test_a_clock_that_stands_still_stops_nothing(shop):
    (shop / "data").mkdir()
    for number in range(1, 4):
        deliver(shop, {f"prices-{number}.csv": f"item,price\ntea,{number}\n"})

    run_at(shop, "2026-03-02 12:00:00", "tea,4\n")  # all that is asked within a run gets this one answer
    run_at(shop, "2026-03-02 12:00:00", "tea,5\n")

    files = backbone.open(shop).environment.landing.registry.files()
    assert len({file.path.parent for file in files}) == len({file.arrived_at for file in files}) == 5
    assert files[0].arrived_at == datetime.fromisoformat("2026-03-02T12:00:00+00:00")
    assert prices(shop) == {"tea": 5}


def test_a_clock_that_is_wrong_by_a_year_lets_no_snapshot_go(shop):
    (shop / "backbone.yml").write_text("name: clocks\nretention: {snapshots: 30 days, at_least: 2, files: 0 seconds}\n")
    for day in (1, 3, 5):
        run_at(shop, f"2026-03-0{day} 12:00:00", f"tea,{day}\n")
    before = set(snapshots(Site(shop / "lake" / "dev")))

    command_at(shop, "2027-03-05 12:00:00", "maintain")
    run_at(shop, "2027-03-05 12:00:00", "rum,1\n")
    command_at(shop, "2026-03-06 12:00:00", "maintain")

    assert before <= set(snapshots(Site(shop / "lake" / "dev")))
    run_at(shop, "2026-04-30 12:00:00", "rum,2\n")
    command_at(shop, "2026-06-30 12:00:00", "maintain")
    assert (before & set(snapshots(Site(shop / "lake" / "dev")))) == {0}
    assert prices(shop) == {"tea": 5, "rum": 2}
    assert unsound(backbone.open(shop).doctor()) == []
