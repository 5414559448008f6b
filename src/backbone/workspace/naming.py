"""The names that a shell may complete: known without an engine, an SQL parser, or reading the project's files.

They come from the cache of what is published, the lake's catalogue and the names of files, so what has just been
renamed may be offered once more, or not yet.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from backbone.lake.catalogue import last_commits
from backbone.project.finding import PROJECT_FILE, find_project
from backbone.project.settings import Settings
from backbone.runs.environment import Environment
from backbone.runs.state import read_state
from backbone.workspace.opening import environment_of, settings_of

_DECLARES = {"sources": ("formatted", "trusted"), "exploitation": ("exploitation",), "analysis": ("analysis",)}
"""The zones in which a file of a folder makes a dataset of its name."""
_DEPARTS = re.compile(r"^(environments|storage)\b", re.MULTILINE)


class Names:
    """What there is in a project's environment, by name."""

    def __init__(self, root: Path, environment: Environment, environments: tuple[str, ...]) -> None:
        self.root = root
        self.environments = environments
        self._environment = environment

    def datasets(self) -> Mapping[str, tuple[str, ...]]:
        """The datasets with their columns, as far as they are known: those published, and those that files declare."""
        state = read_state(self._environment.state_path)
        published = {name: one.relation.names for name, one in state.published.items()} if state else {}
        declared = {f"{zone}.{path.stem}" for path in self.files() for zone in _DECLARES.get(path.parent.name, ())}
        return dict.fromkeys(sorted(declared), ()) | published

    def files(self) -> tuple[Path, ...]:
        """The files that declare datasets, relative to the project."""
        folders = ("sources", "trusted", "exploitation", "analysis")
        found = (path for folder in folders for path in sorted((self.root / folder).glob("[a-z]*.*")))
        return tuple(path.relative_to(self.root) for path in found)

    def sources(self) -> tuple[str, ...]:
        """The sources."""
        return tuple(path.stem for path in self.files() if path.parent.name == "sources")

    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """The tags and owners, each kind by its name, as of the last run."""
        state = read_state(self._environment.state_path)
        return state.labels if state else {}

    def runs(self) -> tuple[str, ...]:
        """The ids of the last runs, newest first."""
        return tuple(run for _, run in last_commits(self._environment.site))

    def snapshots(self) -> tuple[int, ...]:
        """The last snapshots, newest first."""
        return tuple(snapshot for snapshot, _ in last_commits(self._environment.site))


def names(project: Path | None, env: str | None) -> Names:
    """What there is in a project: the one in the nearest folder upwards where none is named.

    Raises:
        UsageError: there is no project, or no such environment.
    """
    root = find_project(project or Path())
    says_more = _DEPARTS.search((root / PROJECT_FILE).read_text(encoding="utf-8", errors="replace"))
    settings = settings_of(root) if says_more else Settings()
    return Names(root, environment_of(root, settings, env), settings.environments)
