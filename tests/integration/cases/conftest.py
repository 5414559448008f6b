"""Projects over data that strangers left as they are: their files lie outside the repository, and may be absent."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backbone.workspace import Workspace, add, open_workspace

HERE = Path(__file__).parent
CASES = HERE.parents[3] / "shared" / "cases"

Ask = Callable[[str], list[tuple[Any, ...]]]


def made(case: str, folder: Path, sources: dict[str, str]) -> Workspace:
    """A project as a person makes it: the case's files are added where they are, then our YAML and SQL is written."""
    raw = CASES / case / "raw"
    if not raw.is_dir():
        pytest.skip(f"the data of the case {case} are not here")
    for name, location in sources.items():
        add(folder, name, (str(raw / location),))
    shutil.copytree(HERE / case, folder, dirs_exist_ok=True)
    return open_workspace(folder)


def asking(workspace: Workspace) -> Ask:
    """How a test asks for rows."""
    return lambda query: workspace.sql(query).rows()


@pytest.fixture
def another(tmp_path: Path) -> Callable[[Workspace], Workspace]:
    """A copy of a project with its lake, which a test may change."""

    def copied(workspace: Workspace) -> Workspace:
        return open_workspace(Path(shutil.copytree(workspace.root, tmp_path / workspace.root.name)))

    return copied
