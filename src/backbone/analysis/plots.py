"""Plots of a model, as SVG files that are the same for the same data."""

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score, roc_curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_INK, _GREY, _FAINT = "#1f2933", "#9aa5b1", "#e4e7eb"
_MODEL, _BASELINE = "#0b6e99", "#d97706"
_COLOURS = (
    "#0b6e99",
    "#d97706",
    "#5b8c3e",
    "#a4343a",
    "#6d4c9f",
    "#12817c",
    "#b0568e",
    "#7a6a2f",
    "#41618f",
    "#8b4b20",
)
_STYLE: Any = {
    "svg.hashsalt": "backbone", "figure.constrained_layout.h_pad": 0.12, "figure.constrained_layout.w_pad": 0.12,
    "font.family": "DejaVu Sans", "font.size": 10, "text.color": _INK,
    "axes.edgecolor": _GREY, "axes.labelcolor": _INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlelocation": "left", "axes.titleweight": "bold", "axes.titlesize": 12, "axes.titlepad": 14,
    "axes.grid": True, "grid.color": _FAINT, "axes.axisbelow": True, "xtick.color": _INK, "ytick.color": _INK,
    "legend.frameon": False,
}  # fmt: skip
_MOST_POINTS = 3000
_NAMED_POINTS = 60
_BINS = 10


@mpl.rc_context(_STYLE)
def plot_roc(path: "Path", y: "Numbers", predicted: "Numbers", baseline: "Numbers") -> None:
    """The true and false positive rates of model and baseline at every threshold."""
    figure, axes = _figure("ROC curve, validation set")
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":", linewidth=1.2)
    for name, values, colour in (("baseline", baseline, _BASELINE), ("model", predicted, _MODEL)):
        false_rate, true_rate, _ = roc_curve(y, values)
        label = f"{name}, area {roc_auc_score(y, values):.3f}"
        axes.plot(false_rate, true_rate, color=colour, linewidth=2, label=label)
    axes.set(
        xlabel="false positive rate", ylabel="true positive rate (recall)", xlim=(0, 1), ylim=(0, 1.01), aspect="equal"
    )
    axes.legend(loc="lower right", reverse=True)
    _save(figure, path)


@mpl.rc_context(_STYLE)
def plot_calibration(path: "Path", y: "Numbers", predicted: "Numbers") -> None:
    """How often what is predicted with a probability comes true, and how many rows have which probability."""
    figure = Figure(figsize=(6, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    share, mean = calibration_curve(y, predicted, n_bins=_BINS, strategy="uniform")
    above.set_title("Calibration, validation set")
    above.plot([0, 1], [0, 1], color=_GREY, linestyle=":", linewidth=1.2, label="perfect")
    above.plot(mean, share, color=_MODEL, linewidth=2, marker="o", markersize=5, label="model")
    above.set(ylabel="share that came true", xlim=(0, 1), ylim=(0, 1.01))
    above.legend(loc="upper left")
    below.hist(predicted, bins=np.linspace(0, 1, 2 * _BINS + 1), color=_MODEL, rwidth=0.9)
    below.set(xlabel="predicted probability", ylabel="rows")
    below.yaxis.set_major_formatter("{x:,.0f}")
    _save(figure, path)


@mpl.rc_context(_STYLE)
def plot_importance(path: "Path", importance: "Mapping[str, float]", metric: str) -> None:
    """How much worse the model does on the validation set when one feature is shuffled."""
    ranked = sorted(importance.items(), key=lambda pair: pair[1])
    figure, axes = _figure("Permutation importance, validation set", height=1.6 + 0.32 * len(ranked))
    axes.barh([name for name, _ in ranked], [value for _, value in ranked], color=_MODEL, height=0.66)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=_GREY, linewidth=1)
    axes.set_xlabel(f"{metric} lost when the feature is shuffled")
    _save(figure, path)


@mpl.rc_context(_STYLE)
def plot_predictions(path: "Path", y: "Numbers", predicted: "Numbers", seed: int) -> None:
    """Predicted against actual values; at most 3,000 rows."""
    rows = np.random.default_rng(seed).permutation(len(y))[:_MOST_POINTS]
    figure, axes = _figure("Predicted against actual, validation set")
    ends = [float(min(y.min(), predicted.min())), float(max(y.max(), predicted.max()))]
    axes.plot(ends, ends, color=_GREY, linestyle=":", linewidth=1.2)
    axes.scatter(y[rows], predicted[rows], s=10, alpha=0.35, color=_MODEL, linewidths=0)
    axes.set(xlabel="actual", ylabel="predicted")
    _save(figure, path)


@mpl.rc_context(_STYLE)
def plot_clusters(
    path: "Path", prepared: "Numbers", labels: "NDArray[np.intp]", names: "Sequence[str]", seed: int
) -> None:
    """The rows by their two principal components, coloured by cluster; named where there are few."""
    components = PCA(n_components=min(2, *prepared.shape), random_state=seed)
    points = components.fit_transform(prepared)
    points = points if points.shape[1] > 1 else np.column_stack([points, np.zeros(len(points))])
    rows = (
        np.arange(len(points)) if len(points) <= _MOST_POINTS else np.random.default_rng(seed).permutation(len(points))
    )
    rows = np.sort(rows[:_MOST_POINTS])
    figure, axes = _figure("Clusters, by their two principal components", width=7.2)
    for cluster in np.unique(labels):
        inside = rows[labels[rows] == cluster]
        size, colour = int(np.sum(labels == cluster)), _COLOURS[int(cluster) % len(_COLOURS)]
        axes.scatter(
            *points[inside].T, s=36, alpha=0.8, color=colour, linewidths=0, label=f"cluster {cluster} ({size:,})"
        )
    if len(points) <= _NAMED_POINTS:
        for name, point in zip(names, points, strict=True):
            axes.annotate(name, point, xytext=(5, 4), textcoords="offset points", fontsize=8)
    shares = [*components.explained_variance_ratio_, 0.0]
    axes.set(xlabel=f"first component, {shares[0]:.0%} of the variance", ylabel=f"second component, {shares[1]:.0%}")
    axes.legend(loc="best")
    _save(figure, path)


def _figure(title: str, width: float = 6, height: float = 5.4) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _save(figure: Figure, path: "Path") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": "Backbone"})
