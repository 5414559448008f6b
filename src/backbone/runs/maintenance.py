"""Maintenance: small files put together, deleted rows dropped, old snapshots and what only they needed gone.

Under the run lock, in four parts, each whole by itself: compaction, expiry, clean-up, and one last transaction that
publishes what was written again and records the maintenance as a run. Killed anywhere, the next command mends it.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from backbone import __version__
from backbone.governance.tables import TABLES
from backbone.lake.books import Holder
from backbone.lake.catalogue import snapshots
from backbone.lake.sending import send
from backbone.lake.store import Lake
from backbone.lake.transactions import Transaction
from backbone.lake.upkeep import (
    SMALL_BYTES,
    Pieces,
    clean_up,
    data_files,
    inlined_rows,
    pieces,
    removable,
    scheduled,
)  # fmt: skip
from backbone.model.names import zone_of
from backbone.model.operations import Compacted, Kept, Maintained
from backbone.model.project import Project, Retention
from backbone.model.steps import Published
from backbone.runs import journal
from backbone.runs.environment import Environment
from backbone.runs.publish import data_file_rows
from backbone.runs.recovery import entered, recover
from backbone.runs.restaging import copy_dataset, damaged_files, publish_copies, renewed
from backbone.runs.run import Backend, read_published
from backbone.runs.state import read_state, write_state

_FLUSHED = 100


@dataclass(frozen=True, slots=True)
class _Work:
    """What there is to do: datasets to merge, governance tables and datasets to write again, and what is damaged."""

    found: Mapping[str, Pieces]
    merging: tuple[str, ...]
    tidying: tuple[str, ...]
    rewriting: tuple[str, ...]
    flushing: bool
    warnings: tuple[str, ...]


def maintain(project: Project, environment: Environment, backend: Backend, *, dry_run: bool = False) -> Maintained:
    """Keep an environment's lake small and quick. Only to be called under the run lock, but for a dry run."""
    started = time.perf_counter()
    lake, site = backend.lake, environment.site
    if not dry_run:
        recover(environment, lake)
    published = read_published(environment, lake)
    work = _work(lake, published)
    old = expirable(lake, project.retention, site.books.holders())
    if dry_run:
        planned = [*(_planned(name, "merged", work) for name in work.merging)]
        planned += [_planned(name, "rewritten", work) for name in (*work.tidying, *work.rewriting)]
        report = Maintained("", environment.name, dry_run=True, snapshot=lake.snapshot[1], compacted=tuple(planned))
        report = replace(report, expired=old.expired, kept=old.kept, warnings=work.warnings)
        return _with_waiting(report, lake, project.retention)
    if not (work.merging or work.tidying or work.rewriting or work.flushing or old.expired or scheduled(site)):
        return Maintained("", environment.name, dry_run=False, snapshot=lake.snapshot[1], kept=old.kept)
    backend.engine.expect(None)
    with entered(environment, lake, project.name) as run:
        report = _carry_out(project, environment, backend, run, published, work)
    return replace(report, seconds=time.perf_counter() - started)


def _work(lake: Lake, published: Mapping[str, Published]) -> _Work:
    found = pieces(lake.site)
    chosen = {name for name, one in found.items() if one.rewritable or one.mergeable}
    damaged = damaged_files(lake, lake.snapshot[1], chosen)
    warnings = tuple(
        f"{dataset} is left alone: {path} is damaged. Check it: backbone doctor" for path, dataset in damaged.items()
    )
    sound = sorted(chosen - set(damaged.values()))
    rewritable = [name for name in sound if found[name].rewritable]
    return _Work(
        found,
        merging=tuple(name for name in sound if name not in rewritable),
        tidying=tuple(name for name in rewritable if zone_of(name) == "governance"),
        rewriting=tuple(name for name in rewritable if name in published),
        flushing=inlined_rows(lake.site) >= _FLUSHED,
        warnings=warnings,
    )


def _planned(dataset: str, how: str, work: _Work) -> Compacted:
    one = work.found[dataset]
    return Compacted(dataset, how, one.files, one.files - one.small + 1 if how == "merged" else 1)


@dataclass(frozen=True, slots=True)
class Old:
    """Snapshots that may go, and those that would be old enough but are needed."""

    expired: tuple[int, ...]
    kept: tuple[Kept, ...]


def expirable(lake: Lake, retention: Retention, held: Iterable[Holder]) -> Old:
    """Which snapshots nobody needs: neither retention, nor a reader, another project, or a model version."""
    known = snapshots(lake.site)
    if retention.snapshots is None:
        return Old((), ())
    old_by_time = {n for n, age in ages(known, retention, datetime.now(UTC)).items() if age >= retention.snapshots}
    young = known.keys() - old_by_time | set(sorted(known)[-retention.at_least :])
    needed = [*(((one.snapshot,), f"{one.who} reads it") for one in held), *_needed_by_models(lake)]
    # 0 is the empty lake; it costs nothing.
    old = set(known) - young - {0}
    kept = [Kept(tuple(n for n in numbers if n in old), because) for numbers, because in needed]
    kept = [one for one in kept if one.snapshots]
    return Old(tuple(sorted(old - {number for one in kept for number in one.snapshots})), tuple(kept))


def ages(known: Mapping[int, datetime], retention: Retention, now: datetime) -> dict[int, timedelta]:
    """How old snapshots are, by the times that passed from each to the next, and from the last until now.

    A clock that is wrong for once must not make all of them too old. So each of these times counts as at most a share
    of what is kept: one in as many as stay however old they are.
    """
    most = (retention.snapshots or timedelta()) / max(retention.at_least, 2)
    found, age, later = {}, timedelta(), now
    for number, at in sorted(known.items(), reverse=True):
        age += min(max(later - at, timedelta()), most)
        found[number], later = age, at
    return found


def _needed_by_models(lake: Lake) -> list[tuple[tuple[int, ...], str]]:
    """The snapshots from which registered models were trained, and in which what they were trained on is published."""
    if not lake.has("governance.model_version"):
        return []
    rows = lake.records("""
        SELECT DISTINCT m.analysis, m.version, m.snapshot AS base, r.snapshot AS published
        FROM lake.governance.model_version m JOIN lake.governance.run r ON r.run = m.version WHERE m.registered
        ORDER BY r.snapshot""")
    return [
        (tuple(n for n in (row["base"], row["published"]) if isinstance(n, int)),
         f"model {row['analysis']} version {row['version']} was made from it")
        for row in rows
    ]  # fmt: skip


def _carry_out(
    project: Project,
    environment: Environment,
    backend: Backend,
    run: str,
    published: Mapping[str, Published],
    work: _Work,
) -> Maintained:
    lake, site, started_at = backend.lake, environment.site, datetime.now(UTC)
    clock = time.perf_counter()
    state = read_state(environment.state_path)
    current = state is not None and (state.lake, state.snapshot) == lake.snapshot
    _compact(lake, run, work)
    with site.books.without_new_leases() as held:
        old = expirable(lake, project.retention, held)
        if old.expired:
            lake.publish(run, lambda transaction: transaction.expire(old.expired), "expiry")
        unneeded = removable(site, held, datetime.now(UTC) - project.retention.files)
    removed, freed = clean_up(lake, run, unneeded)
    orphans, orphaned_bytes = journal.remove_orphans(site)
    copies = [copy_dataset(backend.engine, site, run, published[name], lake.snapshot[1]) for name in work.rewriting]
    now = pieces(site)
    compacted = [_compacted(name, "merged", work, now) for name in work.merging]
    compacted += [_compacted(name, "rewritten", work, now) for name in work.tidying]
    compacted += [Compacted(name, "rewritten", work.found[name].files, 1) for name in work.rewriting]
    report = Maintained(
        run, environment.name, dry_run=False, snapshot=lake.snapshot[1], compacted=tuple(compacted),
        expired=old.expired, kept=old.kept, files_removed=removed + orphans, bytes_freed=freed + orphaned_bytes,
        warnings=work.warnings,
    )  # fmt: skip
    row = {
        "run": run, "environment": environment.name, "project": project.name, "status": "maintained",
        "started_at": started_at, "seconds": time.perf_counter() - clock, "base_snapshot": lake.snapshot[1],
        "backbone_version": __version__, "message": _summary(report),
    }  # fmt: skip
    files = _new_files(lake, run, published)
    send(lake, [copy.path for copy in copies])

    def record(transaction: Transaction) -> tuple[int, dict[str, Published]]:
        after = renewed(published, work.rewriting, transaction.snapshot)
        publish_copies(
            transaction, run, site, copies, published, after, status="unchanged", how="rewritten by maintenance"
        )
        transaction.insert("governance.data_file", TABLES["data_file"], files)
        transaction.insert("governance.run", TABLES["run"], [{**row, "snapshot": transaction.snapshot}])
        if work.flushing:
            transaction.flush()
        return transaction.snapshot, after

    snapshot, after = lake.publish(run, record, "maintenance")
    journal.remove_staged(site, run)
    if state and current:  # what was up to date still is
        held_now = {name: after.get(name, one) for name, one in state.published.items()}
        write_state(environment.state_path, replace(state, snapshot=snapshot, published=held_now))
    return _with_waiting(replace(report, snapshot=snapshot), lake, project.retention)


def _compact(lake: Lake, run: str, work: _Work) -> None:
    if work.merging or work.tidying:

        def compact(transaction: Transaction) -> None:
            for dataset in work.merging:
                transaction.merge(dataset, SMALL_BYTES)
            for dataset in work.tidying:
                transaction.rewrite(dataset)

        lake.publish(run, compact, "compaction")


def _compacted(dataset: str, how: str, work: _Work, now: Mapping[str, Pieces]) -> Compacted:
    left = now[dataset].files if dataset in now else 0  # none, where all rows were deleted ones
    return Compacted(dataset, how, work.found[dataset].files, left)


def _new_files(lake: Lake, run: str, published: Mapping[str, Published]) -> list[Mapping[str, object]]:
    """Rows for `governance.data_file` about files that have none: merging made them, now or before it was killed."""
    known = {row["path"] for row in lake.records("SELECT path FROM lake.governance.data_file")}
    files = [
        (dataset, f"tables/{path}")
        for path, dataset in data_files(lake.site, lake.snapshot[1]).items()
        if dataset in published and path not in known
    ]
    return data_file_rows(run, files, lake.site)


def _with_waiting(report: Maintained, lake: Lake, retention: Retention) -> Maintained:
    """The report with the files that no snapshot needs and that are still there."""
    files = scheduled(lake.site)
    size = sum(lake.site.data.sizes([f"tables/{file.path}" for file in files]).values())
    readers = sorted({one.who for one in lake.site.books.holders() if one.process})
    waiting = f"{', '.join(readers)} may still read them" if readers else f"they go {retention.files} after"
    return replace(report, files_waiting=len(files), bytes_waiting=size, waiting=waiting if files else "")


def _summary(report: Maintained) -> str:
    """What maintenance did, in one line for the history."""
    done = Counter(one.how for one in report.compacted)
    parts = [(number, "dataset", how) for how, number in done.items()]
    parts += [(len(report.expired), "snapshot", "expired"), (report.files_removed, "file", "removed")]
    said = [f"{number} {noun}{'' if number == 1 else 's'} {what}" for number, noun, what in parts if number]
    return ", ".join(said) or "rows of governance written to files"
