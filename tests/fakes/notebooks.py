"""Notebooks as people have them open: a Jupyter kernel each, which runs cells and keeps what they made."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import run_kernel


class Notebook:
    """One open notebook."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def run(self, cell: str) -> str:
        """Run a cell and return what it printed and shows, its error's traceback included."""
        printed: list[str] = []

        def note(message: dict[str, Any]) -> None:
            content = message["content"]
            shown = content.get("data", {}).get("text/plain", "")
            printed.append(content.get("text", "") + shown + "\n".join(content.get("traceback", ())))

        self._client.execute_interactive(cell, timeout=300, store_history=False, output_hook=note)
        return "".join(printed)


@contextmanager
def open_notebooks(folder: Path, count: int) -> Iterator[list[Notebook]]:
    """Open so many notebooks in a folder; their kernels end with the block."""
    with ExitStack() as stack:
        yield [Notebook(stack.enter_context(run_kernel(cwd=str(folder), stderr=DEVNULL))) for _ in range(count)]
