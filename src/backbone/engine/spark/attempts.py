"""What Spark's workers do: one try at a piece of work, on DuckDB in the worker's own Python.

A try may be lost, doubled or late, and nobody tells it. So it writes to a folder that no other try has, and the driver
takes what the successful ones say they wrote. It imports nothing of Spark's, and Spark sends it by its name: Backbone
must be installed in the workers' Python.
"""

import os
import pickle
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from backbone import __version__
from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.protocol import Session
from backbone.errors import BackboneError, EngineError
from backbone.model.memory import LEAST_BYTES

if TYPE_CHECKING:
    import pyarrow as pa

OPEN = "open"
"""A file in the work's folder for as long as the driver waits for it."""
RESULT = "number long, result binary"


@dataclass(frozen=True, slots=True)
class Job:
    """Work on things, as it is sent to workers. `side_by_side` tries share a machine's `memory_bytes` (None: unknown).

    Each item is pickled by itself: a try unpickles its own alone.
    """

    work: Callable[[Session, Any, Path], Any]
    items: tuple[bytes, ...]
    folder: Path
    memory_bytes: int
    side_by_side: int | None = None
    version: str = __version__


def try_each(job: Job, numbers: "Iterable[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    """Try the items with these numbers: for each, whether it succeeded and its result or error, pickled."""
    import pyarrow as pa

    for batch in numbers:
        for number in batch.column(0).to_pylist():
            told = pickle.dumps(_tried(job, number))
            yield pa.RecordBatch.from_arrays(
                [pa.array([number], pa.int64()), pa.array([told], pa.binary())], names=["number", "result"]
            )


def _tried(job: Job, number: int) -> tuple[bool, object]:
    """An error that we can explain is an answer. Any other is Spark's, which tries again, elsewhere if it can."""
    if refused := _refusal(job):
        return False, EngineError(refused)
    folder, succeeded = job.folder / uuid4().hex, False
    try:
        told = True, _worked(job, pickle.loads(job.items[number]), folder)  # noqa: S301 - the driver pickled it
        succeeded = _is_wanted(job)
    except BackboneError as error:
        told = False, error
    finally:
        if not succeeded:
            _clear(job, folder)
    return told


def _refusal(job: Job) -> str:
    """Why nothing can be tried on this machine."""
    here = socket.gethostname()
    if job.version != __version__:
        return f"Spark's workers on {here} have Backbone {__version__}, and it is {job.version} that runs: install that"
    if not _is_wanted(job):
        return (
            f"Spark's workers on {here} don't see {job.folder}: all machines must reach the project's storage "
            "under the same path"
        )
    return ""


def _worked(job: Job, item: object, folder: Path) -> object:
    folder.mkdir()
    engine = DuckDBEngine(memory_limit=f"{_share(job)}B", scratch=folder / "spill")
    try:
        engine.connection.execute(f"SET threads = {int(os.environ.get('OMP_NUM_THREADS', '1'))}")  # a task's cores
        with engine.session() as session:
            return job.work(session, item, folder)
    finally:
        engine.close()


def _is_wanted(job: Job) -> bool:
    """Whether the driver still waits for the work, as far as this machine sees."""
    return (job.folder / OPEN).exists()


def _clear(job: Job, folder: Path) -> None:
    """Leave nothing of a try, nor the folder that it made again after the driver had removed it."""
    shutil.rmtree(folder, ignore_errors=True)
    if not _is_wanted(job):
        with suppress(OSError):
            job.folder.rmdir()


def _share(job: Job) -> int:
    """The memory that one try may use."""
    return max(job.memory_bytes // (job.side_by_side or os.cpu_count() or 1), LEAST_BYTES)
