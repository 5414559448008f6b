"""Rules as SQL: which rows break a rule, what a repair makes of a column, and which domains rules change.

A value that is missing breaks no rule but `not_null`; rows outside `where` and rows named in `except` break none.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from backbone.errors import Problem, ProjectError, did_you_mean
from backbone.formats.casting import no_such
from backbone.model.domains import sql_type
from backbone.model.names import FILE, RECORD, literal, quoted
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.quality.expressions import refuse_queries
from backbone.quality.kinds import kind_condition
from backbone.quality.literals import Bound, bound_sql, value_sql

_BLANKS = (
    " \t\n\r\f\v\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_MOMENTS = {"date", "timestamp", "timestamp_tz"}


def row_predicate(rule: Rule, relation: Relation) -> str:
    """SQL that is TRUE where a row satisfies the rule, and FALSE where it breaks it; never NULL.

    Raises:
        ProjectError: the rule can't be applied to this relation.
    """
    return f"(({broken_condition(rule, relation)}) IS NOT TRUE)"


def broken_condition(rule: Rule, relation: Relation) -> str:
    """SQL that is TRUE where a row breaks the rule, else FALSE or NULL: cheaper in a FILTER than the predicate."""
    test = _satisfied(rule, relation)
    scope = scope_condition(rule, relation)
    return f"NOT {test} AND {scope}" if scope else f"NOT {test}"


def check_condition(rule: Rule, relation: Relation) -> str:
    """SQL that is FALSE where a row breaks the rule, else TRUE or NULL: what a CHECK says of each row.

    Raises:
        ProjectError: the rule can't be applied to this relation.
    """
    scope = scope_condition(rule, relation)
    test = _satisfied(rule, relation)
    return f"({scope}) IS NOT TRUE OR {test}" if scope else test


def _satisfied(rule: Rule, relation: Relation) -> str:
    if rule.kind == "expect":
        refuse_queries(rule)
        return f"({rule.sql}\n)"
    return "(" + " AND ".join(_test(rule, column, relation) for column in _columns(rule, relation)) + ")"


def cell_condition(rule: Rule, column: str, relation: Relation) -> str:
    """As `broken_condition`, for one of the columns that the rule tests."""
    return broken_condition(replace(rule, columns=(column,)), relation)


def scope_condition(rule: Rule, relation: Relation) -> str:
    """SQL for the rows that a rule is about: within `where`, and not named in `except`. Empty for all rows."""
    parts = [*where_condition(rule), *_not_excepted(rule, relation)]
    return " AND ".join(parts)


def where_condition(rule: Rule) -> list[str]:
    """The rule's `where`, if it has one, as SQL that is TRUE for the rows tested."""
    if not rule.where:
        return []
    refuse_queries(rule)
    return [f"(({rule.where}\n) IS TRUE)"]


def repair_expression(rule: Rule, column: str, relation: Relation) -> str:
    """SQL for the value that a repair, or `type`, leaves in a column. It has the column's domain after the rule.

    Raises:
        ProjectError: the rule can't be applied to this column.
    """
    name, domain = quoted(column), _domain(rule, column, relation)
    if rule.kind == "type":
        return _converted(rule, name, domain)
    match rule.kind:
        case "trim":
            value = f"trim({name}, {literal(_BLANKS)})"
            # Trimming a set of characters costs four times what looking at both ends does, and few values need it.
            odd = f"{name}[1] <= ' ' OR {name}[1] > '~' OR {name}[-1] <= ' ' OR {name}[-1] > '~'"
            conditions = [f"({odd})"]
        case "null_tokens":
            value, conditions = "NULL", [_is_token(rule, name, domain)]
        case "replace":
            value, conditions = _replaced(rule, name, domain), []
        case "set":
            refuse_queries(rule)
            value, conditions = _exactly(rule, domain), []
        case _:
            raise refused(rule, f"{rule.kind} is no repair")
    scope = scope_condition(rule, relation)
    conditions += [scope] if scope else []
    return f"CASE WHEN {' AND '.join(conditions)} THEN {value} ELSE {name} END" if conditions else value


def _exactly(rule: Rule, domain: str) -> str:
    """SQL: what `set` says, in a domain; an error where the value would have to be rounded or cut to fit."""
    value = f"({rule.param('to')}\n)"
    cast_to = f"CAST({value} AS {sql_type(domain)})"
    if domain not in {"integer", "date"} and not domain.startswith("decimal"):
        return cast_to
    told = f" is {no_such(domain)}. Say how it becomes one, as in round(x), x // 2 or a CAST"
    return f"CASE WHEN {cast_to} <> {value} THEN error(CAST({value} AS VARCHAR) || {literal(told)}) ELSE {cast_to} END"


def repaired_columns(rule: Rule, relation: Relation) -> tuple[str, ...]:
    """The columns whose values a repair may change; `all` and `trim` mean those that it can be applied to."""
    columns = _columns(rule, relation)
    if rule.kind == "trim":
        texts = tuple(c for c in columns if relation.domain(c) == "text")
        other = [c for c in columns if c not in texts]
        if other and not is_all(rule):
            raise refused(rule, f"{other[0]} is {relation.domain(other[0])}; only text has blanks to trim")
        return texts
    if rule.kind == "null_tokens" and is_all(rule):
        return tuple(c for c in columns if _tokens(rule, str(relation.domain(c))))
    return columns


def relation_after(rules: Sequence[Rule], relation: Relation) -> Relation:
    """The relation after these rules: `type` changes domains, nothing else does."""
    changed = {column: str(rule.param("as")) for rule in rules if rule.kind == "type" for column in rule.columns}
    attributes = tuple(replace(a, domain=changed.get(a.name, a.domain)) for a in relation.attributes)
    return Relation(attributes)


def is_all(rule: Rule) -> bool:
    """Whether a rule is about `all` columns."""
    return rule.columns == ("all",)


def tested_columns(rule: Rule, relation: Relation) -> tuple[str, ...]:
    """The columns that a rule is about, with `all` written out.

    Raises:
        ProjectError: there is no such column.
    """
    return _columns(rule, relation)


def texts(value: object) -> tuple[str, ...]:
    """A parameter that may be one text or several."""
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, (tuple, list)) else (str(value),)


def refused(rule: Rule, message: str) -> ProjectError:
    """The error that a rule can't be applied, at its place in the project."""
    return ProjectError([Problem(rule.at, f"{rule.name}: {message}")])


def _columns(rule: Rule, relation: Relation) -> tuple[str, ...]:
    if is_all(rule) and relation.domain("all") is None:
        return tuple(a.name for a in relation.visible)
    for column in rule.columns:
        _domain(rule, column, relation)
    return rule.columns


def _domain(rule: Rule, column: str, relation: Relation) -> str:
    domain = relation.domain(column)
    if domain is None:
        raise refused(rule, f"there is no column '{column}'.{did_you_mean(column, relation.names)}")
    return domain


def _test(rule: Rule, column: str, relation: Relation) -> str:  # noqa: PLR0911 - a kind a line
    """SQL that is FALSE where the column's value breaks the rule, and TRUE or NULL where it doesn't."""
    name, domain = quoted(column), _domain(rule, column, relation)
    match rule.kind:
        case "not_null":
            return f"{name} IS NOT NULL"
        case "in_range":
            return _in_range(rule, name, domain)
        case "one_of":
            return f"{name} IN ({', '.join(_value(rule, v, domain) for v in texts(rule.param('values')))})"
        case "matches":
            text = name if domain == "text" else f"CAST({name} AS VARCHAR)"
            return f"regexp_full_match({text}, {literal(str(rule.param('pattern')))})"
        case "length":
            return _length(rule, name, domain)
        case "is_a":
            return kind_condition(str(rule.param("kind")), name if domain == "text" else f"CAST({name} AS VARCHAR)")
        case "type":
            if rule.where or rule.exceptions:
                raise refused(rule, "type converts the whole column: it takes neither where nor except")
            return f"({name} IS NULL OR {_converted(rule, name, domain)} IS NOT NULL)"
        case _:
            raise refused(rule, f"{rule.kind} doesn't judge single rows")


def _in_range(rule: Rule, name: str, domain: str) -> str:
    sides: tuple[tuple[Bound, str], ...] = (("from", ">="), ("to", "<="))
    parts = []
    for side, operator in sides:
        bound = rule.param(side)
        if bound is None:
            continue
        if bound == "today" and domain in _MOMENTS:
            # All of today is within `to: today`, so days are compared.
            parts.append(f"CAST({name} AS DATE) {operator} current_date")
            continue
        if domain == "text" and value_sql(str(bound), "float") is not None:
            column = rule.columns[0]
            message = f"{column} is text, where '9' comes after '10'. Put {{type: {column}, as: integer}} before it"
            raise refused(rule, message)
        parts.append(f"{name} {operator} {_known(rule, bound_sql(str(bound), domain, side), str(bound), domain)}")
    if not parts:
        raise refused(rule, "in_range needs from, to, or both")
    return " AND ".join(parts)


def _length(rule: Rule, name: str, domain: str) -> str:
    size = f"len({name})" if domain.endswith("[]") or domain == "text" else f"len(CAST({name} AS VARCHAR))"
    parts = []
    for side, operator in (("from", ">="), ("to", "<=")):
        if rule.param(side) is not None:
            bound = str(rule.param(side))
            parts.append(f"{size} {operator} {_known(rule, value_sql(bound, 'integer'), bound, 'integer')}")
    if not parts:
        raise refused(rule, "length needs from, to, or both")
    return " AND ".join(parts)


def _value(rule: Rule, text: str, domain: str) -> str:
    return _known(rule, value_sql(text, domain), text, domain)


def _known(rule: Rule, sql: str | None, text: str, domain: str) -> str:
    if sql is None:
        raise refused(rule, f"'{text}' is no {domain}")
    return sql


def _tokens(rule: Rule, domain: str) -> list[str]:
    found = (value_sql(token.strip(), domain) for token in texts(rule.param("tokens")))
    return [token for token in found if token is not None]


def _is_token(rule: Rule, name: str, domain: str) -> str:
    tokens = _tokens(rule, domain)
    if not tokens:
        raise refused(rule, f"none of its tokens is a value of {domain}")
    value = f"trim({name}, {literal(_BLANKS)})" if domain == "text" else name
    return f"{value} IN ({', '.join(tokens)})"


def _replaced(rule: Rule, name: str, domain: str) -> str:
    cases = [f"WHEN {_value(rule, old, domain)} THEN {_value(rule, new, domain)}" for old, new in _pairs(rule)]
    return f"CASE {name} {' '.join(cases)} ELSE {name} END"


def _pairs(rule: Rule) -> list[tuple[str, str]]:
    pairs = rule.param("with")
    if not isinstance(pairs, tuple) or not pairs:
        raise refused(rule, "replace needs with: {old: new}")
    return [(str(old), str(new)) for old, new in pairs]


def _converted(rule: Rule, name: str, domain: str) -> str:
    """The value in the new domain, or NULL where it has none: DuckDB alone would round 1.5 to 2."""
    wanted = str(rule.param("as"))
    cast = f"TRY_CAST({name} AS {sql_type(wanted)})"
    exact = wanted == "integer" or wanted.startswith("decimal(")
    if exact and domain == "text":
        spelled = _number_pattern(0 if wanted == "integer" else int(wanted[8:-1]))
        return f"CASE WHEN regexp_full_match({name}, {literal(spelled)}) THEN {cast} END"
    if exact and domain != "boolean":
        return f"CASE WHEN {cast} = {name} THEN {cast} END"
    return cast


def _number_pattern(scale: int) -> str:
    if scale == 0:
        return r"\s*[+-]?\d+(\.0*)?\s*"
    return rf"\s*[+-]?(\d+\.?|\d*\.\d{{1,{scale}}}|\d+\.\d{{0,{scale}}})0*\s*"


def _not_excepted(rule: Rule, relation: Relation) -> list[str]:
    if not rule.exceptions or not {FILE, RECORD} <= set(relation.names):
        return []
    by_file = groupby(sorted(rule.exceptions), key=lambda pair: pair[0])
    places = [
        f"({quoted(FILE)} = {file} AND {quoted(RECORD)} IN ({', '.join(str(record) for _, record in pairs)}))"
        for file, pairs in by_file
    ]
    return [f"(({' OR '.join(places)}) IS NOT TRUE)"]
