"""Repairs: every cell that a trusted dataset changed, and taking changes back."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backbone.errors import UsageError, did_you_mean
from backbone.model.reports import Repair, RepairGroup, Repairs, Undone
from backbone.model.rules import Rule
from backbone.model.steps import Extent
from backbone.project.decisions import DECISIONS, decisions_text
from backbone.project.exceptions import with_exceptions
from backbone.project.writing import write_whole
from backbone.runs.run import read_published
from backbone.workspace.reading import open_for_reading
from backbone.workspace.settling import trusted_of
from backbone.zones.trusted.decided import FIXED
from backbone.zones.trusted.links import Link
from backbone.zones.trusted.repairs import Compared, cells_sql, counts_sql, find_cells

if TYPE_CHECKING:
    from backbone.model.project import Trusted
    from backbone.workspace.workspace import Workspace

_ALL = 1_000_000
_MOST_EXCEPTIONS = 10_000
_CELL = re.compile(r"(\d{1,9}):(\d{1,12})\.(\w+)", re.ASCII)
_DEFAULT_RULES = "# The rules that a trusted dataset without any has. Yours to edit.\nrules:\n{rules}"
UNKNOWN = "rules that have changed since"


def repairs(workspace: "Workspace", dataset: str, rule: str | None = None, limit: int = 20) -> Repairs:
    """The cells changed, those of one rule if it is named: at most `limit` of them, and counts for all.

    Raises:
        UsageError: there is no such dataset or rule, or it wasn't made yet.
    """
    trusted = trusted_of(workspace, dataset)
    name = f"trusted.{trusted.name}"
    with open_for_reading(workspace.environment) as reading, reading.engine.session() as session:
        known = read_published(workspace.environment, reading.lake)
        for needed in (f"formatted.{trusted.name}", name):
            if needed not in known:
                raise UsageError(f"'{needed}' was not made yet. Make it: backbone run")
            session.show_system(True)
            session.show(Extent(needed, known[needed].relation, reading.lake.snapshot[1]))
        if trusted.parent and (parent := known.get(f"trusted.{trusted.parent}")):
            session.show(Extent(parent.dataset, parent.relation, reading.lake.snapshot[1]))
        files = tuple(f for f in workspace.environment.landing.registry.files() if f.source == trusted.name)
        relations = known[f"formatted.{trusted.name}"].relation, known[name].relation
        links = {link.number: link for link in find_cells(Compared(session, trusted, *relations, files))}
        counts = session.rows(counts_sql())
        groups = tuple(RepairGroup(links[n].rule.name if n in links else UNKNOWN, cells) for n, cells in counts)
        where = _where(name, rule, links, groups)
        found = session.rows(cells_sql(where=where, limit=limit)) if limit else []
        ((total,),) = session.rows(f"SELECT count(*) FROM ({cells_sql(where=where, limit=_ALL)})")
    return Repairs(name, groups, tuple(_repair(row, links, trusted) for row in found), total)


def _where(dataset: str, rule: str | None, links: Mapping[int, Link], groups: Iterable[RepairGroup]) -> str:
    if rule is None:
        return "true"
    numbers = [str(n) for n, link in links.items() if link.rule.name == rule]
    if not numbers:
        names = [group.rule for group in groups]
        near = did_you_mean(rule, names) or f" What was changed: backbone repairs {dataset}"
        raise UsageError(f"no rule '{rule}' has changed anything.{near}")
    return (
        "EXISTS (SELECT 1 FROM _cell_changes AS x WHERE x.file = c.file AND x.record = c.record "
        f"AND x.attribute = c.attribute AND x.link IN ({', '.join(numbers)}))"
    )


def _repair(row: Sequence[Any], links: Mapping[int, Link], trusted: "Trusted") -> Repair:
    file, record, column, old, new, numbers, share = row
    rules = [links[n].rule for n in numbers or ()]
    evidence = "; ".join(_evidence(rule, trusted, (file, record, column)) for rule in rules)
    names = tuple(rule.name for rule in rules) or (UNKNOWN,)
    return Repair(f"{file}:{record}", column, old, new, names, evidence, float(share) if share is not None else None)


def _evidence(rule: Rule, trusted: "Trusted", cell: tuple[int, int, str]) -> str:
    """Why a rule changed a cell, in words."""
    if rule.kind == FIXED:
        decision = next(d for d in trusted.decisions if (d.file, d.record, d.column) == cell)
        return " ".join(part for part in (f"by {decision.by or 'hand'}", decision.because) if part)
    if rule.because:
        return rule.because
    ends = " ".join(f"{side} {rule.param(side)}" for side in ("from", "to") if rule.param(side) is not None)
    words = {
        "trim": "blanks at the ends",
        "null_tokens": "means missing",
        "replace": "is replaced",
        "set": f"to {rule.param('to')}" + (f" where {rule.where}" if rule.where else ""),
        "type": f"as {rule.param('as')}",
        "in_range": f"not within {ends}",
        "length": f"length not within {ends}",
        "determined": f"most rows of the same {', '.join(map(str, rule.param('by') or ()))}",  # type: ignore[call-overload]  # names
        "is_a": f"no {rule.param('kind')}",
    }
    return words.get(rule.kind, "breaks the rule")


def undo(workspace: "Workspace", dataset: str, what: str) -> Undone:
    """Take repairs back, of a cell (`12:640.city`) or of a whole rule, from the next run on: the project says so.

    The rules that changed the cell get an exception for its record; a value that a person gave is forgotten.

    Raises:
        UsageError: nothing was changed there, or the rule can take no exceptions.
    """
    trusted = trusted_of(workspace, dataset)
    cells = _meant(workspace, dataset, what)
    wanted = {what} if not _CELL.fullmatch(what) else None
    by_rule: dict[str, set[tuple[int, int]]] = {}
    fixed = set()
    for cell in cells:
        file, record = map(int, cell.record.split(":"))
        for name in cell.rules:
            if wanted is None or name in wanted:
                by_rule.setdefault(name, set()).add((file, record))
                fixed |= {(file, record, cell.column)} if name == FIXED else set()
    paths = []
    if by_rule.pop(FIXED, None):
        paths.append(_forget(workspace, trusted, fixed))
    if by_rule:
        paths.append(_except(workspace, trusted, by_rule))
    workspace.read_again()
    return Undone(f"trusted.{trusted.name}", len(cells), tuple(paths))


def _meant(workspace: "Workspace", dataset: str, what: str) -> tuple[Repair, ...]:
    found = _CELL.fullmatch(what)
    if found is None:
        rows = repairs(workspace, dataset, what, limit=_MOST_EXCEPTIONS + 1).rows
        if len(rows) > _MOST_EXCEPTIONS:
            raise UsageError(
                f"'{what}' has changed more than {_MOST_EXCEPTIONS:,} cells: take the rule away, or give it a `where`"
            )
        return rows
    cells = [
        row
        for row in repairs(workspace, dataset, limit=_ALL).rows
        if (row.record, row.column) == (f"{found[1]}:{found[2]}", found[3])
    ]
    if not cells:
        raise UsageError(f"'{what}' was not changed. What was: backbone repairs {dataset}")
    if cells[0].rules == (UNKNOWN,):
        raise UsageError(f"'{what}' was changed by {UNKNOWN}: backbone run")
    return tuple(cells)


def _forget(workspace: "Workspace", trusted: "Trusted", cells: set[tuple[int, int, str]]) -> str:
    path = f"trusted/{trusted.name}{DECISIONS}"
    kept = [d for d in trusted.decisions if (d.file, d.record, d.column) not in cells]
    if kept:
        write_whole(workspace.root / path, decisions_text(kept))
    else:
        (workspace.root / path).unlink()
    return path


def _except(workspace: "Workspace", trusted: "Trusted", by_rule: Mapping[str, set[tuple[int, int]]]) -> str:
    path = f"trusted/{trusted.name}.yml"
    rules = {rule.name: rule for rule in trusted.rules}
    for name in by_rule:
        _check_takes(rules[name], path)
    if not (workspace.root / path).exists():
        (workspace.root / path).parent.mkdir(exist_ok=True)
        lines = "".join(f"  - {{{r.kind}: all{', else: ' + r.action if r.action else ''}}}\n" for r in trusted.rules)
        write_whole(workspace.root / path, _DEFAULT_RULES.format(rules=lines))
        workspace.read_again()
        rules = {rule.name: rule for rule in trusted_of(workspace, f"trusted.{trusted.name}").rules}
    places: dict[Any, set[tuple[int, int]]] = {}
    for name, records in by_rule.items():
        places.setdefault(rules[name].at, set()).update(records)
    # From the last to the first, so that lines above stay where they are.
    for at in sorted(places, key=lambda place: (place.line, place.column), reverse=True):
        write_whole(workspace.root / path, with_exceptions(workspace.root, path, at, sorted(places[at])))
    return path


def _check_takes(rule: Rule, path: str) -> None:
    if rule.kind == "type":
        raise UsageError(f"{rule.at}: `{rule.name}` converts the whole column and takes no exceptions: take it away")
    if rule.at.path == "glossary.yml":
        raise UsageError(f"{rule.at}: `{rule.name}` comes from the glossary: state it in {path} with its own `except`")
