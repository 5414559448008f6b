"""Wiring: which engine a run has, and the lake attached to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.lake.catalogue import present_snapshot
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.model.memory import DEFAULT_LIMIT
from backbone.model.project import Project
from backbone.runs.environment import Environment
from backbone.runs.journal import SCRATCH, SPILL, spilling
from backbone.runs.run import Backend

if TYPE_CHECKING:
    from backbone.engine.protocol import Engine
    from backbone.engine.spark.engine import SparkEngine


@contextmanager
def open_backend(project: Project, environment: Environment) -> Iterator[Backend]:
    """An engine with the environment's lake attached to it, for one run."""
    if project.engine.is_spark:
        # Before anything is begun: else every step would fail for the same reason.
        from backbone.engine.spark.starting import Cluster, check_installed

        check_installed(Cluster(project.engine.master))
    site = environment.site
    site.folder.mkdir(parents=True, exist_ok=True)
    with spilling(site) as spill:
        if project.engine.is_spark:
            spill.mkdir(parents=True, exist_ok=True)
        engine = _engine(project, environment, spill)
        try:
            engine.expect(0)
            yield Backend(engine, Lake(engine.connection, site))
        finally:
            engine.close()


def _engine(project: Project, environment: Environment, spill: Path | None = None) -> "DuckDBEngine | SparkEngine":
    if not project.engine.is_spark:
        return DuckDBEngine(memory_limit=project.memory_limit, scratch=spill)
    # Imported here: a project on DuckDB needs nothing of it.
    from backbone.engine.spark.engine import SparkEngine

    return SparkEngine(
        project.engine.master,
        conf=dict(project.engine.conf),
        memory_limit=project.memory_limit,
        scratch=(spill or environment.folder / SCRATCH) / "spark",
        log=environment.folder / "spark.log",
        catalogue=environment.site.books.schema,
    )


@contextmanager
def open_checking(project: Project, environment: Environment, reading: "Engine | None" = None) -> "Iterator[Engine]":
    """The engine that a project is checked against, without a lake: `reading` will do where it is DuckDB."""
    if reading is not None and not project.engine.is_spark:
        yield reading
        return
    engine = _engine(project, environment)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def open_reading(environment: Environment, choose: Callable[[], int] | None = None) -> Iterator[Backend]:
    """An engine with the environment's lake attached read-only: for questions, without a lock.

    Args:
        environment: whose lake.
        choose: returns the snapshot to read, which is held from then on; the last one where it isn't given.

    Raises:
        LakeError: there is no lake.
    """
    with open_site(environment.site, environment.memory_limit, choose) as backend:
        yield backend


@contextmanager
def open_site(site: Site, memory_limit: str, choose: Callable[[], int] | None = None) -> Iterator[Backend]:
    """The same for a lake wherever it is.

    Raises:
        LakeError: there is no lake.
    """
    lease = site.books.take_lease(choose or (lambda: present_snapshot(site)))
    engine = DuckDBEngine(memory_limit=memory_limit)
    try:
        yield Backend(engine, Lake(engine.connection, site, read_only=True, snapshot=lease.snapshot))
    finally:
        engine.close()
        lease.close()


@contextmanager
def open_engine(memory_limit: str = DEFAULT_LIMIT, scratch: Path | None = None) -> Iterator[DuckDBEngine]:
    """An engine without a lake: to look at a file, or to check a project that has not run yet.

    In `scratch`, a folder that is there, it puts aside what is more than the limit.
    """
    engine = DuckDBEngine(memory_limit=memory_limit, scratch=scratch and scratch / SPILL)
    try:
        yield engine
    finally:
        engine.close()
