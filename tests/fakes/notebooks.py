"""Notebooks as people have them open: a Jupyter kernel each, which runs cells and keeps what they made."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import run_kernel


class Notebook:
    """One open notebook."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def run(self, cell: str) -> str:
        """Run a cell and return what it printed, its error's traceback included."""
        printed: list[str] = []

        def note(message: dict[str, dict[str, object]]) -> None:
            content = message["content"]
            printed.append(str(content.get("text", "")) + "\n".join(map(str, content.get("traceback", ()))))

        self._client.execute_interactive(cell, timeout=300, store_history=False, output_hook=note)
        return "".join(printed)


@contextmanager
def open_notebooks(folder: Path, count: int) -> Iterator[list[Notebook]]:
    """Open so many notebooks in a folder; their kernels end with the block."""
    with ExitStack() as stack:
        yield [Notebook(stack.enter_context(run_kernel(cwd=str(folder), stderr=DEVNULL))) for _ in range(count)]
