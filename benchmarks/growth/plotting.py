"""The curves as a picture: both scales logarithmic, so that a power of n is a straight line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.growth.curves import Curve
from benchmarks.growth.fitting import Points, exponent

TITLES = {
    "datasets": "datasets in the project",
    "landed files": "landed files of a source",
    "runs": "runs so far, each with one more file",
}
COLOURS = ("#0b6e99", "#c2571a", "#3a7d34", "#7a4fa3", "#8a6d00")


def plot(curves: Mapping[str, Curve], path: Path) -> None:
    """Draw one panel for each curve; `path` says by its suffix in what format (`.svg`, `.png`)."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "backbone", "font.size": 9})
    figure, panels = plt.subplots(1, len(curves), figsize=(4.2 * len(curves), 4.2), sharey=True, layout="constrained")
    for panel, (name, curve) in zip(panels, curves.items(), strict=True):
        for colour, (what, points) in zip(COLOURS, curve.items(), strict=False):
            label = f"{what}: {_growth(points)}"
            panel.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, label=label)
        _reference(panel, curve)
        panel.set(xscale="log", yscale="log", xlabel=TITLES[name], title=name)
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:,g}")
            axis.set_minor_formatter(lambda *_: "")
        panel.grid(visible=True, which="major", alpha=0.3)
        panel.legend(fontsize=7.5, loc="upper left")
    panels[0].set_ylabel("CPU seconds of one command")
    panels[0].set_ylim(*_limits(curves))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _growth(points: Points) -> str:
    found = exponent(points)
    return f"exponent {found:.2f}" if found else "flat"


def _limits(curves: Mapping[str, Curve]) -> tuple[float, float]:
    """From below the least cost to well above the greatest: the legends need room."""
    costs = [cost for curve in curves.values() for points in curve.values() for _, cost in points]
    return min(costs) / 2, max(costs) * 12


def _reference(panel: Any, curve: Curve) -> None:
    """A dashed line of exponent 1 through the last point of the costliest curve."""
    n, cost = max((points[-1] for points in curve.values()), key=lambda point: point[1])
    start = max(n / 30, min(points[0][0] for points in curve.values()))
    panel.plot((start, n), (cost * start / n, cost), "--", color="#999999", linewidth=1, label="linear")
