"""Mending: what can be made again is, and what can't be is said.

First what everything comes from: the registry and the landed files. Then the lake: a catalogue that can't be read is
set aside with all its files, and everything is made again from landing; else orphans go, and datasets whose rows can't
be trusted are made as if they were new. In the end all is looked at once more.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from backbone.errors import BackboneError
from backbone.lake.catalogue import last_snapshot
from backbone.lake.claiming import MARK
from backbone.model.reports import Check, RunEvent
from backbone.runs import journal
from backbone.runs.environment import Environment
from backbone.runs.recovery import recover
from backbone.runs.run import Request
from backbone.runs.selection import Selection
from backbone.troubles import explained
from backbone.wiring import open_backend
from backbone.workspace.doctor.examination import examine, verdicts
from backbone.workspace.doctor.lake import has_lake, look_at_files, set_old_aside
from backbone.workspace.doctor.landing import copy_back, damaged_sources, rebuild_registry
from backbone.workspace.doctor.verdict import OnEvent, Verdict
from backbone.workspace.planning import request_of, run_request
from backbone.workspace.reading import open_for_reading

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace


def repair(workspace: "Workspace", on_event: OnEvent) -> tuple[Check, ...]:
    """Mend what can be mended, and say how all stands then."""
    done = dict[str, list[str]]()
    with explained(workspace.environment.folder):
        found = {verdict.name: verdict for verdict in verdicts(workspace, on_event) if verdict.wrong}
        for name, said in _mend(workspace, found, on_event) if found else ():
            done.setdefault(name, []).append(said)
    return tuple(replace(c, mended=tuple(done.get(c.name, ()))) for c in examine(workspace, on_event))


def _mend(workspace: "Workspace", found: dict[str, Verdict], on_event: OnEvent) -> Iterator[tuple[str, str]]:
    environment = workspace.environment

    def waiting(who: str) -> None:
        on_event(RunEvent("waiting", text=who))

    with ExitStack() as held:
        held.enter_context(environment.site.books.writing(None, on_wait=waiting))
        held.enter_context(environment.landing_locked(waiting))
        if "registry" in found:
            yield from (("registry", said) for said in rebuild_registry(environment, _others(workspace)))
        if {"registry", "landed files"} & found.keys():
            yield from (("landed files", said) for said in copy_back(environment, on_event))
        unreadable = damaged_sources(environment, on_event)
        lost: frozenset[str] | None = _lost(workspace, found)
        if _is_beyond_repair(environment, found):
            yield "catalogue", _set_lake_aside(environment)
            lost = None
        elif has_lake(environment):
            yield from _tidy(workspace, found)
    # Nothing is made from damaged files; what was made from them while they were sound stays.
    why = {source: said for source, said in unreadable.items() if lost is None or f"formatted.{source}" in lost}
    request = replace(request_of(workspace, Selection(), force=False), lost=lost or frozenset(), unreadable=why)
    yield from _make_again(workspace, request, found, on_event)
    if "data files" in found and "catalogue" not in found:
        yield from (("data files", said) for said in _set_old_aside(environment, on_event))


def _others(workspace: "Workspace") -> list[Environment]:
    here = workspace.environment
    names = [name for name in workspace.project.environments if name != here.name]
    return [replace(here, name=name) for name in names]


def _is_beyond_repair(environment: Environment, found: dict[str, Verdict]) -> bool:
    """Whether the lake's own books are damaged, so that no transaction can be trusted on top of it."""
    if not has_lake(environment):
        return False
    if "catalogue" in found or last_snapshot(environment.site) is None:
        return True
    files = found.get("data files")
    return files is not None and ((not files.lost and not _only_old(files)) or any(map(_is_governance, files.lost)))


def _only_old(files: Verdict) -> bool:
    return all("of earlier snapshots" in wrong for wrong in files.wrong)


def _is_governance(dataset: str) -> bool:
    return dataset.startswith("governance.")


def _set_lake_aside(environment: Environment) -> str:
    time = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    aside = environment.folder.with_name(f"{environment.name}.damaged-{time}")
    environment.folder.rename(aside)
    books = environment.site.books
    if books.shared and books.has_catalogue():
        kept = books.retire(time[2:13])
        if not environment.site.data.is_local:
            environment.site.data.remove([MARK])
        return f"the damaged catalogue is kept as {kept}; everything is made again from landing"
    if not environment.site.data.is_local:
        environment.site.data.remove([MARK])
        return (
            f"the damaged catalogue is kept as {aside.relative_to(environment.storage.parent)}, its data files for a "
            "day; everything is made again from landing"
        )
    return (
        f"the damaged lake is kept as {aside.relative_to(environment.storage.parent)}, with its snapshots, history and "
        "former models; everything is made again from landing"
    )


def _lost(workspace: "Workspace", found: dict[str, Verdict]) -> frozenset[str]:
    """The datasets to be made again, with all that their steps make."""
    named = {dataset for verdict in found.values() for dataset in verdict.lost}
    return frozenset(output for step in workspace.steps for output in step.outputs if named & set(step.outputs))


def _set_old_aside(environment: Environment, on_event: OnEvent) -> Iterator[str]:
    """Damaged files that the present no longer needs."""
    with (
        environment.site.books.writing(None, on_wait=lambda who: on_event(RunEvent("waiting", text=who))),
        open_for_reading(environment) as reading,
    ):
        yield from set_old_aside(environment, look_at_files(environment, reading, on_event))


def _tidy(workspace: "Workspace", found: dict[str, Verdict]) -> Iterator[tuple[str, str]]:
    """What a run would do before it begins."""
    environment = workspace.environment
    if {"orphans", "runs"} & found.keys():
        with open_backend(workspace.project, environment) as backend:
            recover(environment, backend.lake)
        removed = len(journal.sweep(environment.site, (), others=False))
        removed += 0 if environment.site.data.is_local else journal.remove_orphans(environment.site)[0]
        yield "orphans", f"{removed:,} data files that nobody knew were removed, and what else runs had left"
    if "state cache" in found:
        environment.state_path.unlink()
        yield "state cache", "removed; the run below writes it anew"


def _make_again(
    workspace: "Workspace", request: Request, found: dict[str, Verdict], on_event: OnEvent
) -> Iterator[tuple[str, str]]:
    """One run makes what was lost, and what comes of it."""
    try:
        report = run_request(workspace, request, on_event)
    except BackboneError as error:
        yield next(iter(found)), f"nothing could be made again: {error}"
        return
    for step in report.steps:
        if step.dataset in request.lost or step.failure:
            name = next((name for name, verdict in found.items() if verdict.lost), "catalogue")
            said = "was made again" if step.status in {"done", "unchanged"} else "could not be made again"
            why = f": {step.failure.message}" if step.failure else f", since {step.because} failed" * bool(step.because)
            yield name, f"{step.dataset} {said}{why}"
