"""The lines of an analysis's gate: comparisons over metrics."""

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backbone.errors import did_you_mean

if TYPE_CHECKING:
    from backbone.errors import Problem
    from backbone.project.catalogue import Domains
    from backbone.project.tree import Text

METRICS: Mapping[str, tuple[str, ...]] = {
    "classification": ("roc_auc", "pr_auc", "brier", "log_loss", "f1", "precision", "recall", "accuracy"),
    "regression": ("mae", "rmse", "r2", "mape"),
    "clustering": ("silhouette", "stability"),
}
"""The metrics of each kind of analysis."""
_EXAMPLE = "such as roc_auc >= baseline.roc_auc + 0.03"
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq)
_OPERATIONS = (ast.Add, ast.Sub, ast.Mult, ast.Div)


def check_gate(line: "Text", kind: str, columns: "Domains | None", problems: "list[Problem]") -> None:
    """Note what is wrong with one line of a gate."""
    try:
        tree = ast.parse(line.value.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        problems.append(line.place.problem(f"a gate is a comparison of metrics, {_EXAMPLE}"))
        return
    if not isinstance(tree, ast.Compare) or len(tree.ops) != 1 or not isinstance(tree.ops[0], _COMPARISONS):
        problems.append(line.place.problem(f"a gate is one comparison (<, <=, >, >=, ==) of metrics, {_EXAMPLE}"))
        return
    for side in (tree.left, tree.comparators[0]):
        message = _wrong(side, kind, columns)
        if message:
            problems.append(line.place.problem(message))


def _wrong(node: ast.expr, kind: str, columns: "Domains | None") -> str:  # noqa: PLR0911  one per form
    match node:
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATIONS):
            return _wrong(left, kind, columns) or _wrong(right, kind, columns)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _wrong(operand, kind, columns)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return ""
        case ast.Name(id=name):
            return _wrong_metric(name, kind)
        case ast.Attribute(value=ast.Name(id="baseline"), attr=name) if kind != "clustering":
            return _wrong_metric(name, kind)
        case ast.Attribute(value=ast.Name(id="current"), attr=name):
            return _wrong_metric(name, kind)
        case ast.Call(func=ast.Name(id="worst" | "gap"), args=[ast.Name(id=name), ast.Name(id=column)], keywords=[]):
            return _wrong_metric(name, kind) or _wrong_column(column, columns)
    known = "NAME, current.NAME, worst(NAME, COLUMN), gap(NAME, COLUMN), numbers, + - * /"
    baseline = "" if kind == "clustering" else "baseline.NAME, "
    return f"a gate can't hold '{ast.unparse(node)}'. It knows: {baseline}{known}"


def _wrong_metric(name: str, kind: str) -> str:
    metrics = METRICS[kind]
    if name in metrics:
        return ""
    return f"{kind} has no metric '{name}'.{did_you_mean(name, metrics) or ' Metrics: ' + ', '.join(metrics)}"


def _wrong_column(column: str, columns: "Domains | None") -> str:
    if columns is None or column in columns:
        return ""
    return f"column '{column}' is not in the view.{did_you_mean(column, columns)}"
