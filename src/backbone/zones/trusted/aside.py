"""The rows that didn't get through, as rows of governance: those in quarantine and those merged away."""

from collections.abc import Sequence

from backbone.engine.protocol import Written
from backbone.model.names import FILE, RECORD, literal, quoted
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.model.steps import MERGED_AWAY, QUARANTINE, Staging
from backbone.quality.predicates import texts
from backbone.zones.trusted.decided import DROPPED, drop_reasons
from backbone.zones.trusted.links import Link
from backbone.zones.trusted.walk import Walk

ASIDE = "_aside"
"""The temporary table of the rows that rules took."""
_INTEGERS = {"file", "record", "survivor_file", "survivor_record"}


def keep_aside(walk: Walk, links: Sequence[Link]) -> int:
    """Copy the rows that rules took to a table of their own; say how many there are."""
    numbers = [str(link.number) for link in links if link.sets_aside]
    taken = sum(walk.taken.get(link.number, 0) for link in links if link.sets_aside)
    if not numbers or not (taken or any(int(n) in walk.losers for n in numbers)):
        return 0
    walk.session.execute(
        f"CREATE TEMP TABLE {ASIDE} AS SELECT * FROM {walk.layers.table} AS t WHERE _taken IN ({', '.join(numbers)})"
    )
    ((rows,),) = walk.session.rows(f"SELECT count(*) FROM {ASIDE}")
    return int(rows)


def write_quarantined(walk: Walk, staging: Staging, links: Sequence[Link]) -> Written | None:
    """The rows that rules set aside, for `governance.quarantine`; None where there are none."""
    parts = [_quarantined(walk, staging, link) for link in links if link.rule.action == "quarantine"]
    return _write(walk, staging, "quarantine", parts, QUARANTINE)


def write_merged(walk: Walk, staging: Staging, links: Sequence[Link]) -> Written | None:
    """The rows merged away, for `governance.merged_away`; None where there are none."""
    merging = [link for link in links if link.number in walk.losers and link.rule.action == "deduplicate"]
    parts = [
        f"SELECT {literal(staging.run)} AS run, {literal(staging.step.dataset)} AS dataset, {FILE} AS file, "
        f"{RECORD} AS record, {literal(link.rule.name)} AS rule, survivor_file, survivor_record "
        f"FROM {walk.losers[link.number]}"
        for link in merging
    ]
    return _write(walk, staging, "merged_away", parts, MERGED_AWAY)


def reason(rule: Rule) -> str:
    """Why a rule takes a row, in words.

    Example:
        >>> reason(Rule("not_null", "not_null(dest)", columns=("dest",), action="quarantine"))
        'dest has no value'
    """
    what = ", ".join(rule.columns)
    ends = " ".join(f"{side} {rule.param(side)}" for side in ("from", "to") if rule.param(side) is not None)
    words = {
        "not_null": f"{what} has no value",
        "in_range": f"{what} is not within its range: {ends}",
        "length": f"the length of {what} is not within its range: {ends}",
        "one_of": f"{what} is none of {', '.join(texts(rule.param('values'))[:10])}",
        "matches": f"{what} doesn't match {rule.param('pattern')}",
        "type": f"{what} is no {rule.param('as')}",
        "is_a": f"{what} is no {rule.param('kind')}",
        "determined": f"{what} is not what {', '.join(texts(rule.param('by')))} determines",
        "unique": f"another row is equal in {what}",
        "expect": f"not true: {rule.sql}",
    }
    return rule.because or words.get(rule.kind, rule.name)


def _quarantined(walk: Walk, staging: Staging, link: Link) -> str:
    why = drop_reasons(link.rule) if link.rule.kind == DROPPED else literal(reason(link.rule))
    return (
        f"SELECT {literal(staging.run)} AS run, {literal(staging.step.dataset)} AS dataset, {FILE} AS file, "
        f"{RECORD} AS record, {literal(link.rule.name)} AS rule, {why} AS reason, "
        f"{_raw(walk, link)} AS raw FROM {ASIDE} WHERE _taken = {link.number}"
    )


def _raw(walk: Walk, link: Link) -> str:
    """SQL for the row as a JSON object, with each value as the link saw it."""
    pairs = []
    for attribute in walk.layers.relation.visible:
        later = [n for n, column in walk.layers.converted.items() if column == attribute.name and n >= link.number]
        value = f"_was_{min(later)}" if later else quoted(attribute.name)
        pairs.append(f"{literal(attribute.name)}, {value}")
    return f"CAST(json_object({', '.join(pairs)}) AS VARCHAR)"


def _write(walk: Walk, staging: Staging, name: str, parts: Sequence[str], columns: Sequence[str]) -> Written | None:
    if not parts:
        return None
    relation = Relation(tuple(Attribute(c, "integer" if c in _INTEGERS else "text") for c in columns))
    path = staging.new_file(f"governance.{name}")
    written = walk.session.write(" UNION ALL ".join(parts), path, relation=relation)
    return written if written.files else None
