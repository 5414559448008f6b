"""What dies while a run is on Spark: nothing is half published, nothing is left, and the datasets are as ever."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from faults_shop import Content, backbone_run, content, differences, leftovers, write_files
from spark_clusters import Standalone, engine_on, standalone_cluster
from spark_shop import make_spark_shop

import backbone

pytestmark = [pytest.mark.spark, pytest.mark.cluster, pytest.mark.timeout(3600)]

DATASETS = ("formatted.orders", "trusted.orders", "exploitation.dear_orders")
OTHERS = ("sources/visits.yml", "trusted/visits.yml", "exploitation/customers.sql", "exploitation/customer_days.sql")
SECONDS = 1200


@dataclass(frozen=True, slots=True)
class Running:
    """A run in a process of its own, and its project."""

    process: "subprocess.Popen[bytes]"
    root: Path

    def wait_until(self, there: Callable[[Path], bool]) -> None:
        """Wait until something is there in the lake."""
        until = time.monotonic() + SECONDS
        while not there(self.root / "lake" / "dev"):
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < until, self.told()
            time.sleep(0.02)

    def told(self) -> str:
        """What it printed."""
        return (self.root / "run.log").read_text()

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.process.pid, signal.SIGKILL)
        assert self.process.wait(SECONDS) == -signal.SIGKILL


def tries(lake: Path) -> bool:
    """Whether a task has begun to read a landed file."""
    return any(lake.glob("scratch/*/orders/rows/*/*/*"))


def trusted(lake: Path) -> bool:
    """Whether the trusted dataset is staged, and nothing published."""
    return any(lake.glob("tables/trusted/orders/*.parquet"))


def shop(root: Path, engine: str) -> Path:
    make_spark_shop(root, engine)
    for name in OTHERS:
        (root / name).unlink()
    write_files(root, {"trusted/orders.yml": "rules: [{in_range: amount, from: 0, to: 9000, else: quarantine}]\n"})
    return root


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Content:
    root = shop(tmp_path_factory.mktemp("duckdb") / "shop", "duckdb")
    assert backbone_run(root).returncode == 0
    return content(root, DATASETS)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    """Starts a run on a Spark by its address."""
    started = []

    def begin(url: str) -> Running:
        root = shop(tmp_path / "shop", engine_on(url))
        command = [str(Path(sys.executable).with_name("backbone")), "--project", str(root), "run"]
        with (root / "run.log").open("wb") as log:
            started.append(Running(subprocess.Popen(command, stdout=log, stderr=log), root))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()
        one.process.wait()


def expect_undisturbed(root: Path, undisturbed: Content) -> None:
    assert differences(content(root, DATASETS), undisturbed) == []
    until = time.monotonic() + 60  # tries of a dead driver, which nobody could tell
    while leftovers(root) and time.monotonic() < until:
        time.sleep(0.5)
    assert leftovers(root) == []
    assert [check.name for check in backbone.open(root).doctor() if not check.ok] == []


def expect_finished_by_the_next(run: Running, undisturbed: Content) -> None:
    """The next run records the killed one, and does its work."""
    assert [entry.status for entry in backbone.open(run.root).history()] == ["killed"]

    ended = backbone_run(run.root, seconds=SECONDS)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    expect_undisturbed(run.root, undisturbed)
    assert [entry.status for entry in backbone.open(run.root).history()] == ["published", "killed"]


def test_a_machine_is_lost_while_its_tasks_read(start, tmp_path: Path, undisturbed: Content) -> None:
    with standalone_cluster(tmp_path / "lost") as cluster:
        run = start(cluster.url)
        run.wait_until(tries)

        cluster.workers[0].kill()

        assert run.process.wait(SECONDS) == 0, run.told()
    expect_undisturbed(run.root, undisturbed)


def test_the_workers_python_is_killed_while_it_reads(start, cluster: Standalone, undisturbed: Content) -> None:
    run = start(cluster.url)
    run.wait_until(tries)

    assert _kill_python(cluster)

    assert run.process.wait(SECONDS) == 0, run.told()
    expect_undisturbed(run.root, undisturbed)


def _kill_python(cluster: Standalone) -> int:
    """Kill every Python that the cluster's executors run; how many."""
    killed = 0
    for worker in cluster.workers:
        for process in psutil.Process(worker.process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has ended
                if "pyspark.daemon" in process.cmdline():
                    process.kill()
                    killed += 1
    return killed


@pytest.mark.parametrize("moment", [tries, trusted])
def test_the_run_is_killed_on_a_cluster(start, cluster: Standalone, undisturbed: Content, moment) -> None:
    run = start(cluster.url)
    run.wait_until(moment)

    run.kill()

    expect_finished_by_the_next(run, undisturbed)


def test_the_run_is_killed_and_a_connect_server_works_on(start, connect: str, undisturbed: Content) -> None:
    run = start(connect)
    run.wait_until(tries)

    run.kill()

    expect_finished_by_the_next(run, undisturbed)


@pytest.mark.usefixtures("java")
def test_the_run_is_killed_on_this_machine(start, undisturbed: Content) -> None:
    run = start("local[2]")
    run.wait_until(tries)

    run.kill()

    expect_finished_by_the_next(run, undisturbed)
