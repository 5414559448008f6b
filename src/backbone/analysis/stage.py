"""Carrying out one step of an analysis. What needs the `ml` extra is imported when training or predicting begins."""

import os
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backbone.analysis.leakage import warning
from backbone.analysis.split import stage_split
from backbone.analysis.view import stage_view
from backbone.errors import MissingExtraError
from backbone.model.steps import Analyse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis
    from backbone.model.steps import Finding, Staged, Staging

    Stager = Callable[..., Staged]

_ML = ("sklearn", "skops", "pandas", "numpy", "pyarrow", "matplotlib", "scipy", "joblib")
_NOT_THEIRS = (FutureWarning, DeprecationWarning, PendingDeprecationWarning, ResourceWarning)
"""Warnings about how libraries are written."""


def stage_analysis(staging: "Staging", session: "Session") -> "tuple[Staged, ...]":
    """Stage one step of an analysis: its view, its sets, its training, its predictions or clusters.

    Raises:
        DatasetError: what people declared can't be carried out, something leaks, or the gate isn't met.
        MissingExtraError: the `ml` extra isn't installed.
    """
    work = staging.step.work
    if not isinstance(work, Analyse):
        raise TypeError(f"{staging.step.dataset} is no step of an analysis")
    analysis = work.analysis
    if work.stage == "view":
        return (stage_view(analysis, staging, session),)
    if work.stage == "split":
        return stage_split(analysis, staging, session)
    stager = _stager(analysis.kind, work.stage)
    return (_quietly(stager, analysis, staging, session),)


def _stager(kind: str, stage: str) -> "Stager":
    # Read when OpenMP is first loaded. Threads that spin while they wait make training many times slower on a machine
    # that is busy with something else (10 s instead of 2.5 s, measured), and hardly faster on one that isn't.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        # Dear to import, and only training and predicting need it.
        from backbone.analysis.clustering import stage_clustering
        from backbone.analysis.prediction import stage_predictions
        from backbone.analysis.training import stage_training
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _ML:
            raise MissingExtraError("Training and predicting", "ml") from error
        raise
    if stage == "predict":
        return stage_predictions
    return stage_clustering if kind == "clustering" else stage_training


def _quietly(stager: "Stager", analysis: "Analysis", *arguments: Any) -> "Staged":
    """Run with the warnings of the library that trains collected as findings instead of printed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        staged = stager(analysis, *arguments)
    return replace(staged, findings=(*staged.findings, *_findings(analysis.library, caught)))


def _findings(library: str, caught: "Iterable[warnings.WarningMessage]") -> "Iterable[Finding]":
    """One finding per kind of warning that people can act on."""
    messages: dict[str, list[str]] = {}
    for one in caught:
        if issubclass(one.category, _NOT_THEIRS):
            continue
        messages.setdefault(one.category.__name__, []).append(str(one.message).strip().splitlines()[0])
    for name, said in messages.items():
        yield warning(f"{library}({name})", f"{said[0]} ({len(said)} times)" if len(said) > 1 else said[0], len(said))
