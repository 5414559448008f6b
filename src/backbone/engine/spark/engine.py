"""The Spark engine: Spark does the work, and DuckDB in this process binds every query and holds the lake."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.engine.duckdb.engine import FEW_ROWS, DuckDBEngine
from backbone.engine.protocol import Each
from backbone.engine.spark.each import SparkEach
from backbone.engine.spark.failures import explained
from backbone.engine.spark.planner import planning_engine
from backbone.engine.spark.session import SparkStep
from backbone.engine.spark.starting import LOCAL, Cluster, start, stop
from backbone.errors import EngineError
from backbone.model.memory import DEFAULT_LIMIT, LEAST_BYTES, memory_bytes

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

    from backbone.engine.duckdb.session import DuckDBSession


class SparkEngine:
    """Runs steps on Spark, which is started when a step first needs it: planning and checking don't.

    `catalogue` is the schema of the lake's catalogue in its database, `scratch` a folder that the engine removes at its
    end.
    """

    translates = True

    def __init__(
        self,
        master: str = LOCAL,
        *,
        conf: Mapping[str, str] | None = None,
        memory_limit: str = DEFAULT_LIMIT,
        scratch: Path | None = None,
        log: Path | None = None,
        catalogue: str = "main",
    ) -> None:
        self.cluster = Cluster(master, conf or {}, memory_limit)
        self.driver = DuckDBEngine(memory_limit=memory_limit, scratch=scratch)
        self._own = scratch
        self.scratch = scratch or Path.cwd()
        self.catalogue = catalogue
        self.log = log or self.scratch / "spark.log"
        self._planner: DuckDBEngine | None = None
        self._session: SparkSession | None = None
        self._started = False
        self._failure: EngineError | None = None
        self._partitions = ""
        self._numbers = count(1)
        self._few = False

    @property
    def connection(self) -> "duckdb.DuckDBPyConnection":
        """DuckDB in this process, which the lake attaches itself to."""
        return self.driver.connection

    @property
    def spark(self) -> "SparkSession":
        """Spark itself, started now if it isn't yet."""
        if self._failure is not None:
            raise self._failure
        if self._session is None:
            try:
                self._session, self._started = start(self.cluster, self.log)
            except EngineError as error:
                self._failure = error  # the other steps needn't wait for it once more
                raise
            self._partitions = str(self._session.conf.get("spark.sql.shuffle.partitions"))
            self._size()
        return self._session

    def expect(self, rows: int | None) -> None:
        """See `Engine`."""
        self.driver.expect(rows)
        self._few = rows is not None and rows <= FEW_ROWS
        self._size()

    def _size(self) -> None:
        """Shuffle few rows into one partition: each costs a task."""
        if self._session is not None:
            with suppress(EngineError), explained():  # where Spark has died, the step says so
                self._session.conf.set("spark.sql.shuffle.partitions", "1" if self._few else self._partitions)

    @contextmanager
    def session(self) -> Iterator[SparkStep]:
        """A session in which nothing is shown yet."""
        if self._planner is None:
            self._planner = planning_engine(self.cluster.memory_limit)
        here = self.driver.session
        with self._planner.session() as planner, here() as driver, here() as asked, here() as reader:
            step = SparkStep(
                lambda: self.spark,
                planner,
                driver=driver,
                here=asked,
                reader=reader,
                scratch=(self.scratch / f"step_{next(self._numbers)}").absolute(),
                catalogue=self.catalogue,
                remote=self.cluster.is_remote,
            )
            try:
                yield step
            finally:
                step.close()

    def local(self) -> "AbstractContextManager[DuckDBSession]":
        """See `Engine`: DuckDB's, in this process."""
        return self.driver.session()

    @property
    def each(self) -> Each:
        """See `Engine`: in Spark's tasks, which have `memory_limit` on each machine."""
        return SparkEach(lambda: self.spark, memory_bytes(self.cluster.memory_limit) or LEAST_BYTES)

    def close(self) -> None:
        """Stop Spark, if it was started here, and release what DuckDB holds."""
        with ExitStack() as ending:
            if self._own:
                ending.callback(shutil.rmtree, self._own, ignore_errors=True)
            ending.callback(self.driver.close)
            if self._planner is not None:
                ending.callback(self._planner.close)
            if self._session is not None and self._started:
                ending.callback(stop, self._session)
            self._session = None
