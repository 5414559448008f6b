"""Planning and running a workspace's project."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.connectors.origins import is_asked, told
from backbone.errors import LakeError, UsageError
from backbone.lake.catalogue import last_snapshot, snapshot_at
from backbone.model.files import LandedFile
from backbone.model.operations import Maintained, RolledBack
from backbone.model.reports import RunEvent, RunReport
from backbone.model.steps import Plan, Published
from backbone.runs.check import check_project
from backbone.runs.environment import Environment
from backbone.runs.maintenance import maintain
from backbone.runs.plan import make_plan
from backbone.runs.rollback import roll_back
from backbone.runs.run import (
    OnEvent,
    Request,
    Upstreamed,
    landed_files,
    read_published,
    readable_since,
    run_project,
)
from backbone.runs.selection import Selection, select_datasets
from backbone.troubles import explained
from backbone.wiring import open_backend, open_checking, open_reading
from backbone.workspace.interrupting import interruptible
from backbone.workspace.maintaining import maintained_where_due
from backbone.workspace.opening import upstream_environment

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace


def plan_workspace(workspace: "Workspace", selection: Selection, force: bool) -> Plan:
    """What a run would do; files that wait to be landed count as landed. Nothing is changed."""
    steps, upstream = workspace.steps, _upstream(workspace)
    published = _checked(workspace, dict(upstream.published) if upstream else {})
    chosen = select_datasets(steps, selection, published)
    foreign = upstream.published if upstream else ()
    landed, unlanded = _landed_and_waiting(workspace)
    readable = readable_since(workspace.environment.site, upstream)
    plan = make_plan(
        steps, published, landed, chosen=chosen, force=force, foreign=foreign, unlanded=unlanded, readable=readable
    )
    sources = workspace.project.sources
    return replace(plan, asks=tuple((s.name, told(origin)) for s in sources for origin in filter(is_asked, s.origins)))


def _checked(workspace: "Workspace", published: dict[str, Published]) -> dict[str, Published]:
    """What is published, after the project was checked against it."""
    if last_snapshot(workspace.environment.site) is None:
        with open_checking(workspace.project, workspace.environment) as engine:
            check_project(workspace.steps, published, engine)
        return published
    with open_reading(workspace.environment) as backend:
        published |= read_published(workspace.environment, backend.lake)
        with open_checking(workspace.project, workspace.environment, backend.engine) as engine:
            check_project(workspace.steps, published, engine)
    return published


def _landed_and_waiting(workspace: "Workspace") -> tuple[dict[str, tuple[LandedFile, ...]], dict[str, str]]:
    """Landed files by source, with those that wait to be landed as they might be; and why some sources can't land."""
    landing, landed = workspace.environment.landing, landed_files(workspace.environment)
    ids = count(1 + max((file.id for files in landed.values() for file in files), default=0))
    unlanded: dict[str, str] = {}
    for source in workspace.project.sources:
        for arrival in landing.arrivals(source.name, source.origins):
            if arrival.problem:
                unlanded[source.name] = f"{arrival.place} can't be landed: {arrival.problem}"
            elif landing.says_something_new(arrival):
                where, moment = (arrival.name, arrival.origin, ""), datetime.now(UTC)
                file = LandedFile(next(ids), source.name, *where, arrival.size, arrival.place, moment)
                landed[source.name] = (*landed.get(source.name, ()), file)
    return landed, unlanded


def run_workspace(
    workspace: "Workspace", selection: Selection, force: bool, on_event: OnEvent, *, wait: bool = True
) -> RunReport:
    """Run the project under the run lock: one writer, who others wait for."""
    return run_request(workspace, request_of(workspace, selection, force=force), on_event, wait=wait)


def request_of(workspace: "Workspace", selection: Selection, *, force: bool) -> Request:
    """What a run of a workspace is asked to do."""
    return Request(
        project=workspace.project,
        environment=workspace.environment,
        steps=workspace.steps,
        fingerprint=workspace.fingerprint,
        selection=selection,
        force=force,
        code_version=_code_version(workspace.root),
        upstream=_upstream(workspace),
    )


def run_request(workspace: "Workspace", request: Request, on_event: OnEvent, *, wait: bool = True) -> RunReport:
    """Carry a request out, under the run lock, for which it waits or not."""
    select_datasets(request.steps, request.selection)  # what can't be selected is refused before anything is touched
    with (
        explained(workspace.environment.folder),
        interruptible(on_event) as on_each,
        workspace.environment.site.books.writing(
            _written(request), on_wait=lambda who: on_event(RunEvent("waiting", text=who)), wait=wait
        ),
        open_backend(workspace.project, workspace.environment) as backend,
    ):
        if request.upstream:
            backend.lake.attach_upstream(request.upstream.site)
        report = run_project(request, backend, on_each)
        if request.upstream:
            report = _pinned(workspace, request.upstream, report)
    if report.status == "nothing":
        return report
    return replace(report, maintained=maintained_where_due(workspace.project, workspace.environment))


def _pinned(workspace: "Workspace", upstream: Upstreamed, report: RunReport) -> RunReport:
    """Hold the snapshot that was read of another project's lake; where a run has published, what goes wrong is told.

    Raises:
        LakeError: it can't be held, and nothing was published.
    """
    try:
        upstream.site.books.pin(f"{workspace.root}, environment {workspace.environment.name}", upstream.snapshot)
    except LakeError as error:
        if report.status == "nothing":
            raise
        read = f"Snapshot {upstream.snapshot} of the project that this one reads"
        return replace(report, warnings=(f"{read} isn't held for later runs: {error}",))
    return report


def _written(request: Request) -> list[str] | None:
    """The datasets that a run may write; None for all: a whole run may also drop what nothing declares any more."""
    words = (*request.selection.include, *request.selection.exclude)
    if not words or any("state:" in word for word in words):  # what it chooses depends on what others publish
        return None
    chosen = select_datasets(request.steps, request.selection) or frozenset()
    return [output for step in request.steps if step.dataset in chosen for output in step.outputs]


def roll_back_workspace(workspace: "Workspace", moment: str, dry_run: bool, on_event: OnEvent) -> RolledBack:
    """Make the environment's datasets what they were, under the run lock; a dry run only looks.

    Raises:
        UsageError: nothing has run yet, or there is no such snapshot.
    """
    environment, name = workspace.environment, workspace.project.name
    _must_have_run(environment)
    if dry_run:
        with open_reading(environment) as backend:
            snapshot = snapshot_at(environment.site, moment)
            return roll_back(name, environment, backend, snapshot, dry_run=True)
    with (
        explained(environment.folder),
        environment.site.books.writing(None, on_wait=lambda who: on_event(RunEvent("waiting", text=who))),
        open_backend(workspace.project, environment) as backend,
    ):
        return roll_back(name, environment, backend, snapshot_at(environment.site, moment))


def _must_have_run(environment: Environment) -> None:
    if last_snapshot(environment.site) is None:
        raise UsageError(f"Nothing has run in environment '{environment.name}' yet. Next: backbone run")


def maintain_workspace(workspace: "Workspace", dry_run: bool, on_event: OnEvent) -> Maintained:
    """Maintain the environment's lake, under the run lock; a dry run only looks.

    Raises:
        UsageError: nothing has run yet.
    """
    environment = workspace.environment
    _must_have_run(environment)
    if dry_run:
        with open_reading(environment) as backend:
            return maintain(workspace.project, environment, backend, dry_run=True)
    with (
        explained(environment.folder),
        environment.site.books.writing(None, on_wait=lambda who: on_event(RunEvent("waiting", text=who))),
        open_backend(workspace.project, environment) as backend,
    ):
        return maintain(workspace.project, environment, backend)


def _upstream(workspace: "Workspace") -> Upstreamed | None:
    """The project that this one reads, pinned to the snapshot that it names, or to the last one."""
    upstream = workspace.project.upstream
    if upstream is None:
        return None
    environment = upstream_environment(workspace.root, upstream)
    known = last_snapshot(environment.site)
    if known is None:
        raise UsageError(
            f"{environment.root} has not run in environment '{environment.name}' yet. "
            f"Next: backbone --project {environment.root} --env {environment.name} run"
        )
    snapshot = upstream.snapshot if upstream.snapshot is not None else known[1]
    if snapshot > known[1]:
        raise UsageError(
            f"{environment.root} has no snapshot {snapshot} yet: name one up to {known[1]} in backbone.yml"
        )
    lease = environment.site.books.take_lease(lambda: snapshot_at(environment.site, str(snapshot)))
    with open_reading(environment) as backend:
        published = read_published(environment, backend.lake, snapshot)
    exposed = {name: one for name, one in published.items() if name.startswith("exploitation.")}
    return Upstreamed(environment.site, snapshot, exposed, lease)


def _code_version(root: Path) -> str:
    """The commit of the project's repository; empty where there is none."""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
