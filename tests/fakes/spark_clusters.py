"""Real Spark clusters on loopback, from the pip package: a standalone master with two workers, and a Connect server.

Each is a process group of its own, stopped by its id. Ports are those that the system gives.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NO_JAVA = "Spark needs Java: apt-get install openjdk-17-jre-headless"
_LOOPBACK = "127.0.0.1"
_START_SECONDS = 120
_STOP_SECONDS = 20
_TAIL = 3000
_LITTLE = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.python.worker.faulthandler.enabled": "true",
}


def java_is_here() -> bool:
    """Whether there is a Java to run Spark's servers with."""
    return bool(shutil.which("java") or os.environ.get("JAVA_HOME"))


@dataclass(frozen=True, slots=True)
class Server:
    """A process group that runs: `process` is its first process, `log` what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, pattern: str) -> str:
        """What the log says, once it says it: the pattern's first group.

        Raises:
            RuntimeError: it ended, or took too long; the log's end is told.
        """
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            said = self.log.read_text(errors="replace")
            if found := re.search(pattern, said):
                return found.group(1)
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with {self.process.returncode}: …{said[-_TAIL:]}")
            time.sleep(0.1)
        raise RuntimeError(f"not ready after {_START_SECONDS} s: …{self.log.read_text(errors='replace')[-_TAIL:]}")

    def kill(self) -> None:
        """Let the machine be lost on which it is: the server and the executors that it started end at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_STOP_SECONDS)

    def stop(self) -> None:
        """End it, and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_STOP_SECONDS)
        self.kill()


@dataclass(frozen=True, slots=True)
class Standalone:
    """A standalone cluster: its `spark://` address, and its servers."""

    url: str
    master: Server
    workers: tuple[Server, ...]


@contextmanager
def standalone_cluster(folder: Path, *, workers: int = 2) -> Iterator[Standalone]:
    """A master with workers of one core each."""
    with ExitStack() as stack:
        master = stack.enter_context(_class("master", "deploy.master.Master", _places(), folder))
        url = master.wait_for(r"Starting Spark master at (spark://\S+)")
        master.wait_for(r"(I have been elected leader)")
        started = [
            stack.enter_context(
                _class(
                    f"worker{number}",
                    "deploy.worker.Worker",
                    ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"work{number}"), *_places(), url),
                    folder,
                )
            )
            for number in range(workers)
        ]
        for worker in started:
            worker.wait_for(r"(Successfully registered with master)")
        yield Standalone(url, master, tuple(started))


@contextmanager
def connect_server(
    folder: Path, *, master: str = "local[2]", settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A Spark Connect server; yields its `sc://` address."""
    said = {**_LITTLE, "spark.connect.grpc.binding.address": _LOOPBACK, "spark.connect.grpc.binding.port": "0"}
    said |= {"spark.sql.warehouse.dir": str(folder / "warehouse"), **(settings or {})}
    options = [part for name, value in said.items() for part in ("--conf", f"{name}={value}")]
    name = "org.apache.spark.sql.connect.service.SparkConnectServer"
    command = ["spark-submit", "--class", name, "--master", master, *options]
    with _server("connect", command, folder, memory="600m") as server:
        port = server.wait_for(r"Spark Connect server started at: \S*?:(\d+)\s")
        yield f"sc://{_LOOPBACK}:{port}"


def _places() -> tuple[str, ...]:
    return ("--host", _LOOPBACK, "--port", "0", "--webui-port", "0")


def _class(name: str, main: str, arguments: Sequence[str], folder: Path) -> AbstractContextManager[Server]:
    return _server(name, ["spark-class", f"org.apache.spark.{main}", *arguments], folder)


@contextmanager
def _server(name: str, command: Sequence[str], folder: Path, memory: str = "256m") -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise RuntimeError("pyspark is not installed: make setup")
    home = Path(spec.origin).parent
    surroundings = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": _LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": memory,
        "PYSPARK_PYTHON": sys.executable,
    }
    log = folder / f"{name}.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(home / "bin" / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=surroundings,
            cwd=folder,
            start_new_session=True,
        )
    server = Server(process, log)
    try:
        yield server
    finally:
        server.stop()


def engine_on(url: str) -> str:
    """`engine:` as backbone.yml says it, for a Spark by its address: one that needs little."""
    conf = {"spark.sql.shuffle.partitions": "2"}
    if url.startswith("spark://"):
        places = dict.fromkeys(("spark.driver.host", "spark.driver.bindAddress"), _LOOPBACK)
        conf |= {**places, "spark.executor.memory": "600m"}
    return f"{{spark: '{url}', conf: {{{', '.join(f'{key}: {value}' for key, value in conf.items())}}}}}"
