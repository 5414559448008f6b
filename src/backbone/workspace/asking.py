"""Answers about a workspace: how it stands, what its datasets are, where they come from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from backbone.errors import UsageError, did_you_mean
from backbone.governance.declared import about
from backbone.lake.catalogue import last_snapshot
from backbone.model.names import ZONES, literal, quoted_dataset, stem_of, zone_of
from backbone.model.relations import Relation
from backbone.model.reports import (
    ColumnProfile,
    DatasetDescription,
    DatasetProfile,
    DatasetStatus,
    HistoryEntry,
    LineageGraph,
    Quarantine,
    RuleState,
    Sample,
    Status,
)  # fmt: skip
from backbone.model.steps import Derive, Extent, Finding, Ledger, Published, Step, Trust
from backbone.profiling.profile import profile_detail
from backbone.runs import journal
from backbone.runs.environment import Environment
from backbone.runs.run import read_published
from backbone.runs.selection import Selection, select_datasets
from backbone.runs.state import read_state
from backbone.workspace.querying import find_dataset
from backbone.workspace.reading import Reading, open_for_reading
from backbone.workspace.settling import with_suggestions

if TYPE_CHECKING:
    from backbone.model.rules import Rule
    from backbone.workspace.workspace import Workspace

_SAMPLE_ROWS = 5


def status(workspace: "Workspace", selection: Selection) -> Status:
    """How every dataset stands; before the first run, which there will be."""
    datasets = [output for step in workspace.steps for output in step.outputs]
    datasets.sort(key=lambda d: ZONES.index(zone_of(d)))
    if last_snapshot(workspace.environment.site) is None:
        return _only_selected(workspace, selection, {}, empty_status(workspace, datasets))
    with open_for_reading(workspace.environment) as reading:
        now = reading.status(workspace.project.name, datasets, settled=_settled(workspace))
        published = read_published(workspace.environment, reading.lake) if selection else {}
    return _only_selected(workspace, selection, published, now)


def _only_selected(
    workspace: "Workspace", selection: Selection, published: Mapping[str, Published], now: Status
) -> Status:
    chosen = select_datasets(workspace.steps, selection, published)
    if chosen is None:
        return now
    shown = {output for step in workspace.steps if step.dataset in chosen for output in step.outputs}
    return replace(now, datasets=tuple(one for one in now.datasets if one.dataset in shown))


def _settled(workspace: "Workspace") -> bool:
    """Whether everything was up to date with these very project files when the last run ended."""
    state = read_state(workspace.environment.state_path)
    return state is not None and state.fingerprint == workspace.fingerprint


def empty_status(workspace: "Workspace", datasets: list[str]) -> Status:
    """The status before anything has run."""
    landed = len(workspace.environment.landing.registry.files())
    rows = tuple(DatasetStatus(dataset, zone_of(dataset)) for dataset in datasets)
    return Status(workspace.project.name, workspace.environment.name, None, rows, landed_files=landed)


def history(workspace: "Workspace", limit: int) -> tuple[HistoryEntry, ...]:
    """The last runs, with one that is under way or was killed before it was recorded; none before the first."""
    try:
        with open_for_reading(workspace.environment) as reading:
            recorded = reading.history(limit)
    except UsageError:
        recorded = ()
    known = {entry.run for entry in recorded}
    return (*(entry for entry in _unrecorded(workspace.environment) if entry.run not in known), *recorded)[:limit]


def _unrecorded(environment: Environment) -> list[HistoryEntry]:
    """The runs of which there is only an entry in the journal."""
    return [
        HistoryEntry(
            str(entry["run"]), environment.name, "running" if running else "killed",
            datetime.fromisoformat(str(entry["started_at"])),
            message="" if running else "the next command removes what it had staged: backbone run",
        )
        for entry, running in journal.unrecorded(environment.site)
    ]  # fmt: skip


def quarantine(workspace: "Workspace", dataset: str | None, run: str | None, limit: int) -> Quarantine:
    """The rows set aside."""
    with open_for_reading(workspace.environment) as reading:
        known = read_published(workspace.environment, reading.lake)
        declared = [output for step in workspace.steps for output in step.outputs]
        found = reading.quarantine(_meant(dataset, [*known, *declared]) if dataset else None, run, limit)
    return replace(found, rows=with_suggestions(workspace, found.rows))


def _meant(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """The dataset of a name, or for a bare one those of every zone: rows are set aside in each."""
    found = find_dataset(name, known)
    return tuple(dict.fromkeys(one for one in known if name in {one, stem_of(one)})) or (found,)


def lineage(workspace: "Workspace", name: str) -> LineageGraph:
    """Lineage of a dataset, or of a column named `zone.name.column` or `name.column`."""
    with open_for_reading(workspace.environment) as reading:
        known = read_published(workspace.environment, reading.lake)
        dataset, column = _dataset_and_column(name, known)
        return reading.lineage(dataset, column)


def _dataset_and_column(name: str, known: Mapping[str, Published]) -> tuple[str, str | None]:
    try:
        return find_dataset(name, known), None
    except UsageError:
        before, _, column = name.rpartition(".")
        if not before:
            raise
    dataset = find_dataset(before, known)
    columns = known[dataset].relation.names
    if column not in columns:
        near = did_you_mean(column, columns) or f" Which there are: backbone show {dataset}"
        raise UsageError(f"There is no column '{column}' in {dataset}.{near}")
    return dataset, column


def profile(workspace: "Workspace", name: str) -> DatasetProfile:
    """Measure a dataset's columns now, in detail."""
    with open_for_reading(workspace.environment) as reading, reading.engine.session() as session:
        held = _held(workspace, reading, name)
        visible = Relation(held.relation.visible)
        session.show(Extent(held.dataset, visible, reading.lake.snapshot[1]))
        detail = profile_detail(session, quoted_dataset(held.dataset), visible)
    columns = tuple(
        ColumnProfile(
            d.attribute, d.domain, d.nulls, d.distinct, d.approximate, d.minimum, d.maximum, d.mean, d.deviation, d.top
        )
        for d in detail
    )
    return DatasetProfile(held.dataset, held.rows, columns)


def _held(workspace: "Workspace", reading: Reading, name: str) -> Published:
    known = read_published(workspace.environment, reading.lake)
    return known[find_dataset(name, known)]


def describe(workspace: "Workspace", name: str) -> DatasetDescription:
    """All about one dataset, from the project and from governance."""
    with open_for_reading(workspace.environment) as reading:
        known = read_published(workspace.environment, reading.lake)
        declared = {output: step for step in workspace.steps for output in step.outputs}
        dataset = find_dataset(name, [*known, *declared])
        held, step = known.get(dataset), declared.get(dataset)
        standing = next(
            d for d in reading.status("", [dataset], settled=_settled(workspace)).datasets if d.dataset == dataset
        )
        description, owner, made_by = about(step) if step else ("", "", "")
        return DatasetDescription(
            dataset=dataset,
            relation=Relation(held.relation.visible if held else ()),
            key=_key(step),
            description=description,
            owner=owner,
            tags=step.tags if step else (),
            made_by=made_by,
            inputs=step.inputs if step else (),
            readers=tuple(s.dataset for s in workspace.steps if dataset in s.inputs),
            rules=_rules(dataset, step, reading),
            rows=held.rows if held else None,
            snapshot=held.version.snapshot if held else None,
            run=standing.run,
            changed_at=standing.changed_at,
            ledger=_ledger(dataset, reading),
            sample=_sample(held, reading) if held else None,
            terms=_terms(dataset, reading),
        )


def _key(step: Step | None) -> tuple[str, ...]:
    match step.work if step else None:
        case Trust(trusted):
            return trusted.key
        case Derive(view):
            return view.key
        case _:
            return ()


def _rules(dataset: str, step: Step | None, reading: Reading) -> tuple[RuleState, ...]:
    match step.work if step else None:
        case Trust(trusted):
            declared: tuple[Rule, ...] = trusted.rules
        case Derive(view):
            declared = view.rules
        case _:
            declared = ()
    newest = {
        row["rule"]: row
        for row in reading.records(
            f"SELECT r.* FROM lake.governance.rule_result r JOIN lake.governance.run AS u USING (run) "
            f"WHERE dataset = {literal(dataset)} "
            "QUALIFY row_number() OVER (PARTITION BY rule ORDER BY u.rowid DESC) = 1"
        )
    }
    states = []
    for rule in declared:
        row = newest.get(rule.name)
        finding = Finding(
            rule, row["tested"], row["broken"], row["level"], row["message"] or "", tuple(row["examples"] or ())
        ) if row else None  # fmt: skip
        states.append(RuleState(rule, finding))
    return tuple(states)


def _ledger(dataset: str, reading: Reading) -> Ledger | None:
    """The ledger of the whole dataset: that of the last run over all rows, and what runs since have added."""
    names = ("rows_in", "rows_out", "quarantined", "merged_away")
    rows = reading.records(f"""
        WITH entry AS (
            SELECT l.*, r.rowid AS recorded, max(r.rowid) FILTER (scope = 'dataset') OVER () AS last
            FROM lake.governance.ledger l JOIN lake.governance.run r USING (run) WHERE dataset = {literal(dataset)})
        SELECT {", ".join(f"sum({name}) AS {name}" for name in names)} FROM entry
        WHERE (scope = 'dataset' AND recorded = last) OR (scope = 'run' AND recorded > last)""")
    return Ledger(*(int(rows[0][name]) for name in names)) if rows and rows[0]["rows_in"] is not None else None


def _sample(held: Published, reading: Reading) -> Sample:
    with reading.engine.session() as session:
        session.show(Extent(held.dataset, held.relation, reading.lake.snapshot[1]))
        rows = session.rows(f"FROM {quoted_dataset(held.dataset)} LIMIT {_SAMPLE_ROWS}")
    return Sample(tuple(a.name for a in held.relation.visible), tuple(rows), held.rows)


def _terms(dataset: str, reading: Reading) -> dict[str, tuple[str, str]]:
    rows = reading.records(
        "SELECT attribute, term, means FROM lake.governance.binding JOIN lake.governance.term USING (term) "
        f"WHERE dataset = {literal(dataset)}"
    )
    return {row["attribute"]: (row["term"], row["means"]) for row in rows}
