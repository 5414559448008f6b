"""Runs in processes of their own that die by their own hand at a chosen call.

Processes are forked from a server that has imported Backbone and done nothing else, so that a moment costs no start.
"""

import contextlib
import io
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["backbone.cli.app", "backbone.cli.commands.running", "backbone.workspace.planning"])

POINTS = {
    "connection opened": "sqlite3:connect",
    "file renamed": "pathlib:Path.replace",
    "file removed": "pathlib:Path.unlink",
    "landed file registered": "backbone.connectors.registry:Registry.register",
    "lake initialised": "backbone.lake.attaching:_initialise",
    "journal opened": "backbone.lake.books.folder:open_entry",
    "rows written": "backbone.engine.duckdb.session:DuckDBSession.write",
    "step staged": "backbone.runs.stage_plan:stage_step",
    "step audited": "backbone.runs.stage:audit",
    "table ensured": "backbone.lake.transactions:Transaction.ensure",
    "rows inserted": "backbone.lake.transactions:Transaction.insert",
    "file inserted": "backbone.lake.transactions:Transaction.insert_file",
    "dataset replaced": "backbone.lake.transactions:Transaction.replace",
    "dataset changed": "backbone.lake.transactions:Transaction.change",
    "published": "backbone.runs.run:publish",
    "scratch removed": "backbone.runs.journal:remove_staged",
    "journal closed": "backbone.lake.books.folder:close_entry",
    "journal cleared": "backbone.lake.books.folder:FolderBooks.forget",
    "shared journal opened": "backbone.lake.books.postgres:PostgresBooks.entering",
    "shared journal cleared": "backbone.lake.books.postgres:PostgresBooks.forget",
    "state written": "backbone.runs.run:write_state",
    "dead runs found": "backbone.lake.books.folder:FolderBooks.entries",
    "swept": "backbone.runs.journal:sweep",
    "files merged": "backbone.lake.transactions:Transaction.merge",
    "table rewritten": "backbone.lake.transactions:Transaction.rewrite",
    "snapshots expired": "backbone.lake.transactions:Transaction.expire",
    "files forgotten": "backbone.lake.transactions:Transaction.forget_scheduled",
    "rows flushed": "backbone.lake.transactions:Transaction.flush",
    "table copied": "backbone.lake.store:Lake.copy_former",
    "dataset copied": "backbone.runs.rollback:copy_dataset",
    "transaction": "backbone.lake.store:Lake.transaction",
}
"""Calls at which a run can be made to die, just before or just after one of them."""


@dataclass(frozen=True, slots=True)
class Point:
    """The `nth` call of one of `POINTS` (from 1), `before` it or after it."""

    name: str
    nth: int = 1
    before: bool = False

    def __str__(self) -> str:
        return f"{'before' if self.before else 'after'} {self.name} {self.nth}"


def start_run(root: Path, point: Point | None = None, command: Sequence[str] = ("run",)) -> Any:
    """Start `backbone run`, or another command, in a process of its own."""
    process = _CONTEXT.Process(target=_run, args=(root, point, command))
    process.start()
    return process


def run_to_the_end(root: Path) -> int:
    """Run, and return the exit code."""
    process = start_run(root)
    process.join(timeout=120)
    return int(process.exitcode)


def kill_at(root: Path, point: Point, command: Sequence[str] = ("run",)) -> bool:
    """Let a run, or another command, kill itself at a point; whether it came there."""
    process = start_run(root, point, command)
    process.join(timeout=120)
    return bool(process.exitcode == -signal.SIGKILL)


def _run(root: Path, point: Point | None, command: Sequence[str]) -> None:
    from backbone.cli import main

    if point:
        _arm(point)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        main(["--project", str(root), *command])


def _arm(point: Point) -> None:
    module_name, _, path = POINTS[point.name].partition(":")
    owner: Any = import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    setattr(owner, name, _deadly(getattr(owner, name), point))


def _deadly(call: Callable[..., Any], point: Point) -> Callable[..., Any]:
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == point.nth and point.before:
            die()
        result = call(*arguments, **named)
        if calls == point.nth:
            die()
        return result

    return wrapped


def die() -> None:
    """Die at once, as by kill -9."""
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
