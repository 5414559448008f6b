"""An environment for each peer, with the versions of versions.toml, made once."""

import shutil
import sys
import tomllib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from benchmarks.measuring import WORK, run
from benchmarks.workloads.installing import environment_with

VERSIONS: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("versions.toml").read_text(encoding="utf-8"))


def program(peer: str, name: str) -> str:
    """A program of a peer's environment, such as `dbt`."""
    return str(folder_of(peer) / "env" / "bin" / name)


def folder_of(peer: str) -> Path:
    """The folder of a peer's environment, another one for other versions."""
    digest = sha256("\n".join(VERSIONS[peer]).encode()).hexdigest()[:8]
    return WORK / "peers" / f"{peer}-{digest}"


def make(peer: str) -> None:
    """Make a peer's environment where there is none."""
    folder, done = folder_of(peer), folder_of(peer) / "done"
    if not done.exists():
        print(f"installing {', '.join(VERSIONS[peer])}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        run(("sh", "-c", f"rm -rf env && {environment_with('--compile-bytecode', *VERSIONS[peer])}"), folder)
        done.touch()


def floor_script(folder: Path) -> None:
    """A preparation: the floor's statements, for tools that run SQL of one's own."""
    for place in (folder, folder / "src"):
        if place.exists():
            shutil.copy(WORK.parent / "floors" / "flights.py", place)


def files(peer: str, *names: str) -> Callable[[Path], None]:
    """A preparation that copies a peer's project of flights, or only some of its files."""
    project = Path(__file__).parent / "flights" / peer

    def prepare(folder: Path) -> None:
        for path in project.rglob("*"):
            name = path.relative_to(project).as_posix()
            if path.is_file() and "__pycache__" not in name and (not names or name in names):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / name)

    return prepare
