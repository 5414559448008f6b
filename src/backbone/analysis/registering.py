"""Registering a trained model: its file, its plots, its governance rows; or refusing it where its gate isn't met."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backbone.analysis.gate import Judgement
from backbone.analysis.model_file import Model, files_of, save_model
from backbone.analysis.records import (
    METRICS,
    Measured,
    feature_table,
    metric_table,
    model_table,
    preparation_table,
    write_metrics,
)  # fmt: skip
from backbone.analysis.refusals import refusal
from backbone.analysis.steps import metrics_of
from backbone.model.rules import Rule
from backbone.model.steps import Finding, Staged, Table

if TYPE_CHECKING:
    from backbone.analysis.candidates import Candidate
    from backbone.analysis.features import Feature
    from backbone.analysis.preparation import Row
    from backbone.engine.cost import Cost
    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis
    from backbone.model.steps import Staging


@dataclass(frozen=True, slots=True)
class Trained:
    """A model with all that is known of it, before it is registered."""

    candidate: "Candidate"
    pipeline: Any
    features: "Sequence[Feature]"
    threshold: float | None
    measured: Sequence[Measured]
    judgements: Sequence[Judgement]
    importance: Mapping[str, float]
    tasks: "Sequence[Row]"
    cost: "Cost"
    train_rows: int
    validate_rows: int
    plots: Sequence[Path]
    findings: Sequence[Finding] = ()
    note: str = ""


def stage_model(analysis: "Analysis", staging: "Staging", session: "Session", trained: Trained) -> Staged:
    """Write model and metrics. A model's version is the run that made it.

    Raises:
        DatasetError: the gate isn't met; the failure carries the governance rows, with `registered` false.
    """
    dataset, missed = metrics_of(analysis), [j for j in trained.judgements if not j.met]
    trusted = _save(analysis, staging, trained)
    governance = _tables(analysis, staging, trained, trusted, registered=not missed)
    findings = (*trained.findings, *(_finding(analysis, j) for j in trained.judgements))
    if missed:
        said = "\n".join(judgement.message for judgement in missed)
        about, hint = missed[0].line, _hint(staging)
        raise refusal(analysis, dataset, said, about=about, hint=hint, findings=findings, governance=governance)
    written = write_metrics(session, staging.new_file(dataset), staging.run, trained.measured)
    files = (*files_of(analysis.library, staging.artefacts), *trained.plots)
    return Staged(
        dataset, METRICS, replaces=True, added=written.paths, rows=written.rows, findings=findings,
        note=_note(staging, trained), governance=governance, artefacts=files,
    )  # fmt: skip


def _note(staging: "Staging", trained: Trained) -> str:
    folder = staging.artefacts
    shown = folder.relative_to(staging.root) if folder.is_relative_to(staging.root) else folder
    return f"{trained.note}. Plots: {shown}"


def _save(analysis: "Analysis", staging: "Staging", trained: Trained) -> tuple[str, ...]:
    model = Model(
        trained.pipeline, staging.run, analysis.kind, tuple(trained.features), trained.threshold, analysis.library
    )
    made_by = {
        "backbone": version("backbone"),
        "snapshot": staging.snapshot,
        "code": analysis.normal,
        "seed": analysis.seed,
        "key": analysis.key,
        "target": analysis.target,
        "candidate": trained.candidate.name,
        "algorithm": trained.candidate.algorithm,
        "parameters": _plain(trained.candidate.parameters),
    }
    return save_model(analysis, metrics_of(analysis), model, staging.artefacts, made_by)


def _tables(
    analysis: "Analysis", staging: "Staging", trained: Trained, trusted: Sequence[str], *, registered: bool
) -> tuple[Table, ...]:
    row = {
        "version": staging.run,
        "run": staging.run,
        "snapshot": staging.snapshot,
        "algorithm": trained.candidate.algorithm,
        "parameters": json.dumps(_plain(trained.candidate.parameters), ensure_ascii=False),
        "seed": analysis.seed,
        "trusted_types": ", ".join(trusted),
        "registered": registered,
        "train_seconds": trained.cost.seconds,
        "peak_memory_bytes": trained.cost.peak_memory_bytes,
        "train_rows": trained.train_rows,
        "validate_rows": trained.validate_rows,
    }
    return (
        model_table(analysis, staging.artefacts, row),
        metric_table(analysis, staging.run, trained.measured),
        feature_table(analysis, staging.run, trained.features, trained.importance),
        preparation_table(analysis, staging.run, trained.tasks),
    )


def _finding(analysis: "Analysis", judgement: Judgement) -> Finding:
    rule = Rule(kind="gate", name=f"gate({judgement.line})", action="fail", at=analysis.at)
    if judgement.met:
        return Finding(rule, 1, 0, "passed")
    return Finding(rule, 1, 1, "failed", judgement.message)


def _hint(staging: "Staging") -> str:
    if staging.registered is None:
        return "the model is recorded and not registered"
    return f"the model is recorded and not registered: version {staging.registered['version']} stays in use"


def _plain(parameters: Mapping[str, object]) -> dict[str, object]:
    """Parameters as JSON holds them: an object is shown as text."""
    return {k: v if isinstance(v, (bool, int, float, str)) else str(v) for k, v in parameters.items()}
