"""A run: land, plan, stage, audit, publish, record. Killed at any point, the next run finishes the work."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache

from backbone import __version__
from backbone.connectors.fetching import pull
from backbone.connectors.landing import Landing
from backbone.connectors.origins import is_asked, told
from backbone.engine.cost import Cost, measured
from backbone.engine.protocol import Engine
from backbone.errors import LakeError, OriginError
from backbone.lake.books import Lease
from backbone.lake.catalogue import snapshots
from backbone.lake.sending import send
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.model.files import LandedFile
from backbone.model.project import Project
from backbone.model.reports import RunEvent, RunReport
from backbone.model.steps import Plan, Published, Step
from backbone.runs import journal
from backbone.runs.check import check_project
from backbone.runs.declared import dataset_changes, drop_changes, project_changes
from backbone.runs.environment import Environment
from backbone.runs.plan import Readable, make_plan
from backbone.runs.publish import Publication, landed_rows, publish
from backbone.runs.recovery import entered, recover
from backbone.runs.report import landed_reports, step_reports
from backbone.runs.selection import Selection, labels_of, select_datasets
from backbone.runs.stage import Place
from backbone.runs.stage_plan import StagedPlan, stage_plan
from backbone.runs.state import State, published_of, read_state, write_state

OnEvent = Callable[[RunEvent], None]


@dataclass(frozen=True, slots=True)
class Upstreamed:
    """Another project's lake, pinned: where it is, the snapshot, and the datasets that it holds there."""

    site: Site
    snapshot: int
    published: Mapping[str, Published]
    lease: Lease


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is asked to do: a project in an environment, with its steps, and which of them.

    `lost` are published datasets whose rows can't be read any more: they are made as if they were new. `unreadable`
    says of sources why their landed files must not be read.
    """

    project: Project
    environment: Environment
    steps: tuple[Step, ...]
    fingerprint: str
    selection: Selection = field(default_factory=Selection)
    force: bool = False
    code_version: str = ""
    upstream: Upstreamed | None = None
    lost: frozenset[str] = frozenset()
    unreadable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Backend:
    """What runs need of the outside: an engine, with the environment's lake attached to it."""

    engine: Engine
    lake: Lake


def run_project(request: Request, backend: Backend, on_event: OnEvent) -> RunReport:
    """Bring a project's environment up to date. Only to be called under the run lock.

    Raises:
        ProjectError: a view doesn't fit its inputs; nothing has changed.
    """
    started = time.perf_counter()
    recover(request.environment, backend.lake)
    published = read_published(request.environment, backend.lake)
    known = published | dict(request.upstream.published if request.upstream else {})
    check_project(request.steps, known, backend.engine)
    chosen = select_datasets(request.steps, request.selection, published)
    lost = {name: known.pop(name) for name in request.lost if name in known}
    with entered(request.environment, backend.lake, request.project.name) as run:
        _check_registry(published, request.environment)
        arrived = land_arrivals(request.project, request.environment, on_event)
        landed, unlanded = landed_files(request.environment), {**arrived.unlanded, **request.unreadable}
        foreign = request.upstream.published if request.upstream else ()
        plan = make_plan(
            request.steps,
            known,
            landed,
            chosen=chosen,
            force=request.force,
            foreign=foreign,
            unlanded=unlanded,
            readable=readable_since(request.environment.site, request.upstream),
        )
        on_event(RunEvent("planned", total=len(plan.runs)))
        place = replace(_place(request, run, backend.lake, known, landed), unlanded=unlanded, lost=lost)
        report = _carry_out(request, backend, plan, place, arrived.landings, on_event)
    return replace(report, seconds=time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of all arrivals. `unlanded` says for a source why one of its files could not land."""

    landings: tuple[Landing, ...]
    unlanded: Mapping[str, str]


def land_arrivals(project: Project, environment: Environment, on_event: OnEvent) -> Arrived:
    """Bring every new or changed file of every source into persistent landing.

    A file that can't be read holds up those of its source that come after it, so that they arrive in order.
    """
    zone, landings, unlanded = environment.landing, list[Landing](), dict[str, str]()
    with environment.landing_locked(lambda who: on_event(RunEvent("waiting", text=who))):
        zone.sweep()
        for source in project.sources:
            zone.drop_folder(source.name).mkdir(parents=True, exist_ok=True)
            try:
                for arrival in zone.arrivals(source.name, source.origins):
                    on_event(RunEvent("landing", text=arrival.name))
                    if landing := zone.land(arrival):
                        landings.append(landing)
                for origin in filter(is_asked, source.origins):
                    on_event(RunEvent("landing", text=told(origin)))
                    landings += pull(zone, source.name, origin, project.root, _noting(on_event))
            except OriginError as error:
                unlanded[source.name] = str(error)
    return Arrived(tuple(landings), unlanded)


def _noting(on_event: OnEvent) -> Callable[[str], None]:
    return lambda text: on_event(RunEvent("landing", text=text))


def _check_registry(published: Mapping[str, Published], environment: Environment) -> None:
    """New files must not get numbers that the lake has seen: its rows would then come from other files."""
    newest = environment.landing.registry.newest()
    known = newest.id if newest else 0
    if (seen := max((one.files_until for one in published.values()), default=0)) > known:
        raise LakeError(
            f"The registry of landed files ends at file {known}, and the lake has read file {seen}: "
            f"{environment.landing.registry.place} was lost, or is an old copy. Rebuild it: backbone doctor --repair"
        )


def read_published(environment: Environment, lake: Lake, at: int | None = None) -> dict[str, Published]:
    """What the lake holds, now or at a snapshot: from the cache where it is valid, else from governance."""
    cached = read_state(environment.state_path)
    if cached and (cached.lake, cached.snapshot) == lake.snapshot and at in {None, cached.snapshot}:
        return dict(cached.published)
    return published_in(lake, at)


def published_in(lake: Lake, at: int | None = None) -> dict[str, Published]:
    """What the lake holds, now or at a snapshot, by its governance."""
    if not lake.has("governance.step"):
        return {}
    until = f"AND committed <= {at}" if at is not None else ""
    newest = f"""
        SELECT * FROM lake.governance.step WHERE status <> 'failed' {until}
        QUALIFY row_number() OVER (PARTITION BY dataset ORDER BY committed DESC) = 1"""
    return published_of(lake.records(f"FROM ({newest}) WHERE status <> 'dropped'"))


def readable_since(site: Site, upstream: Upstreamed | None) -> Readable:
    """Whether the lakes still know what changed in a dataset after a snapshot: maintenance lets old ones go."""
    own = cache(lambda: frozenset(snapshots(site)))
    other = cache(lambda: frozenset(snapshots(upstream.site)) if upstream else frozenset())

    def readable(dataset: str, since: int) -> bool:
        return since + 1 in (other() if upstream and dataset in upstream.published else own())

    return readable


def landed_files(environment: Environment) -> dict[str, tuple[LandedFile, ...]]:
    """All landed files by source."""
    found: dict[str, list[LandedFile]] = {}
    for file in environment.landing.registry.files():
        found.setdefault(file.source, []).append(file)
    return {source: tuple(files) for source, files in found.items()}


def _place(
    request: Request,
    run: str,
    lake: Lake,
    known: Mapping[str, Published],
    landed: Mapping[str, Sequence[LandedFile]],
) -> Place:
    upstream = request.upstream
    registered = {
        name: row
        for name, row in _registered(request.environment, lake, known).items()
        if f"analysis.{name}" not in request.lost
    }
    return Place(
        run=run,
        root=request.project.root,
        site=request.environment.site,
        snapshot=lake.snapshot[1],
        published=known,
        landed=landed,
        fingerprint=request.fingerprint,
        open_landed=request.environment.landing.opened,
        registered=registered,
        model_files={} if request.environment.site.data.is_local else _model_files(lake, registered),
        upstream=dict.fromkeys(upstream.published, upstream.snapshot) if upstream else {},
    )


def _registered(environment: Environment, lake: Lake, known: Mapping[str, Published]) -> dict[str, dict[str, object]]:
    """The present model version of each analysis, with the absolute path of its file."""
    models = environment.site.models
    found = registered_models(lake, known)
    return {analysis: {**row, "path": str(models / str(row["path"]))} for analysis, row in found.items()}


def _model_files(lake: Lake, registered: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """The files of these model versions, by the names that they have in the lake's data, with their checksums."""
    if not registered:
        return {}
    folders = {f"models/{'/'.join(str(row['path']).split('/')[-3:-1])}/" for row in registered.values()}
    rows = lake.records("SELECT path, sha256 FROM lake.governance.data_file WHERE starts_with(path, 'models/')")
    files = {str(row["path"]): str(row["sha256"]) for row in rows}
    return {name: digest for name, digest in files.items() if name.startswith(tuple(folders))}


def registered_models(
    lake: Lake, published: Mapping[str, Published], at: int | None = None
) -> dict[str, dict[str, object]]:
    """The model version of each published analysis that is in use, now or in a snapshot."""
    if not lake.has("governance.model_version"):
        return {}
    until = f"AND r.snapshot <= {at}" if at is not None else ""
    newest = f"""
        SELECT m.* FROM lake.governance.model_version m JOIN lake.governance.run r USING (run)
        WHERE m.registered {until} QUALIFY row_number() OVER (PARTITION BY analysis ORDER BY r.rowid DESC) = 1"""
    # A rollback to before an analysis was first published leaves its model versions in the log.
    rows = {str(row["analysis"]): row for row in lake.records(newest)}
    return {analysis: row for analysis, row in rows.items() if f"analysis.{analysis}" in published}


def _carry_out(
    request: Request, backend: Backend, plan: Plan, place: Place, landings: Sequence[Landing], on_event: OnEvent
) -> RunReport:
    dropped = {drop.dataset for drop in plan.drops}
    relations = {name: one.relation for name, one in place.published.items() if name not in dropped}
    if not plan.runs and not dropped and not project_changes(request.project, relations, (), backend.lake):
        _remember(
            request, backend.lake, place.published, place, snapshot=place.snapshot, complete=not request.selection
        )
        steps = step_reports(plan, StagedPlan(), place.published)
        landed = landed_reports(landings, StagedPlan())
        return RunReport("", request.environment.name, "nothing", place.snapshot, steps, landed)
    started_at = datetime.now(UTC)
    with measured() as cost:
        staging = stage_plan(plan, place, backend.engine, on_event)
    on_event(RunEvent("publishing", done=len(staging.outcomes), total=len(plan.runs)))
    succeeded = [outcome for outcome in staging.outcomes if not outcome.failure]
    relations |= {one.dataset: one.relation for outcome in succeeded for one in outcome.staged}
    changes = dataset_changes((outcome.planned.step for outcome in succeeded), relations, place.published)
    changes += drop_changes(plan.drops)
    changes += project_changes(request.project, relations, changes, backend.lake)
    done = bool(succeeded or dropped) or not plan.runs
    row = _run_row(request, place, started_at, cost, done=done)
    files = landed_rows(staging.outcomes, place)
    publication = Publication(place, tuple(staging.outcomes), tuple(changes), row, files, plan.drops)
    # Files are registered unread; only where rows are deleted is there much to do.
    backend.engine.expect(None if any(one.removed for outcome in succeeded for one in outcome.staged) else 0)
    send(backend.lake, *publication.files)
    snapshot, published = backend.lake.publish(place.run, lambda transaction: publish(transaction, publication))
    journal.remove_staged(place.site, place.run)
    complete = len(succeeded) == len(staging.outcomes) and not staging.kept and not request.selection
    if snapshot == place.snapshot + 1:
        _remember(request, backend.lake, published, place, snapshot=snapshot, complete=complete)
    else:  # others have published since this run began: what the lake holds, the next look reads from it
        request.environment.state_path.unlink(missing_ok=True)
    return RunReport(
        place.run,
        request.environment.name,
        "published" if done else "failed",
        snapshot,
        step_reports(plan, staging, published),
        landed_reports(landings, staging),
        quarantined=staging.quarantined,
    )


def _run_row(request: Request, place: Place, started_at: datetime, cost: Cost, *, done: bool) -> dict[str, object]:
    return {
        "run": place.run,
        "environment": request.environment.name,
        "project": request.project.name,
        "status": "published" if done else "failed",
        "started_at": started_at,
        "seconds": cost.seconds,
        "cpu_seconds": cost.cpu_seconds,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "base_snapshot": place.snapshot,
        "backbone_version": __version__,
        "code_version": request.code_version or request.fingerprint,
    }


def _remember(
    request: Request,
    lake: Lake,
    published: Mapping[str, Published],
    place: Place,
    *,
    snapshot: int,
    complete: bool,
) -> None:
    identity, last = lake.snapshot
    if last != snapshot:  # another has published in the meantime
        return
    state = State(
        identity,
        snapshot,
        {name: one for name, one in {**place.lost, **published}.items() if name not in place.upstream},
        request.fingerprint if complete else "",
        {source.name: source.origins for source in request.project.sources},
        {source: files[-1].id for source, files in place.landed.items()},
        request.upstream.snapshot if request.upstream else None,
        labels_of(request.steps),
    )
    write_state(request.environment.state_path, state)
