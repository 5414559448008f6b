"""All checks, in the order of the data's way."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from backbone.errors import BackboneError, StoreError
from backbone.lake.catalogue import last_snapshot
from backbone.model.reports import Check
from backbone.troubles import explained
from backbone.workspace.doctor.accounts import check_ledger, check_state
from backbone.workspace.doctor.lake import (
    check_catalogue,
    check_files,
    check_models,
    check_orphans,
    check_runs,
    has_lake,
    look_at_files,
)  # fmt: skip
from backbone.workspace.doctor.landing import check_landed, check_registry
from backbone.workspace.doctor.machine import check_disk, check_extensions
from backbone.workspace.doctor.verdict import OnEvent, Verdict, counted, sound
from backbone.workspace.reading import open_for_reading

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace


def examine(workspace: "Workspace", on_event: OnEvent) -> tuple[Check, ...]:
    """What every check found. Nothing is changed.

    Raises:
        LakeError: the machine refuses what looking takes.
    """
    with explained(workspace.environment.folder):
        return tuple(verdict.check for verdict in verdicts(workspace, on_event))


def verdicts(workspace: "Workspace", on_event: OnEvent) -> Iterator[Verdict]:
    """The checks, each as it ends."""
    environment = workspace.environment
    yield guarded("project", lambda: _project(workspace))
    yield guarded("extensions", lambda: check_extensions(environment.site))
    yield guarded("registry", lambda: check_registry(environment))
    yield guarded("landed files", lambda: check_landed(environment, on_event))
    if not has_lake(environment):
        yield sound("lake", "nothing has run yet. Next: backbone run")
        return
    catalogue = guarded("catalogue", lambda: check_catalogue(environment))
    yield catalogue
    if not catalogue.wrong and last_snapshot(environment.site):
        yield from _lake(workspace, on_event)


def _lake(workspace: "Workspace", on_event: OnEvent) -> Iterator[Verdict]:
    environment = workspace.environment
    running = environment.site.books.writer()
    with open_for_reading(environment) as reading:
        yield guarded("data files", lambda: check_files(look_at_files(environment, reading, on_event)))
        yield guarded("orphans", lambda: check_orphans(environment, running=running))
        yield guarded("ledger", lambda: check_ledger(reading))
        yield guarded("models", lambda: check_models(environment, reading))
        yield guarded("state cache", lambda: check_state(workspace, reading))
    yield guarded("runs", lambda: check_runs(environment, running=running))
    yield guarded("disk", lambda: check_disk(environment))


def guarded(name: str, check: Callable[[], Verdict]) -> Verdict:
    """A check that can't be made is one that found something; where the store doesn't answer, nothing is found.

    Raises:
        StoreError: it doesn't: nobody must take that for damage, and mend it.
    """
    try:
        return check()
    except StoreError:
        raise
    except BackboneError as error:
        return Verdict(name, "", (str(error),))


def _project(workspace: "Workspace") -> Verdict:
    project = workspace.project
    parts = (("source", project.sources), ("view", project.views), ("analysis", project.analyses))
    return sound("project", ", ".join(counted(len(values), word) for word, values in parts))
