"""The events of a process at which a fault can strike: each file it opens, moves or removes, each query it runs.

They are counted, so that a moment is a number and the same number is the same moment again. Each is labelled with the
phase of a run in which it happens. Faults strike just before an event; most of what they leave is native code's.
"""

import contextlib
import io
import multiprocessing
import os
import re
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from faults_disks import fill

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "backbone.cli.app",
        "backbone.cli.commands.running",
        "backbone.workspace.planning",
        "backbone.workspace.adding",
        "backbone.analysis.training",
        "backbone.analysis.prediction",
        "sklearn.tree",
    ]
)

Way = Literal["die", "timer", "bytes", "full", "limit", "interrupt"]
"""What strikes: kill -9 at once, after some microseconds, or when a file has grown to so many bytes; a full
file system; files that may not grow beyond so many bytes; Ctrl-C."""

_AUDITED = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.link", "fcntl.flock")

_PHASES = {
    "recover": "recovering",
    "land_arrivals": "landing",
    "stage_formatted": "formatting",
    "audit": "auditing",
    "_cut_off": "auditing",
    "_profiled": "auditing",
    "stage_analysis": "analysing",
    "stage_step": "staging",
    "transaction": "publishing",
    "publish": "publishing",
    "close_entry": "recording",
    "remove_staged": "recording",
    "_remember": "recording",
    "attach": "opening",
    "add": "adding",
    "maintain": "maintaining",
    "roll_back": "rolling back",
    "repair": "repairing",
}
"""Phases by the innermost function that tells."""


_CHANGES = re.compile(
    r"os\.|open \S+ [wax]|duckdb (COPY|BEGIN|COMMIT|CALL|ATTACH 'ducklake|(CREATE|DROP|ALTER|INSERT|DELETE)\b.* lake\.)"
    r"|sqlite \s*(BEGIN|COMMIT|INSERT|CREATE|PRAGMA)"
)


def changes(label: str) -> bool:
    """Whether an event may change what is on disk; between others a fault finds the same state."""
    return _CHANGES.match(label) is not None


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens at the `number`th event (from 0): `way`, with `amount` microseconds or bytes where it needs some."""

    number: int
    way: Way = "die"
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit code (negative: the signal), what it wrote, and the phase of each event."""

    code: int
    said: str
    events: tuple[tuple[str, str], ...] = ()

    @property
    def killed(self) -> bool:
        """Whether it died of a signal."""
        return self.code < 0


def carry_out(root: Path, command: tuple[str, ...], strike: Strike | None = None) -> Ended:
    """Run `backbone COMMAND` in a process of its own, to be struck by a fault."""
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_act, args=(root, command, strike, there))
    process.start()
    there.close()
    said, events = "", ()
    with contextlib.suppress(EOFError):
        said, events = here.recv()
    process.join(timeout=300)
    assert process.exitcode is not None, f"{command} did not end"
    return Ended(process.exitcode, said, events)


def _act(root: Path, command: tuple[str, ...], strike: Strike | None, told: Any) -> None:
    from backbone.cli import main

    os.chdir(root)
    output = io.StringIO()
    events = _count(root, strike)
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            main(["--project", str(root), *command])
        finally:
            told.send((output.getvalue(), tuple(events)))


def _count(root: Path, strike: Strike | None) -> list[tuple[str, str]]:
    """From now on, count events, and let the fault strike."""
    events: list[tuple[str, str]] = []
    folder, pid = str(root), os.getpid()
    busy = False

    def event(label: str) -> None:
        nonlocal busy
        if busy or os.getpid() != pid:
            return
        busy = True
        try:
            number = len(events)
            events.append((_phase(), label.replace(folder, "")[:100]))
            if strike and number == strike.number:
                _strike(strike, root)
            elif strike and strike.way in {"timer", "bytes"} and number == strike.number + 25:
                os.kill(pid, signal.SIGKILL)
        finally:
            busy = False

    def audited(name: str, arguments: tuple[Any, ...]) -> None:
        if name in _AUDITED and (name == "fcntl.flock" or os.fsdecode(_path(arguments)).startswith(folder)):
            event(" ".join(str(argument) for argument in (name, *arguments[:2])))

    _watch_queries(event)
    sys.addaudithook(audited)
    return events


def _path(arguments: tuple[Any, ...]) -> str | bytes:
    return arguments[0] if isinstance(arguments[0], str | bytes) else ""


def _watch_queries(event: Callable[[str], None]) -> None:
    import duckdb

    for name in ("execute", "commit"):
        call = getattr(duckdb.DuckDBPyConnection, name)
        setattr(duckdb.DuckDBPyConnection, name, _announced(call, event))
    connect = sqlite3.connect

    def connected(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **named)
        connection.set_trace_callback(lambda statement: event(f"sqlite {statement}"))
        return connection

    sqlite3.connect = connected  # type: ignore[assignment]


def _announced(call: Callable[..., Any], event: Callable[[str], None]) -> Callable[..., Any]:
    def wrapped(connection: Any, *arguments: Any, **named: Any) -> Any:
        event(f"duckdb {arguments[0] if arguments else ''}")
        return call(connection, *arguments, **named)

    return wrapped


def _phase() -> str:
    for frame in _frames():
        if "zones/exploitation/audit" in frame.f_code.co_filename:
            return "auditing"
        if phase := _PHASES.get(frame.f_code.co_name):
            return phase
    return "ending" if any(f.f_code.co_name == "present" for f in _frames()) else "beginning"


def _frames() -> Iterator[Any]:
    frame = sys._getframe(3)
    while frame:
        yield frame
        frame = frame.f_back  # type: ignore[assignment]


def _strike(strike: Strike, root: Path) -> None:
    match strike.way:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "timer":  # the system ends the process, whatever it does then: no handler of Python's is asked
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, max(strike.amount, 1) / 1e6)
        case "bytes":
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            _limit_files(strike.amount)
        case "limit":
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            _limit_files(strike.amount)
        case "full":
            fill(root, strike.amount)
        case "interrupt":
            os.kill(os.getpid(), signal.SIGINT)


def _limit_files(most: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
