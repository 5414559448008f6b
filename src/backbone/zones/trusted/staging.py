"""Staging a trusted dataset: all of it, or what new rows of its source change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backbone.engine.protocol import Session, Written
from backbone.errors import DatasetError, ProjectError
from backbone.model.names import FILE, PARENT, RECORD, quoted, quoted_dataset, stem_of
from backbone.model.project import Trusted
from backbone.model.relations import Relation
from backbone.model.rules import Location, Rule
from backbone.model.steps import Failure, Finding, Ledger, Removal, Staged, Staging, Trust
from backbone.quality.findings import measure, percent
from backbone.quality.predicates import relation_after
from backbone.zones.trusted.aside import ASIDE, keep_aside, write_merged, write_quarantined
from backbone.zones.trusted.decided import DROPPED
from backbone.zones.trusted.layers import first_layer
from backbone.zones.trusted.links import Link, key_rules, links_of, trusted_increments
from backbone.zones.trusted.states import with_validity
from backbone.zones.trusted.vanishing import SMALLEST_GROUP, vanished_groups
from backbone.zones.trusted.walk import Walk, walk_chain

_WOULD = {
    "null": "would make null",
    "repair": "would repair",
    "quarantine": "would quarantine",
    "deduplicate": "would merge away",
}


def stage_trusted(staging: Staging, session: Session) -> tuple[Staged, ...]:
    """Make a trusted dataset from its formatted one: versions united, rules applied, every row accounted for.

    Only new rows are read where that gives the same as reading all, else all are.

    Raises:
        DatasetError: a rule fails the dataset, can't be applied, or would take a whole group; or rows were lost.
    """
    if not isinstance(staging.step.work, Trust):
        msg = f"{staging.step.dataset} is no trusted dataset"
        raise TypeError(msg)
    task = _Task(staging, session, staging.step.work.trusted)
    try:
        return (_stage_new(task) if _increments(task) else _stage_all(task),)
    except ProjectError as error:
        problem = error.problems[0]
        raise DatasetError(Failure(task.dataset, problem.message, at=problem.at)) from error


def trusted_relation(trusted: Trusted, formatted: Relation) -> Relation:
    """The relation of a trusted dataset, given that of its formatted one."""
    return with_validity(trusted, relation_after(trusted.rules, formatted))


@dataclass(frozen=True, slots=True)
class _Task:
    """One dataset to stage."""

    staging: Staging
    session: Session
    trusted: Trusted

    @property
    def dataset(self) -> str:
        """The dataset's name."""
        return self.staging.step.dataset

    @property
    def input(self) -> str:
        """The name of the formatted dataset."""
        return self.staging.step.inputs[0]

    @property
    def relation(self) -> Relation:
        """The input's relation."""
        return self.staging.inputs[self.input].relation

    @property
    def out(self) -> Relation:
        """The dataset's relation."""
        return trusted_relation(self.trusted, self.relation)


def _increments(task: _Task) -> bool:
    """Show the input, and say whether its new rows alone will do."""
    task.session.show_system(True)
    task.session.show(task.staging.inputs[task.input])
    parent = f"trusted.{task.trusted.parent}"
    if task.trusted.parent:
        task.session.show(task.staging.inputs[parent])
    current = task.staging.current.get(task.dataset)
    if task.staging.how != "incremental" or current is None or not trusted_increments(task.trusted):
        return False
    if [(a.name, a.domain) for a in task.out.attributes] != [(a.name, a.domain) for a in current.relation.attributes]:
        return False
    task.session.show(current)
    if task.trusted.parent and _come_later(task, parent):
        return False
    return task.staging.inputs[task.input].since is None or _count(task, _changes(task.input, "__deleted")) == 0


def _come_later(task: _Task, parent: str) -> bool:
    """Whether a parent came of a file whose items were read in an earlier run, so that they aren't new."""
    if task.staging.inputs[parent].since is None:
        return True
    new = _changes(task.input, "__inserted")
    earlier = f"SELECT 1 FROM {_changes(parent, '__inserted')} AS p JOIN {quoted_dataset(task.input)} AS t "
    earlier += f"ON t.{FILE} = p.{FILE} AND t.{PARENT} = p.{RECORD} ANTI JOIN {new} AS n "
    earlier += f"ON t.{FILE} = n.{FILE} AND t.{RECORD} = n.{RECORD} LIMIT 1"
    return bool(task.session.rows(earlier))


def _stage_all(task: _Task) -> Staged:
    layers = first_layer(quoted_dataset(task.input), task.relation)
    walk = Walk(task.session, layers, task.trusted, task.staging.all_files)
    out = _walk_and_write(task, walk)
    whole = out.written.table
    findings = (*out.findings, *_judged(task, walk, whole, key_rules(task.trusted), out))
    ledger = Ledger(walk.rows or 0, out.written.rows, _rows(out.quarantined), _rows(out.merged))
    _check_ledger(task, ledger)
    return _staged(task, out, replaces=True, ledger=ledger, findings=findings, rows=out.written.rows)


def _stage_new(task: _Task) -> Staged:
    held = quoted_dataset(task.dataset)
    # A reader that hasn't seen anything yet finds all rows new.
    unseen = task.staging.inputs[task.input].since is None
    layers = first_layer(quoted_dataset(task.input) if unseen else _changes(task.input, "__inserted"), task.relation)
    walk = Walk(task.session, layers, task.trusted, task.staging.all_files, present=held)
    out = _walk_and_write(task, walk)
    removal, removed = _write_removed(task, walk)
    whole = _whole(walk, held, out.written)
    findings = (*out.findings, *_judged(task, walk, whole, (*walk.unchecked, *key_rules(task.trusted)), out))
    delta = Ledger(walk.rows or 0, out.written.rows - removed, _rows(out.quarantined), _rows(out.merged))
    _check_ledger(task, delta)
    rows = _count(task, held) + delta.rows_out
    staged = _staged(task, out, replaces=False, ledger=None, findings=findings, rows=rows)
    return replace(staged, delta=delta, removed=removal, unchanged=not (staged.added or removal or delta.rows_in))


@dataclass(frozen=True, slots=True)
class _Out:
    """What a walk wrote and found."""

    written: Written
    quarantined: Written | None
    merged: Written | None
    findings: tuple[Finding, ...]


def _walk_and_write(task: _Task, walk: Walk) -> _Out:
    links = links_of(task.trusted, again=bool(walk.repeats))
    walk_chain(walk, links)
    findings = tuple(walk.findings[link.number] for link in links if link.number in walk.findings)
    aside = keep_aside(walk, links)
    quarantined = write_quarantined(walk, task.staging, links) if aside else None
    _stop_at_failures(task, findings, quarantined)
    names = ", ".join(quoted(name) for name in task.out.names)
    changed = "(NOT _present OR _ended)" if walk.ended else "NOT _present"
    query = f"SELECT {names} FROM {walk.layers.table} AS t WHERE _taken IS NULL AND {changed}"
    written = task.session.write(query, task.staging.new_file(task.dataset), relation=task.out)
    if aside:
        _stop_at_vanished(task, walk, links, _Out(written, quarantined, None, findings))
    return _Out(written, quarantined, write_merged(walk, task.staging, links), findings)


def _judged(task: _Task, walk: Walk, whole: str, rules: Sequence[Rule], out: _Out) -> tuple[Finding, ...]:
    """What rules find in the whole dataset as it will be; it must not fail them."""
    found = measure(task.session, whole, out.written.relation, rules, key=walk.key)
    _stop_at_failures(task, (*out.findings, *found), out.quarantined)
    return found


def _stop_at_failures(task: _Task, findings: Sequence[Finding], quarantined: Written | None) -> None:
    failed = next((found for found in findings if found.level == "failed"), None)
    if failed is None:
        return
    rule = failed.rule
    verb = _WOULD.get(rule.action or "", "is broken by")
    shown = f": {'; '.join(failed.examples)}" if failed.examples else ""
    said = f"is {failed.message}" if not failed.message[:1].isdigit() else f"{verb} {failed.message}"
    _fail(task, f"{rule.name} {said}{shown}", rule.at, _settling(failed), findings, quarantined)


def _settling(failed: Finding) -> str:
    if failed.rule.action in {"null", "quarantine"}:
        return f"meant? add tolerate: {percent(min(1.0, -(-failed.share * 100 // 1) / 100))}."
    return ""


def _stop_at_vanished(task: _Task, walk: Walk, links: Sequence[Link], out: _Out) -> None:
    """A rule that takes all rows of a group fails the dataset, before anyone misses them."""
    rules = [link for link in links if link.sets_aside and link.rule.kind != DROPPED]  # people know what they drop
    taking = [link for link in rules if walk.taken.get(link.number, 0) >= SMALLEST_GROUP]
    layers = walk.layers

    def rest(link: Link) -> tuple[Sequence[str], str]:
        later = f"(SELECT * FROM {layers.table} AS t WHERE _taken IS NULL OR _taken > {link.number})"
        # What is taken of new rows is gone only if the dataset as published doesn't hold the group either.
        held = [] if walk.present is None else [_held_without(walk.present, walk, layers.relation)]
        return [*held, later], f"(SELECT * FROM {layers.table} AS t WHERE NOT _present)"

    taken, left = f"(SELECT * FROM {ASIDE} WHERE NOT _present) AS t", out.written.table
    found = vanished_groups(task.session, taking, layers.relation, taken=taken, left=left, rest=rest)
    if found:
        link, gone = found
        hint = f"meant? add may_vanish: [{', '.join(group.column for group in gone)}]."
        message = f"{link.rule.name} {_WOULD[link.rule.action or '']} every row of {gone[0]}"
        _fail(task, message, link.rule.at, hint, out.findings, out.quarantined)


def _fail(
    task: _Task, message: str, at: Location, hint: str, findings: Sequence[Finding], quarantined: Written | None
) -> None:
    files = quarantined.paths if quarantined else ()
    raise DatasetError(Failure(task.dataset, message, at=at, hint=hint, findings=tuple(findings), quarantined=files))


def _write_removed(task: _Task, walk: Walk) -> tuple[tuple[Removal, ...], int]:
    """The keys of rows of the dataset as published that lost to new ones, or are written anew."""
    parts = [f"SELECT {FILE}, {RECORD} FROM {losers} WHERE _present" for losers in walk.losers.values()]
    parts += [f"SELECT {FILE}, {RECORD} FROM {walk.ended} AS e"] if walk.ended else []
    if not parts:
        return (), 0
    ((low, high),) = task.session.rows(f"SELECT min({RECORD}), max({RECORD}) FROM ({' UNION ALL '.join(parts)})")
    if low is None:
        return (), 0
    # Not in the table's folder: it is read while the run publishes, and is no part of the dataset.
    path = task.staging.scratch / f"{stem_of(task.dataset)}-{task.staging.run}-removed.parquet"
    written = task.session.write(" UNION ALL ".join(parts), path)
    return (Removal(written.paths, (FILE, RECORD), (low, high)),), written.rows


def _whole(walk: Walk, held: str, written: Written) -> str:
    """The dataset as it will be, as an SQL table expression."""
    names = ", ".join(quoted(name) for name in written.relation.names)
    new = f"SELECT {names} FROM {written.table}"
    return f"(SELECT {names} FROM {_held_without(held, walk, written.relation)} UNION ALL {new})"


def _held_without(held: str, walk: Walk, relation: Relation) -> str:
    """The dataset as published, less the rows that lost to new ones or are written anew."""
    names = ", ".join(f"t.{quoted(name)}" for name in relation.names)
    gone = {**walk.losers, **({0: walk.ended} if walk.ended else {})}
    lost = "".join(
        f" ANTI JOIN {losers} AS l{n} ON t.{FILE} = l{n}.{FILE} AND t.{RECORD} = l{n}.{RECORD}"
        for n, losers in gone.items()
    )
    return f"(SELECT {names} FROM {held} AS t{lost})"


def _staged(
    task: _Task, out: _Out, *, replaces: bool, ledger: Ledger | None, findings: tuple[Finding, ...], rows: int
) -> Staged:
    return Staged(
        task.dataset,
        out.written.relation,
        replaces=replaces,
        added=out.written.files,
        ledger=ledger,
        findings=findings,
        quarantined=out.quarantined.paths if out.quarantined else (),
        merged=out.merged.paths if out.merged else (),
        rows=rows,
    )


def _check_ledger(task: _Task, ledger: Ledger) -> None:
    if not ledger.balances:
        message = (
            f"the ledger doesn't balance: {ledger.rows_in:,} rows in, {ledger.rows_out:,} out, "
            f"{ledger.quarantined:,} quarantined, {ledger.merged_away:,} merged away"
        )
        raise DatasetError(Failure(task.dataset, message, hint="This is a defect of Backbone: please report it."))


def _changes(dataset: str, which: str) -> str:
    return f"{quoted(which)}.{quoted(dataset.replace('.', '__'))}"


def _count(task: _Task, table: str) -> int:
    ((rows,),) = task.session.rows(f"SELECT count(*) FROM {table} AS t")
    return int(rows)


def _rows(written: Written | None) -> int:
    return written.rows if written else 0
