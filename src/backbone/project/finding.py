"""Where a project is. Apart from reading it, so that it costs next to nothing."""

from pathlib import Path

from backbone.errors import UsageError

PROJECT_FILE = "backbone.yml"


def find_project(start: Path) -> Path:
    """The nearest folder with a `backbone.yml`, from `start` upwards.

    Raises:
        UsageError: there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    raise UsageError(f"{start} is in no project: there is no {PROJECT_FILE} here or above. Start one: backbone init .")
