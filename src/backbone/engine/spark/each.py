"""Work on many things in Spark's tasks, one each. Local mode, a cluster and Spark Connect do it alike."""

import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from backbone.engine.protocol import R, Session, T, one_by_one
from backbone.engine.spark.attempts import OPEN, RESULT, Job, try_each
from backbone.engine.spark.failures import said_by
from backbone.errors import EngineError
from backbone.troubles import trouble

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_SHOWN = 400


class SparkEach:
    """Implements `Each` on Spark: everything is sent at once, and comes back when all of it is done.

    One thing alone is done here, where more than one core can work on it. `reach` starts Spark, or says where it is.
    """

    def __init__(self, reach: "Callable[[], SparkSession]", memory_bytes: int) -> None:
        self._reach = reach
        self._memory_bytes = memory_bytes

    def __call__(
        self,
        session: Session,
        work: Callable[[Session, T, Path], R],
        items: Sequence[T],
        folder: Path,
    ) -> Iterator[R]:
        """See `Each`."""
        if len(items) == 1:
            yield from one_by_one(session, work, items, folder)
            return
        spark = self._reach()
        job = Job(work, tuple(map(pickle.dumps, items)), folder, self._memory_bytes, _side_by_side(spark))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OPEN).touch()
        for told in _done(spark, job):
            succeeded, result = pickle.loads(told)  # noqa: S301 - our own workers pickled it
            if not succeeded:
                raise result
            yield result


def _done(spark: "SparkSession", job: Job) -> list[bytes]:
    """What was told of each item, in their order."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    count, tag = len(job.items), f"backbone-{uuid4().hex}"
    tasks = spark.range(0, count, 1, count).mapInArrow(partial(try_each, job), RESULT)
    spark.addTag(tag)
    try:
        rows = tasks.collect()
    except (PySparkException, Py4JError) as error:
        raise EngineError(_reason(error, job.folder)) from error
    except BaseException:
        spark.interruptTag(tag)
        raise
    finally:
        spark.removeTag(tag)
    return [bytes(row.result) for row in sorted(rows, key=lambda row: int(row.number))]


def _side_by_side(spark: "SparkSession") -> int | None:
    """How many tasks a machine does at a time, as far as Spark's settings tell."""
    local = re.fullmatch(r"local\[(\d+).*\]", _setting(spark, "spark.master"))
    cores = local.group(1) if local else _setting(spark, "spark.executor.cores")
    return max(int(cores) // int(_setting(spark, "spark.task.cpus") or 1), 1) if cores else None


def _setting(spark: "SparkSession", name: str) -> str:
    return str(spark.conf.get(name, "") or "")


def _reason(error: Exception, folder: Path) -> str:
    """Why Spark gave work up, in a line: the last of the worker's own traceback, if it was that."""
    said = str(error)
    if re.search(r"No module named 'backbone['.]", said):
        return "Spark's workers have no Backbone in their Python (PYSPARK_PYTHON): install it there"
    if told := trouble(RuntimeError(said), folder):
        return told
    raised = re.search(r"^\s*([\w.]+(?:Error|Exception|Interrupt)\b.*)", said, re.MULTILINE)
    return f"Spark gave up: {raised[1][:_SHOWN]}" if raised else said_by(said)
