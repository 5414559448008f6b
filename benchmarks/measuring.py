"""Taking samples: what one command costs in a fresh folder, and several commands in turn."""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WORK = Path(__file__).parent / ".work"
PYTHON = sys.executable
BACKBONE = str(Path(PYTHON).parent / "backbone")
MEGA = 1_000_000
_SET_CHILD_SUBREAPER = 36
"""Of Linux's prctl(2)."""

QUIET = {
    "COLUMNS": "120",
    "NO_COLOR": "1",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
}

Sample = dict[str, float]
"""`cpu_s` (children included), `wall_s`, `peak_mb`, `written_mb`, `kept_mb`, and whatever a side adds."""


class CommandError(Exception):
    """A command that is measured, or that prepares one, ended with an exit code other than 0."""

    def __init__(self, command: tuple[str, ...], code: int, printed: str) -> None:
        words = " ".join(Path(word).name if word.startswith("/") else word for word in command)
        super().__init__(f"{words} ended with {code}:\n{printed[-3000:]}")


def _nothing(_: Path) -> None:
    """Prepare nothing."""


def _no_facts(_: Path) -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True)
class Side:
    """One way of doing the work: a command that is measured, in a folder that `prepare` fills beforehand, unmeasured.

    `facts` adds numbers of its own, read from the folder after the command.
    """

    command: tuple[str, ...]
    prepare: Callable[[Path], object] = _nothing
    facts: Callable[[Path], Mapping[str, float]] = _no_facts


def run(command: tuple[str, ...], folder: Path) -> None:
    """Run a command that isn't measured."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment())
    if done.returncode:
        raise CommandError(command, done.returncode, done.stdout + done.stderr)


def sample(side: Side) -> Sample:
    """Prepare a fresh folder, run the command in it to its end, and measure it and its children."""
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK, prefix="sample-") as name:
        folder = Path(name)
        side.prepare(folder)
        before = disk_mb(folder)
        found = cost(side.command, folder)
        return found | {"kept_mb": round(disk_mb(folder) - before, 3)} | dict(side.facts(folder))


def cost(command: tuple[str, ...], folder: Path) -> Sample:
    """Run a command to its end, and measure it and its children."""
    start = time.perf_counter()
    before = _children()
    _adopt_orphans()
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=subprocess.STDOUT, env=environment())
        # The peak of a child can't be less than ours when it was started: nothing large is imported here.
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        orphans = list(_orphans(before))
        if process.returncode:
            printed.seek(0)
            raise CommandError(command, process.returncode, printed.read().decode())
    all_used = [used, *orphans]
    return {
        "cpu_s": round(sum(one.ru_utime + one.ru_stime for one in all_used), 4),
        "wall_s": round(wall, 4),
        "peak_mb": round(max(one.ru_maxrss for one in all_used) * 1024 / MEGA, 2),
        "written_mb": round(sum(one.ru_oublock for one in all_used) * 512 / MEGA, 3),
    }


@cache
def _adopt_orphans() -> None:
    """Become the parent of processes that outlive a command, such as Spark's JVM: else nobody knows what they took."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _orphans(before: Collection[int]) -> Iterator[resource.struct_rusage]:
    """What the processes used that a command left behind, each waited for. `before` are children that others have."""
    while orphans := _children() - set(before):
        for pid in orphans:
            yield os.wait4(pid, 0)[2]


def _children() -> set[int]:
    """The processes whose parent this one is."""
    found = set()
    for told in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            if told.read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                found.add(int(told.parent.name))
    return found


def in_turn(sides: Mapping[str, Side], rounds: int) -> tuple[dict[str, list[Sample]], dict[str, str]]:
    """Measure several sides A B A B …, so that all of them see the same machine; and why a side failed, if one did."""
    found: dict[str, list[Sample]] = {name: [] for name in sides}
    failures: dict[str, str] = {}
    for _ in range(rounds):
        for name in [one for one in sides if one not in failures]:
            try:
                found[name].append(sample(sides[name]))
            except CommandError as error:
                print(error, file=sys.stderr)
                failures[name] = str(error).split("\n", maxsplit=1)[0]
    return {name: samples for name, samples in found.items() if name not in failures}, failures


def disk_mb(folder: Path) -> float:
    """What the files of a folder hold."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGA


def environment() -> dict[str, str]:
    """The commands' environment: nobody is told of a run; no terminal's width and no setting of Python's gets in."""
    ours = ("BACKBONE_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | QUIET


@cache
def compile_bytecode() -> None:
    """Compile what Backbone and the floor import, as pip does of what it installs: else each command might."""
    folders = (sysconfig.get_path("purelib"), str(WORK.parents[1] / "src"))
    run((PYTHON, "-m", "compileall", "-q", "-j", "0", *folders), WORK.parent)


@cache
def _prepared() -> tempfile.TemporaryDirectory[str]:
    """Where this process keeps what it prepared; it goes with the process."""
    return tempfile.TemporaryDirectory(dir=WORK, prefix="prepared-")


def copy_of(name: str, build: Callable[[Path], object], *, keep: bool = False) -> Callable[[Path], None]:
    """A preparation that copies a folder, which `build` makes when it is first needed.

    With `keep` it stays for later benchmarks, as inputs do: what takes minutes. A lake that was copied looks at what
    landed once more: let a run settle that before anything is measured.
    """

    def prepare(folder: Path) -> None:
        template = (WORK / "kept" if keep else Path(_prepared().name)) / name
        if not template.exists():
            template.parent.mkdir(exist_ok=True)
            unfinished = template.with_name("unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            build(unfinished)
            unfinished.rename(template)
        shutil.copytree(template, folder, dirs_exist_ok=True)

    return prepare


def after(command: tuple[str, ...], prepare: Callable[[Path], object]) -> Callable[[Path], None]:
    """A preparation, and then a command that isn't measured."""

    def prepare_and_run(folder: Path) -> None:
        prepare(folder)
        run(command, folder)

    return prepare_and_run
