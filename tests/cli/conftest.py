import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from backbone.cli import main

FAKE = Path(__file__).parents[1] / "fakes" / "front_door.py"


@pytest.fixture
def front_door(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The fake front door, in the real one's place."""
    monkeypatch.syspath_prepend(str(FAKE.parent))
    fake = importlib.import_module("front_door")
    fake.CALLS.clear()
    monkeypatch.setitem(sys.modules, "backbone.workspace", fake)
    return fake


@pytest.fixture
def backbone(
    front_door: ModuleType,  # noqa: ARG001 - it stands behind every command
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process: exit code, standard output, standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run
