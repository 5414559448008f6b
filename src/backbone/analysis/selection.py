"""Choosing among candidates by cross-validation within the training set, with the same kind of split."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

from backbone.analysis.metrics import best_threshold, measure
from backbone.analysis.refusals import blaming, refusal
from backbone.analysis.steps import metrics_of
from backbone.analysis.vocabulary import better

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from backbone.analysis.candidates import Candidate
    from backbone.analysis.features import Sample
    from backbone.engine.protocol import Rows
    from backbone.model.project import Analysis

    Numbers = NDArray[np.float64]
    Fold = tuple[NDArray[np.intp], NDArray[np.intp]]

FOLDS = 3
"""Few, since each candidate is fitted once more per fold; by time, fold i is fitted on the first i quarters."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate with its metrics, each the mean over the folds, and its threshold (None: a regression)."""

    candidate: "Candidate"
    metrics: "Mapping[str, float | None]"
    threshold: float | None


def try_candidates(
    analysis: "Analysis", candidates: "Sequence[Candidate]", sample: "Sample", gap_seconds: float
) -> tuple[Trial, ...]:
    """Cross-validate each candidate on the training set.

    Raises:
        DatasetError: there are too few rows, groups or times for two sides, or a candidate can't be fitted.
    """
    folds = tuple(_usable(analysis, sample, _folds(analysis, sample, gap_seconds)))
    if not folds:
        message = "the training set is too small, or has too few times, groups or cases, to compare candidates on"
        raise refusal(analysis, metrics_of(analysis), message)
    return tuple(_try(analysis, candidate, sample, folds) for candidate in candidates)


def best_of(analysis: "Analysis", trials: "Sequence[Trial]") -> Trial:
    """The trial that is best by `select_by`; the first of equals."""
    chosen = trials[0]
    for trial in trials[1:]:
        if better(analysis.select_by, trial.metrics[analysis.select_by], chosen.metrics[analysis.select_by]):
            chosen = trial
    return chosen


def fit(analysis: "Analysis", candidate: "Candidate", x: "pd.DataFrame | Rows", y: "Numbers") -> Any:
    """Fit a copy of a candidate.

    Raises:
        DatasetError: it can't be fitted, in its library's words.
    """
    with blaming(analysis, metrics_of(analysis), f"candidate '{candidate.name}'"):
        return clone(candidate.pipeline).fit(x, y.astype(int) if analysis.kind == "classification" else y)


def predict(kind: str, pipeline: Any, x: "pd.DataFrame | Rows") -> "Numbers":
    """Probabilities of a classification, values of a regression, labels of a clustering."""
    if kind == "classification":
        return np.asarray(pipeline.predict_proba(x)[:, list(pipeline.classes_).index(1)], dtype=np.float64)
    return np.asarray(pipeline.predict(x), dtype=np.float64)


def _try(analysis: "Analysis", candidate: "Candidate", sample: "Sample", folds: "Sequence[Fold]") -> Trial:
    scored: list[tuple[Numbers, Numbers]] = []
    for train, test in folds:
        pipeline = fit(analysis, candidate, sample.x.take(train), sample.y[train])
        with blaming(analysis, metrics_of(analysis), f"candidate '{candidate.name}'"):
            scored.append((sample.y[test], predict(analysis.kind, pipeline, sample.x.take(test))))
    threshold = _threshold(analysis, scored)
    found = [measure(y, predicted, threshold) for y, predicted in scored]
    return Trial(candidate, {name: _mean([m[name] for m in found]) for name in found[0]}, threshold)


def _threshold(analysis: "Analysis", scored: "Sequence[tuple[Numbers, Numbers]]") -> float | None:
    """The threshold as given, or the best for F1 on predictions for rows that the model hadn't seen."""
    if analysis.kind != "classification":
        return None
    if analysis.threshold != "f1":
        return float(analysis.threshold)
    return best_threshold(np.concatenate([y for y, _ in scored]), np.concatenate([p for _, p in scored]))


def _folds(analysis: "Analysis", sample: "Sample", gap_seconds: float) -> "Iterator[Fold]":
    split, rows = analysis.split, len(sample.y)
    if split is None or sample.order is None or split.kind == "at_random":
        yield from _random_folds(analysis, sample)
    elif split.kind == "by_time":
        yield from _time_folds(sample.order, gap_seconds)
    elif (groups := len(set(sample.order.tolist()))) > 1:
        yield from GroupKFold(min(FOLDS, groups)).split(np.empty(rows), groups=sample.order)


def _time_folds(times: "NDArray[Any]", gap_seconds: float) -> "Iterator[Fold]":
    """Each fold validates on the next part of time; rows of one moment are never on both sides."""
    ordered = np.sort(times)
    edges = [ordered[len(times) * part // (FOLDS + 1)] for part in range(1, FOLDS + 1)]
    gap = np.timedelta64(round(gap_seconds), "s")
    for start, end in zip(edges, [*edges[1:], None], strict=True):
        test = times >= start if end is None else (times >= start) & (times < end)
        yield np.flatnonzero(times < start - gap), np.flatnonzero(test)


def _random_folds(analysis: "Analysis", sample: "Sample") -> "Iterator[Fold]":
    rows = np.empty(len(sample.y))
    if analysis.kind == "classification":
        folds = min(FOLDS, int(np.unique(sample.y, return_counts=True)[1].min()))
        splitter = StratifiedKFold
    else:
        folds, splitter = min(FOLDS, len(sample.y)), KFold
    if folds > 1:
        yield from splitter(folds, shuffle=True, random_state=analysis.seed).split(rows, sample.y.astype(int))


def _usable(analysis: "Analysis", sample: "Sample", folds: "Iterator[Fold]") -> "Iterator[Fold]":
    """Folds with rows on both sides, and with both classes to learn from and to judge by."""
    for train, test in folds:
        sides = [len(np.unique(sample.y[side])) for side in (train, test)]
        if min(sides) > (1 if analysis.kind == "classification" else 0):
            yield train, test


def _mean(values: "Sequence[float | None]") -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
