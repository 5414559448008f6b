"""The metrics of each kind of analysis, and which way is better."""

from collections.abc import Mapping

THRESHOLDED = ("f1", "precision", "recall", "accuracy")
"""Metrics of a decision: they depend on the threshold."""
METRICS: Mapping[str, tuple[str, ...]] = {
    "classification": ("roc_auc", "pr_auc", "brier", "log_loss", *THRESHOLDED),
    "regression": ("mae", "rmse", "r2", "mape"),
    "clustering": ("silhouette", "stability"),
}
LOWER_IS_BETTER = frozenset({"brier", "log_loss", "mae", "rmse", "mape"})
SPARK_COLUMNS = ("label", "features", "prediction", "probability", "rawPrediction")
"""Columns of Spark ML by their default names, which no feature of its pipelines may have."""
GROUP_ROWS = 30
"""Metrics of smaller groups say little, so they aren't computed."""


def better(metric: str, value: float | None, than: float | None) -> bool:
    """Whether a metric's value is better than another; a value that couldn't be computed is the worst."""
    if value is None or than is None:
        return value is not None
    return value < than if metric in LOWER_IS_BETTER else value > than
