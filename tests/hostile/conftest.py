"""What the hostile tests share: the corpus, one project that holds all of it, and guards."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from corpus import MADE

from backbone.cli import main

LONG = {"columns_5000"}
"""Cases that take their time; each has a test of its own."""
EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
REFUSED = [name for name in MADE if "refused" in EXPECTED.get(name, {})]
READ = [name for name in MADE if "refused" not in EXPECTED.get(name, {}) and name not in LONG]
SECONDS = 120


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """No test may wait for ever: a pipe that nobody writes to, a pattern that backtracks."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"still at it after {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def corpus_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of all cases, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("corpus")
    files = {}
    for name, make in MADE.items():
        (folder / name).mkdir()
        files[name] = make(folder / name)
    return files


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: exit code, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        assert "fault of Backbone" not in err
        return int(str(ended.value.code)), out, err

    return run


def listing(folder: Path) -> list[tuple[str, int, int]]:
    """Every file below a folder with its size and time of change: what must not change."""
    found = []
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        changed = 0 if path.is_dir() else state.st_mtime_ns
        found.append((os.fspath(path.relative_to(folder)), state.st_size, changed))
    return found


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder with a project in it, `outside/project`, beside which nothing may change."""
    folder = tmp_path / "outside"
    (folder / "project").mkdir(parents=True)
    (folder / "precious.csv").write_text("a\n1\n")
    (folder / "lake").mkdir()
    before = [one for one in listing(folder) if not one[0].startswith("project")]
    yield folder / "project"
    shutil.rmtree(folder / "project", ignore_errors=True)
    assert [one for one in listing(folder) if not one[0].startswith("project")] == before
