"""The examples that come with Backbone."""

import runpy
import shutil
from importlib.resources import files
from pathlib import Path

from backbone.errors import MissingExtraError, UsageError, did_you_mean


def copy_example(name: str, folder: Path) -> list[str]:
    """Copy an example's project into a folder and have its data delivered; returns a line for each thing made.

    Raises:
        UsageError: there is no such example.
        MissingExtraError: its data are not installed.
    """
    source = _examples() / name
    if not name.isidentifier() or not source.is_dir():
        known = sorted(path.name for path in _examples().iterdir() if path.is_dir())
        raise UsageError(f"There is no example '{name}'.{did_you_mean(name, known)} There are: {', '.join(known)}")
    try:  # the data first: without them nothing is made
        made = runpy.run_path(str(source / "deliver.py"))["deliver"](folder)
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"The example {name}", "examples") from error
    unwanted = shutil.ignore_patterns("lake", "data", "__pycache__", "*.pyc")
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=unwanted)
    declared = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.suffix in {".yml", ".sql", ".py"})
    delivered = [f"data/{Path(path).name}" for path in made or ()]
    return [*(str(path) for path in declared), *delivered]


def _examples() -> Path:
    """In an installed package beside the code; in a checkout at its root."""
    packaged = Path(str(files("backbone"))) / "examples"
    return packaged if packaged.is_dir() else Path(str(files("backbone"))).parents[1] / "examples"
