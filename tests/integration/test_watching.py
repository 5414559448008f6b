"""`backbone run --watch` as a real process: it notices, runs, survives mistakes, rests, and ends on Ctrl-C."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
import pytest


class Watcher:
    """The command at work in a project, with what it says as it says it."""

    def __init__(self, root: Path, *options: str) -> None:
        command = [str(Path(sys.executable).with_name("backbone")), "run", "--watch", *options]
        self.process = subprocess.Popen(
            command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self._said: queue.Queue[str] = queue.Queue()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self._said.put(line.rstrip())

    def until(self, words: str, seconds: float = 90) -> list[str]:
        """All lines up to the first one with these words."""
        lines: list[str] = []
        ends = time.monotonic() + seconds
        while not lines or words not in lines[-1]:
            try:
                lines.append(self._said.get(timeout=ends - time.monotonic()))
            except (queue.Empty, ValueError):
                pytest.fail(f"it never said {words!r}, but: {lines}")
        return lines

    def silent(self, seconds: float) -> bool:
        """Whether nothing is said for so long."""
        time.sleep(seconds)
        return self._said.empty()

    def interrupt(self) -> int:
        os.kill(self.process.pid, signal.SIGINT)
        return self.process.wait(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join()
        self.process.stdout.close()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for folder in ("sources", "exploitation", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    (tmp_path / "data/sales-1.csv").write_text("id,amount\n1,2\n2,3\n")
    (tmp_path / "sources/sales.yml").write_text("from: data/sales-*.csv\ncolumns: {id: integer, amount: integer}\n")
    (tmp_path / "exploitation/total.sql").write_text("SELECT sum(amount) AS amount FROM trusted.sales\n")
    return tmp_path


@pytest.fixture
def watcher(shop: Path) -> Iterator[Watcher]:
    with Watcher(shop) as one:
        yield one


def test_it_runs_what_changed_survives_mistakes_rests_and_ends(shop: Path, watcher: Watcher) -> None:
    first = watcher.until("published snapshot 2")
    assert "1 file landed, 3 datasets made" in first[-1]

    (shop / "data/sales-2.csv").write_text("id,amount\n3,4\n")
    assert "1 file landed, 3 datasets made" in watcher.until("published snapshot 3")[-1]

    (shop / "lake/landing/temporal/sales/more.csv").write_text("id,amount\n4,4\n")
    assert "1 file landed, 3 datasets made" in watcher.until("published snapshot 4")[-1]

    (shop / "exploitation/total.sql").write_text("SELECT sum(amuont) AS amount FROM trusted.sales\n")
    assert "nothing was run" in watcher.until("Did you mean 'amount'?")[0]
    (shop / "backbone.yml").write_text("name: [\n")
    watcher.until("backbone.yml")
    (shop / "backbone.yml").write_text("name: shop\n")
    (shop / "exploitation/total.sql").write_text("SELECT max(amount) AS amount FROM trusted.sales\n")
    assert "1 dataset made" in watcher.until("published snapshot 5")[-1]

    used = psutil.Process(watcher.process.pid).cpu_times()
    (shop / "exploitation/total.sql").touch()
    assert watcher.silent(4), "a file that was only touched, or landed, is nothing new"
    rested = psutil.Process(watcher.process.pid).cpu_times()
    assert rested.user + rested.system - used.user - used.system < 0.05 * 4 + 0.2

    assert watcher.interrupt() == 130
    assert watcher.until("interrupted")[-1] == "interrupted: no longer watching; no run was under way"


def test_a_failing_dataset_is_told_once_and_tried_again_when_it_is_mended(shop: Path) -> None:
    (shop / "exploitation/total.sql").write_text("SELECT error('no such luck') AS amount FROM trusted.sales\n")
    with Watcher(shop) as watcher:
        said = watcher.until("no such luck")
        watcher.until("mend it, then: backbone run")  # the last word about a failure
        quiet = watcher.silent(3)
        (shop / "exploitation/total.sql").write_text("SELECT 1 AS amount\n")
        mended = watcher.until("published snapshot")[-1]
        code = watcher.interrupt()

    assert "2 datasets made, 1 failed" in said[0]

    assert (quiet, code) == (True, 130)
    assert "1 dataset made" in mended


def test_there_must_be_a_project(tmp_path: Path) -> None:
    with Watcher(tmp_path) as watcher:
        assert "is in no project" in watcher.until("backbone init")[-1]
        assert watcher.process.wait(timeout=30) == 2
