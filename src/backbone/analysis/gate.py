"""The gate: comparisons over metrics that decide whether a model version is registered.

A line may hold numbers, metrics (`NAME`, `baseline.NAME`, `current.NAME`), `worst(NAME, COLUMN)`,
`gap(NAME, COLUMN)`, `+ - * /` and comparisons: nothing else, so it is read with `ast` and never executed.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backbone.analysis.vocabulary import LOWER_IS_BETTER, METRICS
from backbone.errors import did_you_mean

if TYPE_CHECKING:
    from backbone.model.project import Analysis

Values = Mapping[str, float | None]

_ARITHMETIC: Mapping[type, Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_ROUNDING = 1e-9
"""Equal models may differ in the last bits: the order in which threads add isn't fixed."""
_COMPARISONS: Mapping[type, tuple[Callable[[float, float], bool], str]] = {
    ast.GtE: (lambda a, b: a >= b - _ROUNDING, "<"),
    ast.LtE: (lambda a, b: a <= b + _ROUNDING, ">"),
    ast.Gt: (operator.gt, "<="),
    ast.Lt: (operator.lt, ">="),
}


class GateError(ValueError):
    """A gate's line can't be read, or a metric in it can't be computed."""


class _NoCurrentError(Exception):
    """There is no registered model version to compare with."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gate judges: metrics on the validation set, and by group (column, value)."""

    model: Values
    baseline: Values = field(default_factory=dict)
    current: Values | None = None
    groups: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One line of a gate, and what came of it; `message` says what was found where it isn't met."""

    line: str
    met: bool
    message: str = ""


def check_gate(line: str, analysis: "Analysis") -> None:
    """Check one line of a gate before anything runs.

    Raises:
        GateError: it isn't a comparison over this analysis's metrics and fairness columns.
    """
    compare = _parse(line)
    for part in (compare.left, *compare.comparators):
        _check(part, analysis)
    for comparison in compare.ops:
        if type(comparison) not in _COMPARISONS:
            raise GateError("only >=, <=, > and < compare metrics.")


def judge(lines: tuple[str, ...], evidence: Evidence) -> tuple[Judgement, ...]:
    """Judge a model by each line of its gate."""
    return tuple(_judge(line, evidence) for line in lines)


def _judge(line: str, evidence: Evidence) -> Judgement:
    compare = _parse(line)
    try:
        values = [_value(part, evidence) for part in (compare.left, *compare.comparators)]
    except _NoCurrentError:
        return Judgement(line, met=True)
    except (GateError, ZeroDivisionError) as error:
        return Judgement(line, met=False, message=f"gate: {line} can't be judged: {error}")
    for left, comparison, right in zip(values, compare.ops, values[1:], strict=False):
        holds, opposite = _COMPARISONS[type(comparison)]
        if not holds(left, right):
            shown = f"{left:.4g} {opposite} {right:.4g}"
            return Judgement(line, met=False, message=f"gate: {line} is not met: {shown}")
    return Judgement(line, met=True)


def _parse(line: str) -> ast.Compare:
    try:
        body = ast.parse(line.strip(), mode="eval").body
    except SyntaxError as error:
        raise GateError(f"can't be read: {error.msg}.") from error
    if not isinstance(body, ast.Compare):
        raise GateError("is no comparison. Expected a line like 'roc_auc >= baseline.roc_auc + 0.03'.")
    return body


def _check(node: ast.expr, analysis: "Analysis") -> None:
    match node:
        case ast.Constant(value=bool()):
            raise GateError("only numbers are allowed.")
        case ast.Constant(value=int() | float()):
            return
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, analysis)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            _check(left, analysis)
            _check(right, analysis)
        case ast.Name(id=name):
            _check_metric(name, analysis)
        case ast.Attribute(value=ast.Name(id="baseline" | "current" as whose), attr=name):
            if whose == "baseline" and analysis.kind == "clustering":
                raise GateError("a clustering has no baseline.")
            _check_metric(name, analysis)
        case ast.Call(func=ast.Name(id="worst" | "gap"), args=[ast.Name(id=name), ast.Name(id=column)], keywords=[]):
            _check_metric(name, analysis)
            if column not in analysis.fairness:
                raise GateError(f"'{column}' is not in fairness.{did_you_mean(column, analysis.fairness)}")
        case _:
            raise GateError(
                f"'{ast.unparse(node)}' can't be used. Expected a number, NAME, baseline.NAME, current.NAME, "
                "worst(NAME, COLUMN) or gap(NAME, COLUMN)."
            )


def _check_metric(name: str, analysis: "Analysis") -> None:
    known = METRICS[analysis.kind]
    if name not in known:
        expected = f"Expected one of {', '.join(known)}."
        raise GateError(f"'{name}' is no metric of a {analysis.kind}. {expected}{did_you_mean(name, known)}")


def _value(node: ast.expr, evidence: Evidence) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=op, operand=operand):
            return _value(operand, evidence) * (-1 if isinstance(op, ast.USub) else 1)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, evidence), _value(right, evidence))
        case ast.Name(id=name):
            return _known(evidence.model, name)
        case ast.Attribute(value=ast.Name(id=whose), attr=name):
            return _known(evidence.baseline if whose == "baseline" else evidence.current, name)
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name), ast.Name(id=column)]):
            return _over_groups(function, name, column, evidence)
        case _:
            raise GateError(f"'{ast.unparse(node)}' can't be used.")


def _over_groups(function: str, metric: str, column: str, evidence: Evidence) -> float:
    found = [values.get(metric) for values in evidence.groups.get(column, {}).values()]
    values = [value for value in found if value is not None]
    if not values:
        raise GateError(f"no group of {column} is large enough for {metric}.")
    if function == "gap":
        return max(values) - min(values)
    return max(values) if metric in LOWER_IS_BETTER else min(values)


def _known(values: Values | None, metric: str) -> float:
    if values is None:
        raise _NoCurrentError
    value = values.get(metric)
    if value is None:
        raise GateError(f"{metric} can't be computed on this validation set.")
    return value
