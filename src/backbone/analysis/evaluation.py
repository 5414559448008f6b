"""Judging a model on the validation set: beside the baseline and the registered version, and by group."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backbone.analysis.features import read_frame, read_rows
from backbone.analysis.leakage import warning
from backbone.analysis.metrics import measure, measure_groups
from backbone.analysis.model_file import SPARK_FOLDER, load_model
from backbone.analysis.refusals import blaming, refusal
from backbone.analysis.selection import predict
from backbone.analysis.steps import metrics_of, sets_of
from backbone.analysis.vocabulary import LOWER_IS_BETTER
from backbone.model.names import quoted_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from backbone.analysis.features import Sample
    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis
    from backbone.model.steps import Finding, Staging

    Numbers = NDArray[np.float64]
    Values = Mapping[str, float | None]
    Groups = Mapping[str, Mapping[str, Values]]

_BASELINE_THRESHOLD = 0.5
_IMPORTANCE_ROWS = 20_000
_REPEATS = 3
_SCORES = {"classification": ("roc_auc", "ROC AUC"), "regression": ("mae", "mean absolute error")}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well a model and its baseline do on the validation set, all rows and by group."""

    predicted: "Numbers"
    baseline_predicted: "Numbers"
    model: "Values"
    baseline: "Values"
    groups: "Groups" = field(default_factory=dict)
    baseline_groups: "Groups" = field(default_factory=dict)


def judge_model(
    analysis: "Analysis", pipeline: Any, threshold: float | None, train: "Sample", validate: "Sample"
) -> Verdict:
    """Judge a fitted model. The validation set is used for this alone."""
    predicted = predict(analysis.kind, pipeline, validate.x)
    baseline = _baseline(analysis, train, validate)
    fixed = None if threshold is None else _BASELINE_THRESHOLD
    return Verdict(
        predicted,
        baseline,
        measure(validate.y, predicted, threshold),
        measure(validate.y, baseline, fixed),
        {c: measure_groups(validate.y, predicted, values, threshold) for c, values in validate.groups.items()},
        {c: measure_groups(validate.y, baseline, values, fixed) for c, values in validate.groups.items()},
    )


def judge_current(
    analysis: "Analysis", staging: "Staging", session: "Session", validate: "Sample"
) -> "tuple[Values | None, tuple[Finding, ...]]":
    """The registered model version's metrics on the same validation set, if there is one that can be asked.

    One whose features are no longer in the view, or that another engine trained, can't be compared: there is then none,
    and a warning says so.
    """
    if staging.registered is None:
        return None, ()
    dataset, path = sets_of(analysis)[1], Path(str(staging.registered["path"]))
    if path.name == SPARK_FOLDER and analysis.library != "spark":
        message = f"the registered model version {staging.registered['version']} can't be compared: it is Spark ML's"
        return None, (warning("current", message, len(validate.y)),)
    current = load_model(analysis, metrics_of(analysis), path, session.learning)
    missing = [f.name for f in current.features if staging.inputs[dataset].relation.domain(f.name) != f.domain]
    if missing or current.kind != analysis.kind:
        reason = f"its {', '.join(missing)} is no longer in the view" if missing else f"it is a {current.kind}"
        message = f"the registered model version {current.version} can't be compared: {reason}"
        return None, (warning("current", message, len(validate.y)),)
    x = (
        read_rows(session, dataset, analysis.key, current.features)
        if current.library == "spark"
        else read_frame(session, quoted_dataset(dataset), analysis.key, current.features)
    )
    with blaming(analysis, metrics_of(analysis), f"the registered model version {current.version}"):
        return measure(validate.y, predict(analysis.kind, current.pipeline, x), current.threshold), ()


def importance_of(analysis: "Analysis", pipeline: Any, validate: "Sample") -> tuple["Mapping[str, float]", str]:
    """How much worse the model does when a feature is shuffled (Breiman 2001), and in which metric.

    On at most 20,000 validation rows drawn with the analysis's seed, the mean of three shuffles, which are predicted
    together: each question to a cluster costs.
    """
    metric, name = _SCORES[analysis.kind]
    random = np.random.default_rng(analysis.seed)
    rows = np.sort(random.permutation(len(validate.y))[:_IMPORTANCE_ROWS])
    x, y = validate.x.take(rows), validate.y[rows]
    if analysis.kind == "classification" and len(np.unique(y)) == 1:
        return {}, name
    x = x if isinstance(x, pd.DataFrame) else x.to_pandas()

    def score(predicted: "Numbers") -> float:
        value = measure(y, predicted, None if analysis.kind == "regression" else _BASELINE_THRESHOLD)[metric]
        return (value or 0.0) * (-1 if metric in LOWER_IS_BETTER else 1)

    whole = score(predict(analysis.kind, pipeline, x))
    found = {}
    for feature in x.columns:
        shuffled = [x.assign(**{feature: x[feature].to_numpy()[random.permutation(len(y))]}) for _ in range(_REPEATS)]
        predicted = predict(analysis.kind, pipeline, pd.concat(shuffled, ignore_index=True))
        found[feature] = whole - float(np.mean([score(part) for part in np.split(predicted, _REPEATS)]))
    return found, name


def _baseline(analysis: "Analysis", train: "Sample", validate: "Sample") -> "Numbers":
    """The baseline's predictions; where its expression is null, or there is none, the default's.

    The default knows the training labels only: their share of true, so the most frequent class; or their median.
    """
    default = float(np.mean(train.y) if analysis.kind == "classification" else np.median(train.y))
    if validate.baseline is None:
        return np.full(len(validate.y), default)
    predicted = np.where(np.isnan(validate.baseline), default, validate.baseline)
    if analysis.kind == "classification" and not ((predicted >= 0) & (predicted <= 1)).all():
        message = f"baseline '{analysis.baseline}' gives neither true and false nor probabilities from 0 to 1"
        raise refusal(analysis, metrics_of(analysis), message)
    return predicted
