"""Publishing: one short transaction registers what a run staged, with all that governance keeps of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backbone.governance.tables import TABLES
from backbone.lake.site import Site
from backbone.lake.transactions import Transaction
from backbone.model.files import LandedFile
from backbone.model.names import literal, stem_of
from backbone.model.steps import Drop, Format, Ledger, Published, Staged, Version
from backbone.profiling.profile import AttributeProfile
from backbone.runs.declared import StateChange
from backbone.runs.stage import Outcome, Place
from backbone.runs.state import published_row
from backbone.storage.folder import sha256_of

_GOVERNED = ("quarantine", "merged_away")


@dataclass(frozen=True, slots=True)
class Publication:
    """All that one transaction makes visible.

    `outcomes` are the run's steps, failed ones too: their findings and rows set aside are recorded. `changes` are new
    rows of governance's states, `run` the row about the run itself, `landed` rows about the landed files it read.
    `drops` are datasets that nothing declares any more: earlier snapshots still show them.
    """

    place: Place
    outcomes: tuple[Outcome, ...]
    changes: tuple[StateChange, ...]
    run: Mapping[str, object]
    landed: tuple[Mapping[str, object], ...]
    drops: tuple[Drop, ...] = ()

    @property
    def files(self) -> tuple[list[Path], list[Path]]:
        """The files to be published: data files and models, and those whose rows go into the catalogue if few."""
        staged = [one for outcome in self.outcomes for one in outcome.staged]
        failures = [outcome.failure for outcome in self.outcomes if outcome.failure]
        whole = [path for one in staged for path in (*(() if one.unchanged else one.added), *one.artefacts)]
        aside = [path for one in staged for path in (*one.quarantined, *one.merged)]
        return whole, [*aside, *(path for failure in failures for path in failure.quarantined)]


def publish(lake: Transaction, what: Publication) -> tuple[int, dict[str, Published]]:
    """Make what was staged visible, in an open transaction.

    Returns:
        The snapshot that it becomes, and what the lake then holds of every dataset.
    """
    for name, relation in TABLES.items():
        lake.ensure(f"governance.{name}", relation)
    published = dict(what.place.published)
    _forget_rows_aside(lake, [one for outcome in what.outcomes for one in outcome.staged])
    for outcome in what.outcomes:
        for one in outcome.staged:
            published[one.dataset] = _published(one, outcome, published, lake.snapshot, what.place)
            _publish_dataset(lake, one)
        for path in outcome.failure.quarantined if outcome.failure else ():
            lake.insert_file("governance.quarantine", path)
    for drop in what.drops:
        lake.drop(drop.dataset)
        del published[drop.dataset]
    for change in what.changes:
        lake.delete(f"governance.{change.table}", change.where)
    rows_of = _gathered(what, published, lake.snapshot)
    rows_of["data_file"] = _file_rows(what, lake.files)
    for name, rows in rows_of.items():
        lake.insert(f"governance.{name}", TABLES[name], rows)
    return lake.snapshot, published


def _gathered(
    what: Publication, published: Mapping[str, Published], snapshot: int
) -> dict[str, list[Mapping[str, object]]]:
    """All rows for governance, by table, each with its run."""
    rows: dict[str, list[Mapping[str, object]]] = {"run": [{**what.run, "snapshot": snapshot}]}
    rows["landed_file"] = list(what.landed)
    rows["step"] = [
        {"run": what.place.run, "dataset": drop.dataset, "status": "dropped", "reasons": drop.reason,
         "committed": snapshot}
        for drop in what.drops
    ]  # fmt: skip
    for change in what.changes:
        rows.setdefault(change.table, []).extend({"run": what.place.run, **row} for row in change.rows)
    for outcome in what.outcomes:
        for name, values in _rows_of(outcome, published, what.place, snapshot):
            rows.setdefault(name, []).extend(values)
    return rows


def _file_rows(what: Publication, files: Iterable[tuple[str, str]]) -> list[Mapping[str, object]]:
    """A row with the checksum of every file published: of tables, and of models with what belongs to them."""
    staged = [one for outcome in what.outcomes for one in outcome.staged]
    site = what.place.site
    named = [*files, *((one.dataset, site.name_of(path)) for one in staged for path in one.artefacts)]
    return data_file_rows(what.place.run, named, site)


def landed_rows(outcomes: Sequence[Outcome], place: Place) -> tuple[dict[str, object], ...]:
    """Rows about the landed files that these outcomes read for the first time, with the records counted in each."""
    rows: list[dict[str, object]] = []
    for outcome in outcomes:
        work, dataset = outcome.planned.step.work, outcome.planned.step.dataset
        before = place.published.get(dataset) or place.lost.get(dataset)
        if isinstance(work, Format) and not outcome.failure:
            until = before.files_until if before else 0
            new = [file for file in outcome.planned.files if file.id > until]
            rows += [{**_landed_row(file, work, place), "records": outcome.records.get(file.id, 0)} for file in new]
    return tuple(rows)


def _landed_row(file: LandedFile, work: Format, place: Place) -> dict[str, object]:
    return {
        "run": place.run, "file": file.id, "source": file.source, "name": file.name,
        "path": str(file.path.relative_to(place.site.folder.parent / "landing")), "sha256": file.sha256,
        "size": file.size, "origin": file.origin, "arrived_at": file.arrived_at, "format": work.source.template.format,
    }  # fmt: skip


def _forget_rows_aside(lake: Transaction, staged: Sequence[Staged]) -> None:
    """Forget rows set aside of datasets made anew, and those of failed attempts at others: success settles them."""
    replaced = ", ".join(literal(one.dataset) for one in staged if one.replaces)
    changed = ", ".join(literal(one.dataset) for one in staged if not one.replaces)
    for name in _GOVERNED if replaced else ():
        lake.delete(f"governance.{name}", f"dataset IN ({replaced})")
    if changed:
        failed = f"SELECT (dataset, run) FROM lake.governance.step WHERE dataset IN ({changed}) AND status = 'failed'"
        lake.delete("governance.quarantine", f"dataset IN ({changed}) AND (dataset, run) IN ({failed})")


def _publish_dataset(lake: Transaction, one: Staged) -> None:
    """One dataset with its rows set aside."""
    for path in one.quarantined:
        lake.insert_file("governance.quarantine", path)
    for path in one.merged:
        lake.insert_file("governance.merged_away", path)
    if one.unchanged:
        return
    if one.replaces:
        lake.replace(one.dataset, one.relation, one.added)
    else:
        lake.change(one.dataset, one.relation, removed=one.removed, files=one.added)
        for removal in one.removed:
            for path in removal.paths:
                lake.discard(path)


def _published(
    one: Staged, outcome: Outcome, published: Mapping[str, Published], snapshot: int, place: Place
) -> Published:
    step, before = outcome.planned.step, place.published.get(one.dataset)
    if one.unchanged and before:
        version, relation = before.version, before.relation
    else:
        version = Version(snapshot if one.replaces or before is None else before.version.generation, snapshot)
        relation = one.relation
    inputs = {name: published[name].version for name in step.inputs if name in published}
    landed = place.landed.get(step.work.source.name, ()) if isinstance(step.work, Format) else ()
    until = max((file.id for file in landed), default=0)
    return Published(one.dataset, dict(step.definition), version, inputs, relation, until, one.rows)


_Rows = Iterable[tuple[str, list[dict[str, object]]]]


def _rows_of(outcome: Outcome, published: Mapping[str, Published], place: Place, snapshot: int) -> _Rows:
    step = outcome.planned.step
    if outcome.failure:
        yield (
            "step",
            [_step_row(step.dataset, outcome, place, snapshot, "failed", {"message": outcome.failure.message})],
        )
        yield "rule_result", _rule_rows(outcome.failure.dataset, outcome, place)
        for table in outcome.failure.governance:
            yield table.name, [dict(row) for row in table.rows]
    for number, one in enumerate(outcome.staged):
        status = "unchanged" if one.unchanged else "done"
        held = held_row(published[one.dataset], one.added)
        yield "step", [_step_row(one.dataset, outcome, place, snapshot, status, {**held, "message": one.note})]
        yield "rule_result", _rule_rows(one.dataset, outcome, place, one)
        yield "ledger", _ledger_rows(one, place)
        yield "profile", _profile_rows(one, outcome.profiles[number], place)
        yield "profile", _landed_profile_rows(outcome, place)
        for table in one.governance:
            yield table.name, [dict(row) for row in table.rows]


def held_row(one: Published, files: Sequence[Path] = ()) -> dict[str, object]:
    """What a row of `governance.step` says of the dataset that the lake then holds, and of the files that came."""
    known = published_row(one)
    structures = {name: json.dumps(known[name]) for name in ("definition", "inputs", "relation")}
    plain = {name: known[name] for name in ("generation", "snapshot", "files_until", "rows")}
    return {**structures, **plain, "bytes": sum(path.stat().st_size for path in files)}


def data_file_rows(run: str, files: Iterable[tuple[str, str]], site: Site) -> list[Mapping[str, object]]:
    """Rows of `governance.data_file`: files of tables, and of models (`models/…`), with their checksums.

    What was staged is read here, what the lake itself wrote where it is; of that, files may have gone again.
    """
    rows: list[Mapping[str, object]] = []
    for dataset, name in files:
        path = site.staging / name
        digest = sha256_of(path) if path.is_file() else site.data.sha256(name)
        if digest is not None:
            size = path.stat().st_size if path.is_file() else site.data.sizes([name])[name]
            rows.append({
                "run": run, "dataset": dataset, "path": name.removeprefix("tables/"), "sha256": digest, "bytes": size,
            })  # fmt: skip
    return rows


def _step_row(
    dataset: str, outcome: Outcome, place: Place, snapshot: int, status: str, more: Mapping[str, object]
) -> dict[str, object]:
    return {
        "run": place.run,
        "dataset": dataset,
        "status": status,
        "how": outcome.how,
        "reasons": "; ".join(outcome.planned.reasons),
        "committed": snapshot,
        "seconds": outcome.cost.seconds,
        "cpu_seconds": outcome.cost.cpu_seconds,
        "peak_memory_bytes": outcome.cost.peak_memory_bytes,
        **more,
    }


def _rule_rows(dataset: str, outcome: Outcome, place: Place, one: Staged | None = None) -> list[dict[str, object]]:
    findings = one.findings if one else outcome.failure.findings if outcome.failure else ()
    return [
        {
            "run": place.run, "dataset": dataset, "rule": f.rule.name, "kind": f.rule.kind, "action": f.rule.action,
            "tested": f.tested, "broken": f.broken, "share": f.share, "level": f.level, "message": f.message,
            "examples": list(f.examples),
        }
        for f in findings
    ]  # fmt: skip


def _ledger_rows(one: Staged, place: Place) -> list[dict[str, object]]:
    def row(scope: str, ledger: Ledger) -> dict[str, object]:
        return {
            "run": place.run, "dataset": one.dataset, "scope": scope, "rows_in": ledger.rows_in,
            "rows_out": ledger.rows_out, "quarantined": ledger.quarantined, "merged_away": ledger.merged_away,
        }  # fmt: skip

    scopes = (("dataset", one.ledger), ("run", one.delta))
    return [row(scope, ledger) for scope, ledger in scopes if ledger]


def _profile_rows(one: Staged, profile: Sequence[AttributeProfile], place: Place) -> list[dict[str, object]]:
    return [
        {
            "run": place.run, "dataset": one.dataset, "attribute": p.attribute, "domain": p.domain, "rows": p.rows,
            "nulls": p.nulls, "distinct_values": p.distinct, "approximate": p.approximate, "minimum": p.minimum,
            "maximum": p.maximum, "mean": p.mean,
        }
        for p in profile
    ]  # fmt: skip


def _landed_profile_rows(outcome: Outcome, place: Place) -> list[dict[str, object]]:
    """What is known of landed files without typing them: how many records each holds."""
    source = stem_of(outcome.planned.step.dataset)
    return [
        {"run": place.run, "dataset": f"landing.{source}", "file": file, "attribute": "*", "rows": records}
        for file, records in outcome.records.items()
    ]
