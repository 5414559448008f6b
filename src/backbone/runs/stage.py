"""Staging: each step writes its outputs to files that nobody sees yet, then they are audited."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from backbone.analysis.stage import stage_analysis
from backbone.engine.cost import Cost, measured
from backbone.engine.protocol import Engine, Session, parts_of
from backbone.errors import BackboneError, DatasetError, LakeError, line_of
from backbone.governance.declared import about
from backbone.lake.site import Site
from backbone.model.files import LandedFile
from backbone.model.names import FILE, parquet_table, quoted, quoted_dataset, stem_of, zone_of
from backbone.model.relations import Relation
from backbone.model.rules import Location
from backbone.model.steps import (
    Analyse,
    Derive,
    Extent,
    Failure,
    Format,
    How,
    OpenLanded,
    PlannedStep,
    Published,
    Staged,
    Staging,
    Step,
    Trust,
    as_they_are,
)  # fmt: skip
from backbone.profiling.profile import AttributeProfile, profile_relation
from backbone.runs.edited import check_unedited
from backbone.runs.journal import SCRATCH
from backbone.storage.folder import sha256_of
from backbone.troubles import trouble
from backbone.zones.exploitation import stage_view
from backbone.zones.formatted import stage_formatted
from backbone.zones.trusted import stage_trusted


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run works: the project, the environment's lake at its base snapshot, and what is published there.

    `unlanded` says for a source why one of its files could not land. `lost` are datasets whose rows can't be read any
    more: they are made as if they were new, and are not in `published`. `fingerprint` is that of the project's files.
    `model_files` are those of registered models that may have to be fetched, by name, with their checksums.
    `open_landed` gives landed files with paths that programs can open; copies are made in the folder that it is given.
    """

    run: str
    root: Path
    site: Site
    snapshot: int
    published: Mapping[str, Published]
    landed: Mapping[str, Sequence[LandedFile]]
    registered: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    model_files: Mapping[str, str] = field(default_factory=dict)
    upstream: Mapping[str, int] = field(default_factory=dict)
    unlanded: Mapping[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    lost: Mapping[str, Published] = field(default_factory=dict)
    open_landed: OpenLanded = as_they_are
    numbers: Iterator[int] = field(default_factory=count)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step as it went: what it staged, or why it failed. `profiles` is parallel to `staged`.

    `files` are all that it may have written, whether or not it was used. `records` counts what each landed file held.
    """

    planned: PlannedStep
    staged: tuple[Staged, ...] = ()
    profiles: tuple[tuple[AttributeProfile, ...], ...] = ()
    failure: Failure | None = None
    cost: Cost = field(default_factory=Cost)
    how: How = "full"
    files: tuple[Path, ...] = ()
    records: Mapping[int, int] = field(default_factory=dict)


def stage_step(planned: PlannedStep, place: Place, engine: Engine, staged: Mapping[str, Staged]) -> Outcome:
    """Stage one step, audit it and profile it. Whatever goes wrong in it is a failure of its datasets alone.

    What fails with the new rows alone is tried with all rows before it counts as failed: whether a share is tolerated,
    or a group gone, must not depend on how many runs brought the rows.
    """
    how = _actual_how(planned, staged)
    outcome = _attempt(planned, place, engine, staged, how)
    if outcome.failure and how == "incremental" and isinstance(planned.step.work, (Trust, Derive)):
        for path in outcome.files:
            _remove(path)
        return _attempt(planned, place, engine, staged, "full")
    return outcome


def _remove(path: Path) -> None:
    for part in parts_of(path):
        part.unlink(missing_ok=True)


def _attempt(planned: PlannedStep, place: Place, engine: Engine, staged: Mapping[str, Staged], how: How) -> Outcome:
    files: list[Path] = []
    results: tuple[Staged, ...] = ()
    profiles: tuple[tuple[AttributeProfile, ...], ...] = ()
    records: Mapping[int, int] = {}
    failure = None
    engine.expect(_rows_read(planned.step, place, staged))
    with measured() as cost:
        try:
            _check_landed(planned.step, place)
            with engine.local() if is_local(planned.step) else engine.session() as session:
                request = _staging(planned, place, staged, how, _new_files(place, files))
                made = _stage(request, session, engine)
                check_unedited(planned.step, place.root, place.fingerprint)
                results = tuple(_cut_off(one, place.published, request, session) for one in made)
                audit(results)
                profiles = tuple(_profiled(one, request, session) for one in results)
                records = _records(results[0], session) if isinstance(planned.step.work, Format) else {}
        except DatasetError as error:
            failure = error.failure
        except BackboneError as error:
            failure = Failure(planned.step.dataset, str(error))
        except (OSError, MemoryError) as error:  # of the machine, not of its work: the others may still succeed
            failure = Failure(
                planned.step.dataset, trouble(error, place.site.folder) or f"{type(error).__name__}: {error}"
            )
    failure = _placed(failure, planned.step, place.root) if failure else None
    return Outcome(planned, () if failure else results, profiles, failure, cost, how, tuple(files), records)


def _check_landed(step: Step, place: Place) -> None:
    """A source whose files can't all land is as it was: later files must not come before earlier ones."""
    if isinstance(step.work, Format) and (why := place.unlanded.get(step.work.source.name)):
        hint = "mend or remove that file; the files after it wait, so that they arrive in order. Then: backbone run"
        raise DatasetError(Failure(step.dataset, why, step.work.source.at, hint=hint))


def is_local(step: Step) -> bool:
    """Whether a step works in this process whatever the engine: its readers are ours, its models scikit-learn's."""
    match step.work:
        case Format() | Analyse(_, "split"):
            return True
        case Analyse(analysis, "train" | "predict"):
            return analysis.library != "spark"
        case _:
            return False


def _rows_read(step: Step, place: Place, staged: Mapping[str, Staged]) -> int | None:
    """About how many rows a step reads; None where it can't be told, as for raw files and people's Python."""
    if isinstance(step.work, (Format, Analyse)) or (isinstance(step.work, Derive) and step.work.view.function_path):
        return None
    return sum(staged[name].rows if name in staged else place.published[name].rows for name in step.inputs)


def _records(one: Staged, session: Session) -> dict[int, int]:
    """How many records each landed file held, readable or not."""
    parts = [f"SELECT {FILE} AS file FROM {parquet_table([path])}" for path in one.added]
    parts += [f"SELECT DISTINCT file, record FROM {parquet_table([path])}" for path in one.quarantined]
    union = " UNION ALL BY NAME ".join(parts)
    return dict(session.rows(f"SELECT file, count(*) FROM ({union}) GROUP BY file")) if parts else {}


def _placed(failure: Failure, step: Step, root: Path) -> Failure:
    """The failure with its place in the project's files, the line there, and what to do next."""
    at = failure.at if failure.at and failure.at.path else Location(about(step)[2])
    hint = failure.hint or "mend it, then: backbone run"
    return replace(failure, at=at, hint=hint, source_line=failure.source_line or line_of(root, at))


def _stage(request: Staging, session: Session, engine: Engine) -> tuple[Staged, ...]:
    match request.step.work:
        case Format():
            return stage_formatted(request, session, engine.each)
        case Trust():
            return stage_trusted(request, session)
        case Derive():
            return stage_view(request, session)
        case Analyse():
            return stage_analysis(request, session)


def audit(results: Sequence[Staged]) -> None:
    """What must be true of everything that is staged, whoever staged it.

    Raises:
        DatasetError: a ledger doesn't balance: rows were lost or doubled.
    """
    for one in results:
        for ledger in (one.ledger, one.delta):
            if ledger and not ledger.balances:
                message = (
                    f"the ledger doesn't balance: {ledger.rows_in:,} rows in, {ledger.rows_out:,} out, "
                    f"{ledger.quarantined:,} quarantined, {ledger.merged_away:,} merged away"
                )
                raise DatasetError(
                    Failure(one.dataset, message, hint="This is a defect of Backbone: please report it.")
                )


def _new_files(place: Place, files: list[Path]) -> Callable[[str], Path]:
    def new_file(dataset: str) -> Path:
        folder = place.site.tables / zone_of(dataset) / stem_of(dataset)
        folder.mkdir(parents=True, exist_ok=True)
        files.append(folder / f"{place.run}-{next(place.numbers)}.parquet")
        return files[-1]

    return new_file


def _actual_how(planned: PlannedStep, staged: Mapping[str, Staged]) -> How:
    """Incremental only if every input that this run made again changed within its generation."""
    if planned.how == "full":
        return "full"
    replaced = any(staged[i].replaces and not staged[i].unchanged for i in planned.step.inputs if i in staged)
    return "full" if replaced else "incremental"


def _staging(
    planned: PlannedStep, place: Place, staged: Mapping[str, Staged], how: How, new_file: Callable[[str], Path]
) -> Staging:
    step = planned.step
    since = place.published[step.dataset].inputs if how == "incremental" else {}
    source = stem_of(step.dataset).partition("__")[0] if isinstance(step.work, (Format, Trust)) else ""
    name = step.work.analysis.name if isinstance(step.work, Analyse) else stem_of(step.dataset)
    return Staging(
        step=step,
        how=how,
        run=place.run,
        root=place.root,
        new_file=new_file,
        snapshot=place.snapshot,
        inputs={i: _extent(i, place, staged, since[i].snapshot if i in since else None) for i in step.inputs},
        current={o: _held(place.published[o], place) for o in step.outputs if o in place.published},
        files=planned.files,
        all_files=tuple(place.landed.get(source, ())),
        artefacts=place.site.models / name / place.run,
        scratch=place.site.folder / SCRATCH / place.run,
        registered=_with_files(place.registered.get(name), place),
        open_landed=place.open_landed,
    )


def _with_files(registered: Mapping[str, object] | None, place: Place) -> Mapping[str, object] | None:
    """A registered model whose files are here: fetched, and equal to what was published.

    Raises:
        LakeError: they are missing or damaged.
    """
    if registered is None or place.site.data.is_local:
        return registered
    folder = Path(str(registered["path"])).parent
    for name, digest in place.model_files.items():
        path = place.site.staging / name
        if folder not in path.parents or (path.is_file() and sha256_of(path) == digest):
            continue
        if place.site.data.fetch(name, path) != digest:
            path.unlink(missing_ok=True)
            raise LakeError(f"{place.site.data.uri(name)} is missing or damaged. Train again: backbone doctor --repair")
    return registered


def _held(published: Published, place: Place, since: int | None = None) -> Extent:
    since = _seen(published, place, since)
    if published.dataset in place.upstream:
        snapshot, lake = place.upstream[published.dataset], "upstream"
    else:
        snapshot, lake = place.snapshot, "lake"
    return Extent(published.dataset, published.relation, snapshot, since=since, lake=lake, rows=published.rows)


def _extent(dataset: str, place: Place, staged: Mapping[str, Staged], since: int | None) -> Extent:
    one = staged.get(dataset)
    if one is None or one.unchanged:
        return _held(place.published[dataset], place, since)
    if one.replaces:
        return _new(one)
    return _changed(one, _held(place.published[dataset], place, since))


def _seen(published: Published, place: Place, since: int | None) -> int | None:
    """Up to where a reader has seen a dataset: to the end, if nothing changed since; then no change feed is read."""
    if since is None or published.version.snapshot > since:
        return since
    return place.upstream.get(published.dataset, place.snapshot)


def _new(one: Staged) -> Extent:
    return Extent(one.dataset, one.relation, added=one.added, rows=one.rows)


def _changed(one: Staged, held: Extent) -> Extent:
    return replace(
        held, relation=one.relation, removed=one.removed, added=one.added, held=held.relation.names, rows=one.rows
    )


def _cut_off(one: Staged, published: Mapping[str, Published], request: Staging, session: Session) -> Staged:
    """Notice a rebuilt dataset that is equal to what is published: what depends on it needn't run.

    Rows are compared as a multiset, by the sum of their hashes, only where their number is the same.
    """
    held = request.current.get(one.dataset)
    if not one.replaces or one.unchanged or held is None or published[one.dataset].rows != one.rows:
        return one
    before, now = ([(a.name, a.domain) for a in relation.attributes] for relation in (held.relation, one.relation))
    if before != now:
        return one
    session.show_system(True)
    session.show(held)
    session.show(replace(_new(one), dataset="staged.again"))
    names = ", ".join(quoted(name) for name in one.relation.names)
    # DuckDB's hash of several values only mixes those of each: hashed once more, no swap of values goes unnoticed.
    told = f"SELECT count(*), sum(hash(hash({names}))) FROM"
    there, here = session.rows(f"{told} {quoted_dataset(one.dataset)} UNION ALL {told} staged.again")
    if there != here:
        return one
    for path in one.added:
        path.unlink()
    return replace(one, added=(), unchanged=True)


def _profiled(one: Staged, request: Staging, session: Session) -> tuple[AttributeProfile, ...]:
    """The cheap profile of a dataset as it is after the step; an unchanged one has its profile already."""
    if one.unchanged:
        return ()
    relation = Relation(one.relation.visible)
    if one.replaces and one.added:
        return profile_relation(session, parquet_table(one.added), relation, one.rows)
    session.show_system(True)
    session.show(_new(one) if one.replaces else _changed(one, request.current[one.dataset]))
    return profile_relation(session, quoted_dataset(one.dataset), relation, one.rows)
