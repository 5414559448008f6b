"""What people decided about single rows, as the first links of the chain: cells that they fixed, rows they dropped.

A decision is about a row as it is in formatted, so that all rules judge what comes of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from backbone.model.decisions import Decision
from backbone.model.domains import sql_type
from backbone.model.names import FILE, RECORD, literal, quoted
from backbone.model.project import Trusted
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.quality.literals import value_sql
from backbone.quality.predicates import refused

FIXED, DROPPED = "fixed", "dropped"
"""The kinds of these links. They are no rules that people write."""


def decided_rules(trusted: Trusted) -> tuple[Rule, ...]:
    """The decisions about a dataset's rows, as rules: at most one that fixes and one that drops."""
    fixes = tuple(d for d in trusted.decisions if d.verdict != "drop")
    drops = tuple(d for d in trusted.decisions if d.verdict == "drop")
    rules = []
    if fixes:
        rules.append(Rule(FIXED, FIXED, params=(("decisions", fixes),), tolerate=1.0, at=fixes[0].at))
    if drops:
        params = (("decisions", drops),)
        rules.append(Rule(DROPPED, DROPPED, action="quarantine", params=params, tolerate=1.0, at=drops[0].at))
    return tuple(rules)


def fixes_table(rule: Rule, relation: Relation) -> tuple[str, tuple[str, ...]]:
    """The fixes as an SQL table (`file`, `record`, `is_N` and `to_N` for each column), and the columns fixed.

    Raises:
        ProjectError: there is no such column, or it can't have such a value.
    """
    decisions = _decisions(rule)
    columns = tuple(dict.fromkeys(d.column for d in decisions))
    rows = []
    for (file, record), of_row in groupby(sorted(decisions, key=_place), key=_place):
        cells = {d.column: _value(rule, d, relation) for d in of_row}
        values = (f"{str(c in cells).lower()}, {cells.get(c) or _null(relation, c)}" for c in columns)
        rows.append(f"({file}, {record}, {', '.join(values)})")
    names = ", ".join(f"is_{n}, to_{n}" for n in range(len(columns)))
    return f"(SELECT * FROM (VALUES {', '.join(rows)}) AS f(file, record, {names}))", columns


def is_dropped(rule: Rule) -> str:
    """SQL that is TRUE for the rows that people dropped."""
    return _is_one_of(_decisions(rule))


def drop_reasons(rule: Rule) -> str:
    """SQL for the reason why a row was dropped, in people's own words."""
    by_reason: dict[str, list[Decision]] = {}
    for decision in _decisions(rule):
        by_reason.setdefault(decision.because, []).append(decision)
    cases = " ".join(f"WHEN {_is_one_of(group)} THEN {literal(why)}" for why, group in by_reason.items())
    return f"CASE {cases} END"


def _decisions(rule: Rule) -> Sequence[Decision]:
    found = rule.param("decisions")
    return [d for d in found if isinstance(d, Decision)] if isinstance(found, tuple) else []


def _place(decision: Decision) -> tuple[int, int]:
    return decision.file, decision.record


def _is_one_of(decisions: Iterable[Decision]) -> str:
    by_file: Mapping[int, list[str]] = {
        file: [str(d.record) for d in group] for file, group in groupby(sorted(decisions, key=_place), lambda d: d.file)
    }
    parts = (f"({FILE} = {file} AND {RECORD} IN ({', '.join(records)}))" for file, records in by_file.items())
    return f"({' OR '.join(parts)})"


def _null(relation: Relation, column: str) -> str:
    return f"CAST(NULL AS {sql_type(relation.domain(column) or 'text')})"


def _value(rule: Rule, decision: Decision, relation: Relation) -> str:
    domain = relation.domain(decision.column)
    if domain is None:
        raise refused(rule, f"there is no column '{decision.column}', which {decision.place} has a value for")
    if decision.verdict == "clear":
        return _null(relation, decision.column)
    value = value_sql(decision.value, domain)
    if value is None:
        raise refused(rule, f"'{decision.value}' is no value of {quoted(decision.column)}, which is {domain}")
    return value
