"""Staging a whole plan: step after step; what depends on a failed step is kept as it was."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from backbone.engine.protocol import Engine, parts_of
from backbone.model.reports import RunEvent
from backbone.model.steps import Analyse, Plan, PlannedStep, Staged
from backbone.runs.stage import Outcome, Place, stage_step


@dataclass(slots=True)
class StagedPlan:
    """What came of a plan's steps: outcomes in order, datasets kept because of a failed one, and those unaffected.

    `kept` maps a dataset to the failed one; `unaffected` are planned steps whose inputs turned out not to change.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    unaffected: set[str] = field(default_factory=set)

    @property
    def quarantined(self) -> int:
        """Rows that this run set aside."""
        ledgers = [one.delta or one.ledger for outcome in self.outcomes for one in outcome.staged]
        return sum(ledger.quarantined for ledger in ledgers if ledger)


def stage_plan(plan: Plan, place: Place, engine: Engine, on_event: Callable[[RunEvent], None]) -> StagedPlan:
    """Stage every step that a plan runs."""
    result, staged = StagedPlan(), dict[str, Staged]()
    total = len(plan.runs)
    for planned in plan.runs:
        step = planned.step
        if blocked := next((result.kept[name] for name in step.inputs if name in result.kept), None):
            result.kept.update(dict.fromkeys(step.outputs, blocked))
            continue
        if _unaffected(planned, staged, result.unaffected):
            result.unaffected.update(step.outputs)
            continue
        done = len(result.outcomes)
        on_event(RunEvent("step_started", step.dataset, done, total))
        outcome = stage_step(planned, place, engine, staged)
        result.outcomes.append(outcome)
        if outcome.failure:
            _discard(outcome)
            result.kept.update(dict.fromkeys(step.outputs, step.dataset))
        staged.update({one.dataset: one for one in outcome.staged})
        place = _with_model(place, planned, outcome)
        on_event(RunEvent("step_done", step.dataset, done + 1, total))
    for outcome in result.outcomes:
        if outcome.failure:
            result.kept.pop(outcome.planned.step.dataset)
    return result


def _unaffected(planned: PlannedStep, staged: Mapping[str, Staged], unaffected: set[str]) -> bool:
    """Whether every reason to run has turned out to be none: inputs that were made again and are equal."""
    equal = {name for name in planned.step.inputs if name in unaffected or (name in staged and staged[name].unchanged)}
    return bool(equal) and set(planned.reasons) <= {f"{name} changes" for name in equal}


def _discard(outcome: Outcome) -> None:
    """Remove what a failed step wrote, but for the rows it would have set aside: they are kept to be looked at."""
    kept = set(outcome.failure.quarantined if outcome.failure else ())
    for part in {part for path in outcome.files for part in parts_of(path)} - kept:
        part.unlink(missing_ok=True)


def _with_model(place: Place, planned: PlannedStep, outcome: Outcome) -> Place:
    """After training, the new model version is the one that predictions are made with."""
    work = planned.step.work
    if not isinstance(work, Analyse) or outcome.failure:
        return place
    rows = [
        row for one in outcome.staged for table in one.governance if table.name == "model_version" for row in table.rows
    ]
    if not rows:
        return place
    path = place.site.models / str(rows[0]["path"])
    return replace(place, registered={**place.registered, work.analysis.name: {**rows[0], "path": str(path)}})
