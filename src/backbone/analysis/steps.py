"""Analyses as steps: view, sets, training, predictions. Pure and cheap: nothing here imports scikit-learn."""

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING

from backbone.analysis.checks import problems
from backbone.errors import ProjectError
from backbone.model.steps import Analyse, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backbone.model.project import Analysis, Project

_SQL_PARTS = re.compile(r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|(?:--[^\n]*|/\*.*?\*/|\s)+""", re.DOTALL)


def analysis_steps(project: "Project") -> tuple[Step, ...]:
    """The steps of all analyses of a project.

    Raises:
        ProjectError: an analysis says something that can't be carried out; all of it is listed.
    """
    wrong = [problem for analysis in project.analyses for problem in problems(analysis, project.engine)]
    if wrong:
        raise ProjectError(wrong)
    return tuple(step for analysis in project.analyses for step in _steps(analysis))


def view_of(analysis: "Analysis") -> str:
    """The dataset with an analysis's rows: the view's columns and `target`."""
    return f"analysis.{analysis.name}__view"


def sets_of(analysis: "Analysis") -> tuple[str, str]:
    """The datasets with the training and the validation rows."""
    return f"analysis.{analysis.name}__train", f"analysis.{analysis.name}__validate"


def metrics_of(analysis: "Analysis") -> str:
    """The dataset with the metrics of an analysis's latest model version."""
    return f"analysis.{analysis.name}"


def predictions_of(analysis: "Analysis") -> str:
    """The dataset with a model's answers: predictions, or the clusters of the view's rows."""
    ending = "clusters" if analysis.kind == "clustering" else "predictions"
    return f"exploitation.{analysis.name}__{ending}"


def normal_sql(text: str) -> str:
    r"""SQL without comments, and with single blanks between words: what counts for a definition.

    Example:
        >>> normal_sql("SELECT a,  'x  y' -- why\nFROM t")
        "SELECT a, 'x  y' FROM t"
    """
    return _SQL_PARTS.sub(lambda part: part[1] or " ", text).strip()


def _steps(analysis: "Analysis") -> tuple[Step, ...]:
    return _clustering(analysis) if analysis.kind == "clustering" else _supervised(analysis)


def _supervised(a: "Analysis") -> tuple[Step, ...]:
    steps = (
        Step((view_of(a),), a.view_inputs, Analyse(a, "view"), _view_definition(a), tags=a.tags),
        Step(sets_of(a), (view_of(a),), Analyse(a, "split"), _split_definition(a), tags=a.tags),
        Step((metrics_of(a),), sets_of(a), Analyse(a, "train"), _train_definition(a), tags=a.tags),
    )
    if a.predict is None:
        return steps
    # The sets say in `was_in` what the model has seen of a row.
    inputs = tuple(dict.fromkeys((metrics_of(a), view_of(a), *sets_of(a), *a.predict_inputs)))
    return (*steps, Step((predictions_of(a),), inputs, Analyse(a, "predict"), _predict_definition(a), tags=a.tags))


def _clustering(a: "Analysis") -> tuple[Step, ...]:
    inputs = (metrics_of(a), view_of(a))
    return (
        Step((view_of(a),), a.view_inputs, Analyse(a, "view"), _view_definition(a), tags=a.tags),
        Step((metrics_of(a),), (view_of(a),), Analyse(a, "train"), _train_definition(a), tags=a.tags),
        Step((predictions_of(a),), inputs, Analyse(a, "predict"), _predict_definition(a), tags=a.tags),
    )


def _view_definition(a: "Analysis") -> "Mapping[str, str]":
    return _digests(view=normal_sql(a.view), key=a.key, target=normal_sql(a.target or ""), kind=a.kind)


def _split_definition(a: "Analysis") -> "Mapping[str, str]":
    split = a.split and [
        a.split.kind,
        a.split.column,
        a.split.train_until,
        a.split.gap,
        a.split.validate,
        a.split.stratify,
    ]
    return _digests(
        split=split, seed=a.seed, entity=a.entity, key=a.key, features=a.features, target=normal_sql(a.target or "")
    )


def _train_definition(a: "Analysis") -> "Mapping[str, str]":
    return _digests(
        candidates=a.normal,
        features=a.features,
        key=a.key,
        baseline=normal_sql(a.baseline or ""),
        gate=a.gate,
        fairness=a.fairness,
        tune=a.tune,
        select_by=a.select_by,
        threshold=a.threshold,
        seed=a.seed,
    )


def _predict_definition(a: "Analysis") -> "Mapping[str, str]":
    return _digests(predict=normal_sql(a.predict or ""), key=a.key)


def _digests(**parts: object) -> "Mapping[str, str]":
    return {name: sha256(json.dumps(value, default=str).encode()).hexdigest()[:12] for name, value in parts.items()}
