"""A reader in a process of its own that asks the same question again and again."""

import multiprocessing
from pathlib import Path
from typing import Any

import backbone

CONTEXT = multiprocessing.get_context("forkserver")


def start_reader(root: Path, query: str, done: Any, answers: Any) -> Any:
    """Start a reader that asks until `done`, then puts all rows that it got, or its error, into `answers`."""
    process = CONTEXT.Process(target=_read_until, args=(root, query, done, answers))
    process.start()
    return process


def _read_until(root: Path, query: str, done: Any, answers: Any) -> None:
    seen: list[tuple[Any, ...]] = []
    try:
        while not done.is_set():
            seen += backbone.open(root).sql(query).rows()
            if len(seen) % 5 == 0:
                backbone.open(root).status()
                backbone.open(root).history()
    except BaseException as error:  # noqa: BLE001  whatever it is, the test tells it
        answers.put(f"{type(error).__name__}: {error}")
    else:
        answers.put(seen)
