"""Training: candidates compared within the training set, the best judged once on the validation set, and its gate."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backbone.analysis import plots
from backbone.analysis.candidates import load_candidates
from backbone.analysis.evaluation import Verdict, importance_of, judge_current, judge_model
from backbone.analysis.features import Feature, Sample, features_of, read_sample
from backbone.analysis.gate import Evidence, judge
from backbone.analysis.preparation import describe_preparation
from backbone.analysis.records import Measured
from backbone.analysis.registering import Trained, stage_model
from backbone.analysis.selection import Trial, best_of, fit, try_candidates
from backbone.analysis.steps import metrics_of, sets_of
from backbone.analysis.threads import threads_for
from backbone.engine.cost import measured
from backbone.model.names import quoted_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis
    from backbone.model.steps import Staged, Staging

_DAY = 86_400
_SECONDS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": _DAY,
    "week": 7 * _DAY,
    "month": 30 * _DAY,
    "year": 365 * _DAY,
}


@dataclass(frozen=True, slots=True)
class _Sets:
    features: tuple[Feature, ...]
    train: Sample
    validate: Sample


def stage_training(analysis: "Analysis", staging: "Staging", session: "Session") -> "Staged":
    """Train, judge and register a model version.

    Raises:
        DatasetError: a candidate can't be fitted or stored, or the gate isn't met: the model version is then
            recorded with all its metrics, but not registered.
    """
    sets = _read(analysis, staging, session)
    with threads_for(len(sets.train.y)):
        trained = _train(analysis, staging, session, sets)
    return stage_model(analysis, staging, session, trained)


def _train(analysis: "Analysis", staging: "Staging", session: "Session", sets: _Sets) -> Trained:
    candidates = load_candidates(analysis, metrics_of(analysis), staging.root, sets.features, session)
    with measured() as cost:
        trials = try_candidates(analysis, candidates, sets.train, _gap_seconds(analysis))
        chosen = best_of(analysis, trials)
        pipeline = fit(analysis, chosen.candidate, sets.train.x, sets.train.y)
    verdict = judge_model(analysis, pipeline, chosen.threshold, sets.train, sets.validate)
    current, warnings = judge_current(analysis, staging, session, sets.validate)
    importance, metric = importance_of(analysis, pipeline, sets.validate)
    return Trained(
        candidate=chosen.candidate,
        pipeline=pipeline,
        features=sets.features,
        threshold=chosen.threshold,
        measured=(*_tried(trials, chosen), *_judged(chosen, verdict)),
        judgements=judge(analysis.gate, Evidence(verdict.model, verdict.baseline, current, verdict.groups)),
        importance=importance,
        tasks=describe_preparation(pipeline),
        cost=cost,
        train_rows=len(sets.train.y),
        validate_rows=len(sets.validate.y),
        plots=_plots(analysis, staging.artefacts, sets.validate, verdict, (importance, metric)),
        findings=warnings,
        note=_note(analysis, chosen, verdict),
    )


def _read(analysis: "Analysis", staging: "Staging", session: "Session") -> _Sets:
    train, validate = sets_of(analysis)
    for extent in staging.inputs.values():
        session.show(extent)
    relation = session.describe(f"SELECT * FROM {quoted_dataset(train)}")
    features = features_of(analysis, metrics_of(analysis), relation)
    return _Sets(
        features,
        read_sample(session, train, analysis, features),
        read_sample(session, validate, analysis, features),
    )


def _gap_seconds(analysis: "Analysis") -> float:
    """The split's gap, with months of 30 days and years of 365: between folds it needn't be exact."""
    if analysis.split is None or not analysis.split.gap:
        return 0.0
    number, unit = analysis.split.gap.split()
    return int(number) * _SECONDS[unit.removesuffix("s")]


def _tried(trials: tuple[Trial, ...], chosen: Trial) -> list[Measured]:
    return [Measured(t.candidate.name, t is chosen, "cross_validation", t.metrics, {}) for t in trials]


def _judged(chosen: Trial, verdict: Verdict) -> list[Measured]:
    name = chosen.candidate.name
    groups = [
        Measured(name, True, "validation", values, verdict.baseline_groups[column][group], column, group)
        for column, found in verdict.groups.items()
        for group, values in found.items()
    ]
    return [Measured(name, True, "validation", verdict.model, verdict.baseline), *groups]


def _plots(
    analysis: "Analysis", folder: "Path", validate: Sample, verdict: Verdict, importance: tuple[Any, str]
) -> "tuple[Path, ...]":
    if analysis.kind == "classification":
        made = [folder / "roc.svg", folder / "calibration.svg"]
        plots.plot_roc(made[0], validate.y, verdict.predicted, verdict.baseline_predicted)
        plots.plot_calibration(made[1], validate.y, verdict.predicted)
    else:
        made = [folder / "predicted.svg"]
        plots.plot_predictions(made[0], validate.y, verdict.predicted, analysis.seed)
    if not importance[0]:
        return tuple(made)
    plots.plot_importance(folder / "importance.svg", *importance)
    return (*made, folder / "importance.svg")


def _note(analysis: "Analysis", chosen: Trial, verdict: Verdict) -> str:
    metric = analysis.select_by
    model, baseline = verdict.model[metric], verdict.baseline[metric]
    shown = [f"{value:.3g}" if value is not None else "unknown" for value in (model, baseline)]
    note = f"{chosen.candidate.name}: {metric} {shown[0]} on validation, baseline {shown[1]}"
    return note if chosen.threshold is None else f"{note}, threshold {chosen.threshold:.3g}"
