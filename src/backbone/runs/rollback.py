"""Going back: the lake's datasets are again as in an earlier snapshot, published as a new one.

History is never rewritten: logs keep every row, and the snapshots in between stay readable. What is published is
authoritative, so the next run sees datasets that have not read the files landed since, and reads them again.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from backbone import __version__
from backbone.errors import LakeError
from backbone.governance.tables import STATES, TABLES
from backbone.lake.catalogue import has_dataset, snapshots
from backbone.lake.sending import send
from backbone.lake.store import Lake
from backbone.lake.transactions import Transaction
from backbone.model.operations import PutBack, RolledBack
from backbone.model.steps import Published
from backbone.runs import journal
from backbone.runs.environment import Environment
from backbone.runs.recovery import entered, recover
from backbone.runs.restaging import copy_dataset, damaged_files, damaged_models, publish_copies, renewed
from backbone.runs.run import Backend, read_published, registered_models

_Model = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Difference:
    """How the lake differs from an earlier snapshot: datasets to be put back, and to be dropped; model versions."""

    now: Mapping[str, Published]
    then: Mapping[str, Published]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    models_now: Mapping[str, _Model]
    models_then: Mapping[str, _Model]

    @property
    def models(self) -> dict[str, str]:
        """The analyses whose registered model version differs, with the one of then."""
        names = sorted({*self.models_now, *self.models_then})
        versions = [(n, _version(self.models_now, n), _version(self.models_then, n)) for n in names]
        return {name: then for name, now, then in versions if now != then}

    @property
    def nothing(self) -> bool:
        """Whether nothing at all differs."""
        return dict(self.now) == dict(self.then)


def _version(models: Mapping[str, _Model], analysis: str) -> str:
    return str(models[analysis]["version"]) if analysis in models else ""


def roll_back(
    project: str, environment: Environment, backend: Backend, snapshot: int, *, dry_run: bool = False
) -> RolledBack:
    """Make the lake's datasets what they were in a snapshot. Only to be called under the run lock, but for a dry run.

    Raises:
        LakeError: what the snapshot holds is damaged; nothing has changed.
    """
    started = time.perf_counter()
    lake = backend.lake
    if not dry_run:
        recover(environment, lake)
    difference = _difference(environment, lake, snapshot)
    report = _report(environment, lake, difference, snapshot)
    if dry_run or difference.nothing:
        return replace(report, dry_run=dry_run)
    _check(lake, difference, snapshot)
    with entered(environment, lake, project) as run:
        published = _carry_out(project, environment, backend, run, difference, snapshot)
    return replace(report, run=run, snapshot=published, seconds=time.perf_counter() - started)


def _difference(environment: Environment, lake: Lake, snapshot: int) -> _Difference:
    now, then = read_published(environment, lake), read_published(environment, lake, snapshot)
    changed = tuple(name for name, one in then.items() if name not in now or now[name].version != one.version)
    gone = tuple(name for name in now if name not in then)
    models = (registered_models(lake, now), registered_models(lake, then, snapshot))
    difference = _Difference(now, then, changed, gone, *models)
    return replace(difference, then=now, changed=()) if _is_in_name_only(lake, difference, snapshot) else difference


def _is_in_name_only(lake: Lake, difference: _Difference, snapshot: int) -> bool:
    """Whether the versions are all that differs, as after the same rollback, or a run that came to the same again."""
    now, then = difference.now, difference.then
    if difference.models or {n: _without_version(n, now) for n in now} != {n: _without_version(n, then) for n in then}:
        return False
    if damaged_files(lake, snapshot, difference.changed):
        return False
    states = [table for table in map("governance.{}".format, STATES) if lake.has(table)]
    former = [table for table in states if has_dataset(lake.site, table, snapshot)]
    return former == states and all(lake.is_as_in(table, snapshot) for table in (*difference.changed, *states))


def _without_version(name: str, published: Mapping[str, Published]) -> tuple[object, ...]:
    """What is published of a dataset, and whether it was made from its inputs as they are, whatever their versions."""
    one = published[name]
    inputs = {i: published[i].version == version if i in published else version for i, version in one.inputs.items()}
    return one.definition, one.relation, one.files_until, one.rows, inputs


def _report(environment: Environment, lake: Lake, difference: _Difference, snapshot: int) -> RolledBack:
    now, then = difference.now, difference.then
    until = {name: then[name].files_until if name in then else 0 for name in now if name.startswith("formatted.")}
    files = environment.landing.registry.files()
    again = [
        file for file in files
        if (name := f"formatted.{file.source}") in now and until[name] < file.id <= now[name].files_until
    ]  # fmt: skip
    datasets = tuple(
        PutBack(name, now[name].rows if name in now else None, then[name].rows if name in then else None)
        for name in sorted((*difference.changed, *difference.gone))
    )
    return RolledBack(
        "", environment.name, dry_run=False, to=snapshot, at=snapshots(lake.site)[snapshot], snapshot=None,
        datasets=datasets, models=tuple(difference.models.items()), landed_files=len(again),
    )  # fmt: skip


def _check(lake: Lake, difference: _Difference, snapshot: int) -> None:
    """Make sure that what is to be put back is what was published then."""
    versions = [str(difference.models_then[name]["version"]) for name, then in difference.models.items() if then]
    damaged = [*damaged_files(lake, snapshot, difference.changed), *damaged_models(lake, versions)]
    if damaged:
        raise LakeError(
            f"Snapshot {snapshot} can't be gone back to: {damaged[0]} is damaged or missing. Check it: backbone doctor"
        )


def _carry_out(
    project: str, environment: Environment, backend: Backend, run: str, difference: _Difference, snapshot: int
) -> int:
    lake, site, started_at = backend.lake, environment.site, datetime.now(UTC)
    clock, base = time.perf_counter(), backend.lake.snapshot[1]
    copies = [copy_dataset(backend.engine, site, run, difference.then[name], snapshot) for name in difference.changed]
    states, how = _former_states(lake, run, snapshot), f"as in snapshot {snapshot}"
    send(lake, [copy.path for copy in copies], [path for path in states.values() if path])

    def put_back(transaction: Transaction) -> int:
        after = renewed(difference.then, difference.changed, transaction.snapshot)
        publish_copies(transaction, run, site, copies, difference.now, after, status="done", how=how)
        _drop(transaction, run, difference.gone, how)
        for table, path in states.items():
            transaction.delete(table, "true")
            if path:
                transaction.insert_file(table, path)
        again = [{**difference.models_then[name], "run": run} for name, version in difference.models.items() if version]
        transaction.insert("governance.model_version", TABLES["model_version"], again)
        row = {
            "run": run, "environment": environment.name, "project": project, "status": "rolled back",
            "started_at": started_at, "seconds": time.perf_counter() - clock, "base_snapshot": base,
            "snapshot": transaction.snapshot, "backbone_version": __version__, "message": how,
        }  # fmt: skip
        transaction.insert("governance.run", TABLES["run"], [row])
        return transaction.snapshot

    published = lake.publish(run, put_back, "rollback")
    journal.remove_staged(site, run)
    return published


def _drop(transaction: Transaction, run: str, datasets: tuple[str, ...], how: str) -> None:
    for dataset in datasets:
        transaction.drop(dataset)
    rows = [
        {"run": run, "dataset": dataset, "status": "dropped", "how": how, "reasons": how,
         "committed": transaction.snapshot}
        for dataset in datasets
    ]  # fmt: skip
    transaction.insert("governance.step", TABLES["step"], rows)


def _former_states(lake: Lake, run: str, snapshot: int) -> dict[str, Path | None]:
    """The states that differ, each with a file of its rows then (None: it had none)."""
    found: dict[str, Path | None] = {}
    for name in STATES:
        table, path = f"governance.{name}", lake.site.tables / "governance" / name / f"{run}-copy.parquet"
        if has_dataset(lake.site, table, snapshot):
            found |= {table: path} if lake.copy_former(table, snapshot, path) else {}
        elif lake.has(table):
            found[table] = None
    return found
