"""Two runs at once take turns; readers never wait, never fail, and see all of a run or none of it."""

import os
import pty
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from accounts import ACCOUNTS, QUESTION, deliver_both
from faults_read import CONTEXT, start_reader
from faults_shop import LATER, backbone_run, content, deliver, differences, leftovers, make_shop, unsound, write_files
from soak import soak_for
from thoroughness import some

import backbone
from backbone.lake.lock import locked


def start(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [str(Path(sys.executable).with_name("backbone")), *arguments]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_runs_at_once_take_turns(tmp_path):
    root, alone = make_shop(tmp_path / "shop"), make_shop(tmp_path / "alone" / "shop")
    backbone.open(alone).run()

    runs = [start(root, "run"), start(root, "run")]
    outputs = [run.communicate(timeout=120) for run in runs]

    assert [run.returncode for run in runs] == [0, 0], outputs
    assert sum("nothing to do" in out for out, _ in outputs) == 1
    assert differences(content(root), content(alone)) == []
    assert [entry.status for entry in backbone.open(root).history()] == ["published"]
    assert leftovers(root) == []


def test_a_run_that_waits_says_for_whom_on_a_terminal(tmp_path):
    root = make_shop(tmp_path)
    terminal, end = pty.openpty()
    command = [str(Path(sys.executable).with_name("backbone")), "run"]
    with locked(root / "lake" / "dev" / "run.lock"):
        waiting = subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=end)
        os.close(end)
        said = ""
        while f"waiting for another run process {os.getpid()}" not in said:
            said += os.read(terminal, 1000).decode()
        assert waiting.poll() is None
    with suppress(OSError):  # Linux says so where a terminal's other end was closed
        while os.read(terminal, 1000):
            pass
    os.close(terminal)

    assert waiting.wait(timeout=120) == 0


def test_a_waiting_run_tells_notebooks_too(tmp_path):
    root = make_shop(tmp_path)
    first = start(root, "run")
    lock = root / "lake" / "dev" / "run.lock"
    while not (lock.exists() and lock.read_text()):
        time.sleep(0.01)
    events = []

    report = backbone.open(root).run(on_event=events.append)

    first.communicate(timeout=120)
    assert first.returncode == 0
    assert events[0].kind == "waiting"
    assert events[0].text == f"process {first.pid}"
    assert report.status == "nothing"


def test_readers_see_all_of_a_run_or_none_of_it(tmp_path):
    write_files(tmp_path, ACCOUNTS)
    deliver_both(tmp_path, 0)
    backbone.open(tmp_path).run()
    done, answers = CONTEXT.Event(), CONTEXT.Queue()
    readers = [start_reader(tmp_path, QUESTION, done, answers) for _ in range(4)]

    for number in range(1, 4):
        deliver_both(tmp_path, number)
        assert not backbone.open(tmp_path).run().failed
    done.set()
    answered = [answers.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join(timeout=60)

    assert [answer for answer in answered if isinstance(answer, str)] == []
    assert {row[:2] for answer in answered for row in answer} == {(0, 0)}
    assert all([row[2] for row in answer] == sorted(row[2] for row in answer) for answer in answered)
    assert len({row[2] for answer in answered for row in answer}) > 1
    assert unsound(backbone.open(tmp_path).doctor()) == []


def test_adding_a_source_during_a_run_waits_and_loses_nothing(tmp_path):
    root = make_shop(tmp_path)
    backbone.open(root).run()
    deliver(root, LATER)
    deliver(root, {"shops.csv": "shop,city\n1,Girona\n2,Reus\n"}, "")

    running, adding = start(root, "run"), start(root, "add", "shops.csv")
    outputs = [each.communicate(timeout=120) for each in (running, adding)]

    assert [running.returncode, adding.returncode] == [0, 0], outputs
    assert backbone.open(root).run().status in {"nothing", "published"}
    assert backbone.open(root).sql("SELECT city FROM trusted.shops ORDER BY shop").rows() == [("Girona",), ("Reus",)]
    assert backbone.open(root).sql("SELECT count(*) FROM trusted.orders WHERE order_id = 70").rows() == [(1,)]
    assert leftovers(root) == []
    assert unsound(backbone.open(root).doctor()) == []


def test_a_run_that_may_not_wait_is_refused(tmp_path):
    root = make_shop(tmp_path)
    with locked(root / "lake" / "dev" / "run.lock"):
        refused = start(root, "run", "--no-wait")
        _, err = refused.communicate(timeout=120)

    assert refused.returncode == 1
    assert f"Another run is under way, process {os.getpid()}" in err
    assert backbone_run(root, "--no-wait").returncode == 0


@pytest.mark.long
def test_twenty_readers_see_one_snapshot_each_during_runs_and_maintenance(tmp_path):
    """Through Python, as in notebooks, and the command line; two projects' checkouts share the storage."""
    settings = (
        "name: bank\nstorage: {data: ../storage}\nretention: {snapshots: 0 seconds, at_least: 1, files: 0 seconds}\n"
    )
    here, there = tmp_path / "here", tmp_path / "there"
    for root in (here, there):
        write_files(root, {**ACCOUNTS, "backbone.yml": settings})
    deliver_both(here, 0)
    backbone.open(here).run()
    done, answers = CONTEXT.Event(), CONTEXT.Queue()
    readers = [start_reader((here, there)[n % 2], QUESTION, done, answers) for n in range(14)]
    commands = [[start(there, "--format", "csv", "sql", QUESTION) for _ in range(6)]]

    for number in range(1, 5):
        root = (here, there)[number % 2]
        deliver_both(root, number)
        assert not backbone.open(root).run().failed
        backbone.open(here).maintain()
        commands.append([start(here, "--format", "csv", "sql", QUESTION) for _ in range(6)])
    said = [command.communicate(timeout=300) for some in commands for command in some]
    done.set()
    answered = [answers.get(timeout=300) for _ in readers]
    for reader in readers:
        reader.join(timeout=60)

    assert [answer for answer in answered if isinstance(answer, str)] == []
    assert {row[:2] for answer in answered for row in answer} == {(0, 0)}
    assert [err for _, err in said if err] == []
    assert {line.rsplit(",", 1)[0] for out, _ in said for line in out.splitlines()[1:]} == {"0,0"}
    assert unsound(backbone.open(here).doctor()) == []


@pytest.mark.long
def test_all_at_once_ends_consistent(tmp_path):
    soak, wrong = soak_for(tmp_path, minutes=some(0.7, 1.2), seed=7)

    assert wrong == []
    assert soak.done["run"] > 2
    assert soak.done["answers to Python"] > 2


@pytest.mark.long
def test_many_runs_at_once_take_turns(tmp_path):
    root, alone = make_shop(tmp_path / "shop"), make_shop(tmp_path / "alone" / "shop")
    backbone.open(alone).run()

    runs = [start(root, "run") for _ in range(6)]
    outputs = [run.communicate(timeout=300) for run in runs]

    assert [run.returncode for run in runs] == [0] * 6, outputs
    assert differences(content(root), content(alone)) == []
    assert [entry.status for entry in backbone.open(root).history()] == ["published"]
