"""The files that workloads read: flights like the example's, of any number, made once.

The files are made by another process, so that the one that measures stays small.
"""

import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import PYTHON, WORK, run

MAKER = str(Path(__file__).parent / "floors" / "make_files.py")


def flights(rows: int, form: str = "csv", *, start: int = 0, bad: bool = False) -> Path:
    """A file of the flights from `start` on: one in a hundred corrects another one, one in forty has no delay.

    Args:
        rows: how many.
        form: `csv`, `json` (one object a line) or `parquet`.
        start: the first flight's number.
        bad: one value in a thousand records is no number, so that the column `delay` is text in Parquet.
    """
    path = WORK / "inputs" / f"flights-{start}-{rows}{'-bad' if bad else ''}.{form}"
    return _made(path, "flights", str(start), str(rows), str(int(bad)))


def planes() -> Path:
    """A CSV file of 3,800 planes; one flight in twenty is by none of them."""
    return _made(WORK / "inputs" / "planes.csv", "planes")


def _made(path: Path, *arguments: str) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"unfinished-{os.getpid()}-{path.name}")
        run((PYTHON, MAKER, str(unfinished), *arguments), path.parent)
        unfinished.rename(path)
    return path


def link(make: Callable[[], Path], to: str) -> Callable[[Path], None]:
    """A preparation that puts a file into a folder without copying it."""

    def prepare(folder: Path) -> None:
        target = folder / to
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(make(), target)

    return prepare


def both(*prepare: Callable[[Path], object]) -> Callable[[Path], None]:
    """Several preparations, one after the other."""

    def prepare_all(folder: Path) -> None:
        for one in prepare:
            one(folder)

    return prepare_all
