"""Candidates: the estimators that an analysis's function returns, prepared, tuned and seeded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sklearn.base import clone
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from backbone.analysis.features import kinds_of, learning_of
from backbone.analysis.preparation import default_preparation
from backbone.analysis.refusals import refusal
from backbone.engine.calling import load_function, user_frames, user_place
from backbone.errors import DatasetError, EngineError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from backbone.analysis.features import Feature
    from backbone.engine.protocol import Learning, Session
    from backbone.model.project import Analysis

_NEEDS = {
    "classification": ("fit", "predict_proba"),
    "regression": ("fit", "predict"),
    "clustering": ("fit", "predict"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One estimator to try: not fitted, with its preparation. `name` tells tuned ones apart.

    `pipeline` is scikit-learn's, or the engine's own with the same methods.
    """

    name: str
    pipeline: Any
    parameters: Mapping[str, object]

    @property
    def algorithm(self) -> str:
        """The class of the estimator."""
        return type(self.pipeline.steps[-1][1]).__name__


def load_candidates(
    analysis: "Analysis", dataset: str, root: Path, features: "Sequence[Feature]", session: "Session"
) -> tuple[Candidate, ...]:
    """Call the analysis's function, and make a candidate of each estimator and each point of its `tune` grid.

    Raises:
        DatasetError: the function fails, what it returns is no mapping of names to estimators, one can't do what
            is asked of it, or `tune` names what isn't there.
    """
    try:
        returned = load_function(root, analysis.function_path, analysis.name)()
    except Exception as error:
        raise _told(analysis, dataset, error, root) from error
    if not isinstance(returned, Mapping) or not returned:
        expected = 'Expected candidates by name, like {"logistic": LogisticRegression()}'
        raise refusal(analysis, dataset, f"{analysis.name} returned {type(returned).__name__}. {expected}")
    grids = dict(analysis.tune)
    for name in grids:
        if name not in returned:
            raise refusal(analysis, dataset, f"tune: there is no candidate '{name}'.{did_you_mean(name, returned)}")
    return tuple(
        candidate
        for name, estimator in returned.items()
        for candidate in (
            _engines(analysis, dataset, str(name), estimator, kinds_of(features), learning_of(session))
            if analysis.library == "spark"
            else _tuned(analysis, dataset, str(name), _checked(analysis, dataset, name, estimator), features)
        )
    )


def _engines(
    analysis: "Analysis", dataset: str, name: str, given: Any, kinds: "Mapping[str, str]", learning: "Learning"
) -> "Iterator[Candidate]":
    """Candidates of the engine's own kind."""
    for shown, point in _points(analysis, name):
        try:
            pipeline = learning.pipeline(given, point, kinds, analysis.seed)
        except EngineError as error:
            raise refusal(analysis, dataset, f"candidate '{name}': {error}") from error
        yield Candidate(f"{name}{shown}", pipeline, pipeline.parameters)


def _checked(analysis: "Analysis", dataset: str, name: str, estimator: Any) -> Any:
    for method in ("get_params", *_NEEDS[analysis.kind]):
        if not hasattr(estimator, method):
            hint = "wrap it in CalibratedClassifierCV" if method == "predict_proba" else ""
            message = f"candidate '{name}' ({type(estimator).__name__}) has no {method}, which a {analysis.kind} needs"
            raise refusal(analysis, dataset, message, hint=hint)
    return estimator


def _tuned(
    analysis: "Analysis", dataset: str, name: str, estimator: Any, features: "Sequence[Feature]"
) -> "Iterator[Candidate]":
    known = estimator.get_params()
    for parameter in dict(dict(analysis.tune).get(name, ())):
        if parameter not in known:
            near = did_you_mean(parameter, known)
            raise refusal(analysis, dataset, f"tune: {type(estimator).__name__} has no parameter '{parameter}'.{near}")
    for shown, point in _points(analysis, name):
        pipeline = _piped(_seeded(clone(estimator).set_params(**point), analysis.seed), analysis, features)
        parameters = {k: v for k, v in pipeline.steps[-1][1].get_params(deep=False).items() if v is not None}
        yield Candidate(f"{name}{shown}", pipeline, parameters)


def _points(analysis: "Analysis", name: str) -> "Iterator[tuple[str, Mapping[str, Any]]]":
    """The points of a candidate's grid, each with what it adds to the name; one without any where there is no grid."""
    grid = dict(dict(analysis.tune).get(name, ()))
    if not grid:
        yield "", {}
        return
    for point in ParameterGrid({k: list(v) for k, v in grid.items()}):
        yield f"({', '.join(f'{k}={v}' for k, v in point.items())})", point


def _seeded(estimator: Any, seed: int) -> Any:
    """Fix every seed that the person left open, so that the same data make the same model."""
    unset = [k for k, v in estimator.get_params().items() if k.split("__")[-1] == "random_state" and v is None]
    return estimator.set_params(**dict.fromkeys(unset, seed))


def _piped(estimator: Any, analysis: "Analysis", features: "Sequence[Feature]") -> Pipeline:
    if isinstance(estimator, Pipeline):
        return estimator
    return Pipeline(
        [("prepare", default_preparation(features, clusters=analysis.kind == "clustering")), ("model", estimator)]
    )


def _told(analysis: "Analysis", dataset: str, error: Exception, root: "Path") -> DatasetError:
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    told = refusal(analysis, dataset, "\n".join(filter(None, [said, user_frames(error)])))
    return DatasetError(replace(told.failure, at=user_place(error, root) or told.failure.at))
