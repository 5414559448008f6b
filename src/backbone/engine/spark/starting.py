"""How Spark is started or reached: on this machine, on a cluster (`spark://`), or over Spark Connect (`sc://`)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import EngineError, MissingExtraError, UsageError
from backbone.model.memory import DEFAULT_LIMIT, memory_bytes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LOCAL = "local[*]"
"""The master where none is named: Spark in a Java process of its own, on this machine, with all its cores."""
_AS_ENGINES_AGREE: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.writeLegacyFormat": "false",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.mapKeyDedupPolicy": "EXCEPTION",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.crossJoin.enabled": "true",
    # Java compiles no method of more than 8,000 bytes: long chains of rules run twice as fast without making one.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
"""What a session is set to, whoever made it: an error is an error, a moment is one in UTC, a decimal loses nothing."""
_QUIET: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_SECONDS = 20.0
"""How long a Java process may take to end."""
_ON_THIS_MACHINE: Mapping[str, str] = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
_JAVA = (
    "Spark needs Java 17 or later, and there is none. Install it (Debian: apt install openjdk-17-jre-headless) or set "
    "JAVA_HOME; or use a server over Spark Connect, which needs none here: engine: {spark: sc://HOST}"
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Spark runs, and its settings beside our own. `memory_limit` is the driver's where we start it."""

    master: str = LOCAL
    conf: Mapping[str, str] = field(default_factory=dict)
    memory_limit: str = DEFAULT_LIMIT

    @property
    def is_remote(self) -> bool:
        """Whether it is reached over Spark Connect."""
        return self.master.startswith("sc://")


def check_installed(cluster: Cluster) -> None:
    """Check what can be checked without starting anything.

    Raises:
        MissingExtraError: pyspark isn't installed.
        UsageError: there is no Java, and Spark isn't reached over Connect.
    """
    if find_spec("pyspark") is None:
        raise MissingExtraError("The engine Spark", "spark")
    if not cluster.is_remote and not has_java():
        raise UsageError(_JAVA)


def start(cluster: Cluster, log: Path) -> "tuple[SparkSession, bool]":
    """A Spark session of our own, and whether Spark was started for it: else who did so still needs it.

    What Java says goes to the file `log`.

    Raises:
        MissingExtraError: pyspark isn't installed.
        UsageError: there is no Java.
        EngineError: Spark doesn't start, or can't be reached.
    """
    check_installed(cluster)
    try:
        session, started = _connected(cluster) if cluster.is_remote else _started(cluster, log)
        for key, value in _AS_ENGINES_AGREE.items():
            session.conf.set(key, value)
    except Exception as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineError(
            f"Spark at {cluster.master} can't be reached or started: {said[0]}. What Java said: {log}"
        ) from error
    return session, started


def has_java() -> bool:
    """Whether Java can be started here."""
    home = os.environ.get("JAVA_HOME")
    return bool(home and (Path(home) / "bin" / "java").exists()) or shutil.which("java") is not None


def _connected(cluster: Cluster) -> "tuple[SparkSession, bool]":
    from pyspark.sql.connect.session import SparkSession as RemoteSession

    builder = RemoteSession.builder.remote(cluster.master)
    for key, value in cluster.conf.items():
        builder = builder.config(key, value)
    session: SparkSession = builder.create()  # type: ignore[assignment]  # the same methods, another class
    return session, True


def _started(cluster: Cluster, log: Path) -> "tuple[SparkSession, bool]":
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is not None:  # noqa: SLF001 - asked without starting one
        return SparkSession.builder.getOrCreate().newSession(), False
    _end_java()  # of a Spark that was stopped: it has the memory and the log of then
    # Workers must find the interpreter that runs here, and Spark the loopback address of this machine.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    is_local = cluster.master.startswith("local")
    if is_local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    log.parent.mkdir(parents=True, exist_ok=True)
    conf = SparkConf().setMaster(cluster.master).setAppName("backbone")
    megabytes = max((memory_bytes(cluster.memory_limit) or 0) >> 20, 1)
    ours = {
        **_QUIET,
        **(_ON_THIS_MACHINE if is_local else {}),
        "spark.driver.memory": f"{megabytes}m",
    }
    for key, value in {**ours, **cluster.conf}.items():
        conf.set(key, value)
    with log.open("ab") as said:
        gateway = launch_gateway(conf, {"stdout": said, "stderr": said})  # type: ignore[no-untyped-call]  # as pyspark has it
    try:
        return SparkSession(SparkContext(conf=conf, gateway=gateway)), True
    except BaseException:
        _end_java()
        raise


def stop(session: "SparkSession") -> None:
    """End a session that started Spark, and the Java process that it ran in, whose memory is given back."""
    session.stop()
    _end_java()


def _end_java() -> None:
    """End the Java process that pyspark keeps for the next Spark of this process, if it has one of its own."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway  # noqa: SLF001 - there is no other way to it
    process = getattr(gateway, "proc", None)
    if gateway is None or process is None:
        return
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
    gateway.shutdown()
    process.stdin.close()  # Java ends when nobody holds the other end
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
