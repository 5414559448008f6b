"""What rules find in a table, and what comes of it: all judgements on rows in one pass over the table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from backbone.engine.protocol import Session
from backbone.errors import EngineError, ProjectError, shown_value
from backbone.model.names import FILE, RECORD, quoted, quoted_dataset
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.model.steps import Finding
from backbone.quality.determined import determined_scope, undetermined_sql
from backbone.quality.doubles import column_list, doubles_sql, repeated_sql, unique_scope
from backbone.quality.expressions import columns_in, is_dataset_check, refuse_queries
from backbone.quality.predicates import broken_condition, refused, scope_condition, tested_columns, texts

Level = Literal["passed", "repaired", "warned", "set_aside", "failed"]
EXAMPLES = 3
_LEVELS: Mapping[str, Level] = {
    "repair": "repaired",
    "null": "repaired",
    "quarantine": "set_aside",
    "deduplicate": "set_aside",
    "warn": "warned",
    "fail": "warned",
}
_VERBS = {"null": " made null", "repair": " repaired", "quarantine": " set aside", "deduplicate": " merged away"}
_names = count(1)


def decide(rule: Rule, tested: int, broken: int) -> tuple[Level, str]:
    """What comes of a rule that some rows break, and a message with their count and share.

    Above the share that the rule tolerates the dataset fails; up to it the rule's action happens, and `fail` warns.
    """
    if broken == 0:
        return "passed", ""
    if is_dataset_check(rule):
        return ("failed" if rule.tolerate < 1 else "warned"), "not true of the dataset"
    if rule.action is None:
        return "repaired", f"{broken:,} {'value' if broken == 1 else 'values'} repaired"
    rows = counted(broken, tested)
    if broken > rule.tolerate * tested:
        allowed = f", tolerated {percent(rule.tolerate)}" if rule.tolerate else ""
        return "failed", f"{rows}{allowed}"
    allowed = f", tolerated {percent(rule.tolerate)}" if rule.action in {"warn", "fail"} and rule.tolerate < 1 else ""
    return _LEVELS[rule.action], f"{rows}{_VERBS.get(rule.action, '')}{allowed}"


def finding(rule: Rule, tested: int, broken: int, examples: tuple[str, ...] = ()) -> Finding:
    """The finding for a rule that `broken` of `tested` rows break."""
    level, message = decide(rule, tested, broken)
    return Finding(rule, tested, broken, level, message, examples)


def measure(
    session: Session, table: str, relation: Relation, rules: Sequence[Rule], *, key: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """Judge a table by rules, one finding each, without changing anything.

    Args:
        session: where the table, and the targets of `references`, can be read.
        table: an SQL table expression with all columns of `relation`, system columns too where they exist.
        relation: the table's attributes.
        rules: any that judge; those of single rows share one pass.
        key: columns that identify a row in an example, before those that the rule tests.

    Raises:
        ProjectError: a rule can't be applied to the table.
    """
    if not rules:
        return ()
    measured = _Measured(session, f"(SELECT * FROM {table})", relation, key)
    counts = _counts(measured, rules)
    return tuple(
        finding(rule, tested, broken, _examples(measured, rule) if broken else ())
        for rule, (tested, broken) in zip(rules, counts, strict=True)
    )


def counted(broken: int, tested: int) -> str:
    """A count of rows with its share: `50,094 rows (14.9%)`."""
    return f"{broken:,} {'row' if broken == 1 else 'rows'} ({percent(broken / tested if tested else 1.0)})"


def percent(share: float) -> str:
    """A share as people read it: `14.9%`, and never 0% for something or 100% for less than all."""
    if 0 < share < 0.0005:  # noqa: PLR2004 - half of the last digit shown
        return "<0.1%"
    if 0.9995 <= share < 1:  # noqa: PLR2004 - half of the last digit shown
        return ">99.9%"
    return f"{100 * share:.1f}%".replace(".0%", "%")


def example_text(names: Sequence[str], row: Sequence[object]) -> str:
    """One row as a message shows it: `12:640 carrier=UA flight=1545 dest=∅`, its file and record first."""
    values = dict(zip(names, row, strict=True))
    place = f"{values.pop(FILE)}:{values.pop(RECORD)} " if FILE in values and RECORD in values else ""
    return place + " ".join(f"{name}={shown_value(value)}" for name, value in values.items())


def example_columns(rule: Rule, relation: Relation, key: tuple[str, ...]) -> tuple[str, ...]:
    """The columns to show of a row that breaks a rule: its place, its key (or first columns), those tested."""
    place = tuple(c for c in (FILE, RECORD) if c in relation.names)
    first = key or tuple(a.name for a in relation.visible[:2])
    if rule.kind == "expect":
        tested = tuple(name for name in relation.names if name.lower() in columns_in(rule.sql))
    else:
        tested = (*texts(rule.param("by") if rule.kind == "determined" else ()), *tested_columns(rule, relation)[:6])
    return tuple(dict.fromkeys([*place, *first, *tested]))


def example_rows(session: Session, table: str, condition: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The first three rows of a table for which a condition is true, as text: it is read no further than that."""
    found = session.rows(f"SELECT {column_list(columns)} FROM {table} AS t WHERE {condition} LIMIT {EXAMPLES}")
    return tuple(example_text(columns, row) for row in found)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A table that rules judge."""

    session: Session
    table: str
    relation: Relation
    key: tuple[str, ...]


def _counts(measured: _Measured, rules: Sequence[Rule]) -> list[tuple[int, int]]:
    """For each rule the rows tested and those that break it."""
    pairs = [_pair(measured, rule) for rule in rules]
    columns = ", ".join(sql for pair in pairs for sql in pair)
    try:
        (row,) = measured.session.rows(f"SELECT {columns} FROM {measured.table} AS t")
    except EngineError as error:
        raise blamed(measured.session, measured.table, list(zip(rules, pairs, strict=True)), error) from error
    counts = [(int(row[2 * i]), int(row[2 * i + 1] or 0)) for i in range(len(rules))]
    return [_completed(measured, rule, tested, broken) for rule, (tested, broken) in zip(rules, counts, strict=True)]


def _pair(measured: _Measured, rule: Rule) -> tuple[str, str]:
    """SQL aggregates for the rows that a rule tests and those that break it; 0 for what needs a query of its own."""
    scope = scope_condition(rule, measured.relation)
    tested = f"count(*) FILTER (WHERE {scope})" if scope else "count(*)"
    if rule.kind == "unique":
        return f"count(*) FILTER (WHERE {unique_scope(rule, measured.relation)})", "0"
    if rule.kind == "references":
        return f"count(*) FILTER (WHERE {_reference_scope(rule, measured.relation)})", "0"
    if rule.kind == "determined":
        return f"count(*) FILTER (WHERE {determined_scope(rule, measured.relation)})", "0"
    if is_dataset_check(rule):
        refuse_queries(rule)
        # One aggregate at least: without any, there would be a row for each of the table's.
        return "1 + 0 * count(*)", "0" if scope else f"CAST(({rule.sql}\n) IS FALSE AS INTEGER)"
    return tested, f"count(*) FILTER (WHERE {broken_condition(rule, measured.relation)})"


def _completed(measured: _Measured, rule: Rule, tested: int, broken: int) -> tuple[int, int]:
    if rule.kind == "unique":
        return tested, _count_doubles(measured, rule)
    if rule.kind == "references":
        return tested, _one(measured, rule, f"SELECT count(*) FROM {_orphans(measured, rule)}")
    if rule.kind == "determined":
        return tested, _one(measured, rule, f"SELECT count(*) FROM ({_undetermined(measured, rule)})")
    scope = scope_condition(rule, measured.relation)
    if is_dataset_check(rule) and scope:
        query = f"SELECT CAST(({rule.sql}\n) IS FALSE AS INTEGER) FROM {measured.table} AS t WHERE {scope}"
        return tested, _one(measured, rule, query)
    return tested, broken


def _undetermined(measured: _Measured, rule: Rule) -> str:
    return undetermined_sql(rule, measured.relation, measured.table)


def _one(measured: _Measured, rule: Rule, query: str) -> int:
    try:
        ((value,),) = measured.session.rows(query)
    except EngineError as error:
        raise _unfit(rule, error) from error
    return int(value or 0)


def _count_doubles(measured: _Measured, rule: Rule) -> int:
    """How many rows there are beyond the first of each group of equal rows."""
    doubles = _doubles(measured, rule)
    return _one(measured, rule, f"SELECT CAST(sum(n - 1) AS BIGINT) FROM ({doubles})") if doubles else 0


def _doubles(measured: _Measured, rule: Rule) -> str | None:
    """A SELECT of the groups of equal rows, or None where there are none."""
    columns, scope = tested_columns(rule, measured.relation), unique_scope(rule, measured.relation)
    repeated = f"_measured_{next(_names)}"
    query = repeated_sql(measured.table, columns, scope)
    measured.session.execute(f"CREATE TEMP TABLE {repeated} AS {query}")
    if not _one(measured, rule, f"SELECT count(*) FROM {repeated}"):
        return None
    return doubles_sql(measured.table, columns, scope, repeated)


def _reference_scope(rule: Rule, relation: Relation) -> str:
    scope = scope_condition(rule, relation)
    values = [f"{quoted(c)} IS NOT NULL" for c in tested_columns(rule, relation)]
    return " AND ".join([*([scope] if scope else []), *values])


def _orphans(measured: _Measured, rule: Rule) -> str:
    """A table of the rows whose reference leads nowhere."""
    target, columns = str(rule.param("to")), tested_columns(rule, measured.relation)
    by = texts(rule.param("by")) or columns
    if len(by) != len(columns):
        raise refused(rule, f"{len(columns)} columns can't refer to {len(by)} of {target}: name as many in by")
    theirs = measured.session.describe(f"SELECT * FROM {quoted_dataset(target)}")
    pairs = " AND ".join(
        _equal(mine, its, measured.relation.domain(mine), theirs.domain(its))
        for mine, its in zip(columns, by, strict=True)
    )
    within = f"(SELECT * FROM {measured.table} AS t WHERE {_reference_scope(rule, measured.relation)})"
    return f"(SELECT t.* FROM {within} AS t ANTI JOIN {quoted_dataset(target)} AS r ON {pairs})"


def _equal(mine: str, its: str, my_domain: str | None, its_domain: str | None) -> str:
    left, right = f"t.{quoted(mine)}", f"r.{quoted(its)}"
    if my_domain != its_domain and "text" in {my_domain, its_domain}:
        # DuckDB would read the text as a number, and fail at the first that isn't one.
        return f"CAST({left} AS VARCHAR) = CAST({right} AS VARCHAR)"
    return f"{left} = {right}"


def _examples(measured: _Measured, rule: Rule) -> tuple[str, ...]:
    if is_dataset_check(rule):
        return ()
    session, relation = measured.session, measured.relation
    if rule.kind == "unique":
        columns = tested_columns(rule, relation)
        doubles = _doubles(measured, rule)
        return example_rows(session, f"({doubles})", "true", columns[:6]) if doubles else ()
    columns = example_columns(rule, relation, measured.key)
    if rule.kind == "references":
        return example_rows(session, _orphans(measured, rule), "true", columns)
    if rule.kind == "determined":
        return example_rows(session, f"({_undetermined(measured, rule)})", "true", columns)
    return example_rows(session, measured.table, broken_condition(rule, relation), columns)


def blamed(
    session: Session, table: str, asked: Sequence[tuple[Rule, Sequence[str]]], error: EngineError
) -> ProjectError | EngineError:
    """The rule whose SQL can't be carried out, as an error that names it; else the error as it was."""
    for rule, columns in asked:
        try:
            session.rows(f"SELECT {', '.join(columns)} FROM {table} AS t")
        except EngineError as its_own:
            return _unfit(rule, its_own)
    return error


def _unfit(rule: Rule, error: EngineError) -> ProjectError:
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return refused(rule, lines[0])
