"""Metrics of predictions. One that can't be computed (one class only, say) is None, never a guess."""

import math
from typing import TYPE_CHECKING

import numpy as np
from sklearn import metrics as sk

from backbone.analysis.vocabulary import GROUP_ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Values = Mapping[str, float | None]


def measure(y: "Numbers", predicted: "Numbers", threshold: float | None) -> "Values":
    """The metrics of a classification (`predicted`: probabilities, `threshold` given) or of a regression."""
    found = _regression(y, predicted) if threshold is None else _classification(y, predicted, threshold)
    return {name: None if value is None or not math.isfinite(value) else float(value) for name, value in found.items()}


def measure_groups(
    y: "Numbers", predicted: "Numbers", groups: "NDArray[np.object_]", threshold: float | None
) -> "Mapping[str, Values]":
    """The metrics of each group of 30 rows or more; a missing value is no group."""
    found: dict[str, Values] = {}
    for value in sorted({str(v) for v in groups if isinstance(v, str)}):
        rows = groups == value
        if int(rows.sum()) >= GROUP_ROWS:
            found[value] = measure(y[rows], predicted[rows], threshold)
    return found


def best_threshold(y: "Numbers", probability: "Numbers") -> float:
    """The probability from which on a row counts as true so that F1 is highest; the lowest of equals."""
    precision, recall, thresholds = sk.precision_recall_curve(y, probability)
    total = precision[:-1] + recall[:-1]
    f1 = np.divide(2 * precision[:-1] * recall[:-1], total, out=np.zeros_like(total), where=total > 0)
    return float(thresholds[int(np.argmax(f1))])


def _classification(y: "Numbers", probability: "Numbers", threshold: float) -> "dict[str, float | None]":
    both = len(np.unique(y)) > 1
    decided = (probability >= threshold).astype(np.float64)
    clipped = np.clip(probability, 1e-15, 1 - 1e-15)
    return {
        "roc_auc": sk.roc_auc_score(y, probability) if both else None,
        "pr_auc": sk.average_precision_score(y, probability) if both else None,
        "brier": float(np.mean((probability - y) ** 2)),
        "log_loss": float(-np.mean(y * np.log(clipped) + (1 - y) * np.log(1 - clipped))),
        "f1": sk.f1_score(y, decided, zero_division=0.0),
        "precision": sk.precision_score(y, decided, zero_division=0.0),
        "recall": sk.recall_score(y, decided, zero_division=0.0) if y.any() else None,
        "accuracy": float(np.mean(decided == y)),
    }


def _regression(y: "Numbers", predicted: "Numbers") -> "dict[str, float | None]":
    """`mape` is over rows whose value isn't 0, and a share (0.1 is 10%)."""
    errors, some = predicted - y, y != 0
    spread = float(np.sum((y - y.mean()) ** 2))
    return {
        "mae": float(np.mean(np.abs(errors))),
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "r2": 1 - float(np.sum(errors**2)) / spread if spread else None,
        "mape": float(np.mean(np.abs(errors[some] / y[some]))) if some.any() else None,
    }
