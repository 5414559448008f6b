"""Watching a project: its files, its drop folders and the places its sources come from, by looking at them again.

A file is known by its size and time; it is read only where one of these has changed. Looking takes a twentieth of the
time, at most.
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backbone.errors import BackboneError
from backbone.lake.catalogue import last_snapshot
from backbone.project.finding import find_project
from backbone.project.fingerprint import fingerprint, project_files
from backbone.runs.environment import Environment
from backbone.runs.state import read_state
from backbone.workspace.opening import environment_of, settings_of, upstream_environment

_PAUSE_SECONDS = 0.5
_SHARE = 20
"""A pause is at least so many times as long as the look before it."""

Seen = tuple[str, int, int]
"""A file as it was seen: path, size, time of its last change."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there was at one moment: the project's files, files that sources name, the snapshot that is read."""

    project: frozenset[Seen]
    landing: frozenset[Seen]
    upstream: tuple[str, int] | None


@dataclass(frozen=True, slots=True)
class Places:
    """Where to look, as known when a run has ended; without an environment where the project can't be opened."""

    root: Path
    environment: Environment | None = None
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    upstream: Environment | None = None

    def look(self) -> Look:
        """What there is now."""
        project = frozenset(_seen(self.root / path for path in project_files(os.fspath(self.root))))
        return Look(project, frozenset(self._present()), last_snapshot(self.upstream.site) if self.upstream else None)

    def _present(self) -> Iterator[Seen]:
        if self.environment:
            for source, origins in self.origins.items():
                for one in self.environment.landing.present(source, origins):
                    yield str(one.origin), one.size, one.mtime_ns

    def waiting(self) -> frozenset[Seen]:
        """The files that have not landed as they are now."""
        zone = self.environment.landing if self.environment else None
        return frozenset(
            (str(one.origin), one.size, one.mtime_ns)
            for source, origins in self.origins.items()
            for one in (zone.arrivals(source, origins) if zone else ())
        )


def changes(project: Path | None, env: str | None) -> Iterator[None]:
    """Come back at once, and then whenever something has changed that a run may have to do with. It never ends.

    What changes while the caller is at work counts as changed after it.

    Raises:
        UsageError: there is no project.
    """
    root = find_project(project or Path())
    places = _places(root, env)
    while True:
        tried, digest, before = places.waiting(), fingerprint(root), places.look()
        yield
        places = _places(root, env)
        pause = _PAUSE_SECONDS
        while True:
            time.sleep(pause)
            began = time.process_time()
            now = places.look()
            if _calls_for_a_run(places, before, now, tried, digest):
                break
            before, pause = now, max(_PAUSE_SECONDS, _SHARE * (time.process_time() - began))


def _calls_for_a_run(places: Places, before: Look, now: Look, tried: frozenset[Seen], digest: str) -> bool:
    """Whether something is new. A file that the last run could not land is not, nor one that was only touched."""
    if now.upstream != before.upstream:
        return True
    if now.project != before.project and fingerprint(places.root) != digest:
        return True
    return now.landing != before.landing and not places.waiting() <= tried


def _places(root: Path, env: str | None) -> Places:
    try:
        settings = settings_of(root)
        environment = environment_of(root, settings, env)
        follows = settings.upstream is not None and settings.upstream.snapshot is None
        upstream = upstream_environment(root, settings.upstream) if settings.upstream and follows else None
    except (BackboneError, OSError):  # the run says what is wrong with the project
        return Places(root)
    state = read_state(environment.state_path)
    return Places(root, environment, state.origins if state else {}, upstream)


def _seen(paths: Iterable[Path]) -> Iterator[Seen]:
    for path in paths:
        try:
            state = path.stat()
        except OSError:  # gone since its folder was read
            continue
        yield str(path), state.st_size, state.st_mtime_ns
