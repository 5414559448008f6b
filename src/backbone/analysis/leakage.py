"""Leakage: what a model knows in training and won't know when it is used.

Errors, since a model's metrics would be too good to be true:
- a key on both sides of a split; for `by_group` a group, and with `entity` an entity, on both sides;
- under `by_group` and `at_random` a row on both sides that is equal in every column but the key: the same thing
  recorded twice. In a split by time equal rows are normal (a flight is on time on Monday and on Tuesday), and so are
  rows that are equal in a few coarse features: those are counted and shown, but fail nothing;
- a feature that the target's expression reads, that the view computes from the same column as the target, or whose
  values determine the target exactly;
- a feature that holds a time after `train_until` in a training row.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from backbone.analysis.refusals import refusal
from backbone.analysis.sides import after_training
from backbone.analysis.steps import sets_of, view_of
from backbone.analysis.view import TARGET
from backbone.errors import shown_value
from backbone.model.names import quoted, quoted_dataset
from backbone.model.rules import Rule
from backbone.model.steps import Finding

if TYPE_CHECKING:
    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis
    from backbone.model.relations import Relation

_TIMES = ("date", "timestamp", "timestamp_tz")
_LINEAR = 1 - 1e-9
_MANY_EQUAL = 0.5
"""The share of validation rows with a twin in training above which it is mentioned."""


def check_leakage(analysis: "Analysis", relation: "Relation", session: "Session") -> tuple[Finding, ...]:
    """Check the two sets, which the session shows.

    Raises:
        DatasetError: something leaks; the message says what, with the numbers.
    """
    train, validate = sets_of(analysis)
    _check_sides(analysis, session)
    _check_expressions(analysis)
    _check_values(analysis, relation, session)
    _check_times(analysis, relation, session)
    features = (*analysis.features, TARGET)
    twins, rows = _twins(train, validate, features, session)
    if twins / rows > _MANY_EQUAL:
        message = f"{twins:,} of {rows:,} validation rows equal a training row in all features and the target"
        return (warning("leakage(equal features)", f"{message}: the features are coarse", rows, twins),)
    return ()


def warning(name: str, message: str, tested: int, broken: int | None = None) -> Finding:
    """A finding that people should know and that fails nothing."""
    rule = Rule(kind=name.partition("(")[0], name=name, action="warn", tolerate=1.0)
    return Finding(rule, tested, tested if broken is None else broken, "warned", message)


def repeating_texts(analysis: "Analysis", relation: "Relation", session: "Session") -> Iterator[tuple[str, int, int]]:
    """Text columns that repeat as what rows are about would: (column, distinct values, rows).

    More values than the square root of the rows (so not a category), each twice or more on average.
    """
    texts = [a.name for a in relation.attributes if a.domain == "text" and a.name not in (*analysis.key, TARGET)]
    if analysis.entity or not texts:
        return
    counts = ", ".join(f"count(DISTINCT {quoted(c)}), count({quoted(c)})" for c in texts)
    found = session.rows(f"SELECT {counts} FROM {quoted_dataset(view_of(analysis))}")[0]
    for column, distinct, rows in zip(texts, found[::2], found[1::2], strict=True):
        if math.sqrt(rows) < distinct <= rows / 2:
            yield column, distinct, rows


def _check_sides(analysis: "Analysis", session: "Session") -> None:
    train, validate = sets_of(analysis)
    kind = analysis.split.kind if analysis.split else ""
    apart = {"key": analysis.key}
    if kind == "by_group" and analysis.split and analysis.split.column:
        apart["group"] = (analysis.split.column,)
    if kind != "by_time" and analysis.entity:
        apart["entity"] = (analysis.entity,)
    for what, columns in apart.items():
        shared, rows = _twins(train, validate, columns, session)
        if shared:
            names = ", ".join(columns)
            raise refusal(
                analysis, train, f"leakage: {what} {names} of {shared:,} of {rows:,} validation rows is in training"
            )
    if kind != "by_time":
        _check_equal_rows(analysis, session)


def _check_equal_rows(analysis: "Analysis", session: "Session") -> None:
    train, validate = sets_of(analysis)
    relation = session.describe(f"SELECT * FROM {quoted_dataset(train)}")
    columns = tuple(n for n in relation.names if n not in analysis.key)
    twins, rows = _twins(train, validate, columns, session)
    if twins:
        message = f"leakage: {twins:,} of {rows:,} validation rows equal a training row in every column but the key"
        hint = "remove the doubles in the view, add the column that tells them apart, or split by_group or by_time"
        raise refusal(analysis, train, message, hint=hint)


def _twins(train: str, validate: str, columns: tuple[str, ...], session: "Session") -> tuple[int, int]:
    """How many validation rows equal a training row in some columns (NULL equals NULL), and how many there are."""
    names = ", ".join(quoted(c) for c in columns)
    same = " AND ".join(f"v.{quoted(c)} IS NOT DISTINCT FROM t.{quoted(c)}" for c in columns)
    seen = f"SELECT DISTINCT {names} FROM {quoted_dataset(train)}"
    equal = session.rows(f"SELECT count(*) FROM {quoted_dataset(validate)} AS v SEMI JOIN ({seen}) AS t ON {same}")
    return equal[0][0], session.rows(f"SELECT count(*) FROM {quoted_dataset(validate)}")[0][0]


def _check_expressions(analysis: "Analysis") -> None:
    """Compare what features and target are computed from; a window looks at other rows, so it is left to the values."""
    from sqlglot import ParseError, exp, parse_one

    train = sets_of(analysis)[0]
    try:
        target = parse_one(analysis.target or TARGET, read="duckdb")
        view = parse_one(analysis.view, read="duckdb")
    except ParseError:  # the engine has understood both; the values are compared below
        return
    made = {p.alias_or_name: p.unalias() for p in view.selects} if isinstance(view, exp.Query) else {}
    read = {c.name for c in target.find_all(exp.Column)}
    roots = read | {c.name for name in read if name in made for c in made[name].find_all(exp.Column)}
    for feature in analysis.features:
        if feature in read:
            raise refusal(analysis, train, f"leakage: target '{analysis.target}' is computed from feature {feature}")
        expression = made.get(feature)
        if expression is None or expression.find(exp.Window, exp.AggFunc, exp.Query):
            continue
        shared = sorted(roots & {c.name for c in expression.find_all(exp.Column)})
        if shared:
            made_from = f"feature {feature} is computed from {', '.join(shared)}, as the target is"
            raise refusal(analysis, train, f"leakage: {made_from}")


def _check_values(analysis: "Analysis", relation: "Relation", session: "Session") -> None:
    """A feature that is a linear function of the target, or its other name, is the target."""
    train, target = sets_of(analysis)[0], quoted(TARGET)
    for feature in analysis.features:
        column, domain = quoted(feature), relation.domain(feature) or ""
        if domain == "text" and analysis.kind == "classification":
            pairs = f"count(DISTINCT ({column}, {target}))"
            measure = f"count(DISTINCT {column}) = 2 AND {pairs} = 2 AND count({column}) = count(*)"
        elif domain in {"integer", "float", "boolean"} or domain.startswith("decimal"):
            numbers = f"CAST({column} AS DOUBLE), CAST({target} AS DOUBLE)"
            measure = f"abs(corr({numbers})) BETWEEN {_LINEAR} AND 2 AND count({column}) > 2"  # NaN is above
        else:
            continue
        if session.rows(f"SELECT coalesce({measure}, false) FROM {quoted_dataset(train)}")[0][0]:
            raise refusal(
                analysis, train, f"leakage: feature {feature} tells the target exactly, in every training row"
            )


def _check_times(analysis: "Analysis", relation: "Relation", session: "Session") -> None:
    split, train = analysis.split, sets_of(analysis)[0]
    if split is None or split.kind != "by_time":
        return
    for feature in analysis.features:
        if feature == split.column or relation.domain(feature) not in _TIMES:
            continue
        column = quoted(feature)
        query = f"SELECT count(*), max({column}) FROM {quoted_dataset(train)} WHERE {after_training(split, column)}"
        count, latest = session.rows(query)[0]
        if count:
            message = (
                f"leakage: feature {feature} is after the split in {count:,} training rows, up to {shown_value(latest)}"
            )
            raise refusal(analysis, train, message)
