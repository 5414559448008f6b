"""What a run tells about itself."""

from collections.abc import Mapping, Sequence

from backbone.connectors.landing import Landing
from backbone.model.names import zone_of
from backbone.model.reports import Landed, StepReport
from backbone.model.steps import Plan, PlannedStep, Published, Staged
from backbone.runs.stage import Outcome
from backbone.runs.stage_plan import StagedPlan


def landed_reports(landings: Sequence[Landing], staging: StagedPlan) -> tuple[Landed, ...]:
    """What has landed, as people see it, with the records that were found in each file."""
    records = {file: count for outcome in staging.outcomes for file, count in outcome.records.items()}
    return tuple(
        Landed(
            one.file.source, one.file.name, one.file.sha256, one.file.size, one.file.origin, one.file.arrived_at,
            records.get(one.file.id), one.repeat,
        )
        for one in landings
    )  # fmt: skip


def step_reports(plan: Plan, staging: StagedPlan, published: Mapping[str, Published]) -> tuple[StepReport, ...]:
    """What became of every dataset of a plan, in its order."""
    outcomes = {outcome.planned.step.dataset: outcome for outcome in staging.outcomes}
    reports: list[StepReport] = []
    for planned in plan.steps:
        outcome = outcomes.get(planned.step.dataset)
        if outcome and outcome.failure:
            reports.append(_failed(planned, outcome, published))
        elif outcome:
            reports += [_done(one, outcome, first=number == 0) for number, one in enumerate(outcome.staged)]
        else:
            reports += [_untouched(dataset, planned, staging, published) for dataset in planned.step.outputs]
    reports += [StepReport(d.dataset, zone_of(d.dataset), "dropped", note=d.reason) for d in plan.drops]
    return tuple(reports)


def _failed(planned: PlannedStep, outcome: Outcome, published: Mapping[str, Published]) -> StepReport:
    dataset = planned.step.dataset
    held = published.get(dataset)
    return StepReport(
        dataset,
        zone_of(dataset),
        "failed",
        outcome.how,
        held.rows if held else 0,
        findings=outcome.failure.findings if outcome.failure else (),
        seconds=outcome.cost.seconds,
        failure=outcome.failure,
        last_good=held.version.snapshot if held else None,
    )


def _done(one: Staged, outcome: Outcome, *, first: bool) -> StepReport:
    return StepReport(
        one.dataset,
        zone_of(one.dataset),
        "unchanged" if one.unchanged else "done",
        outcome.how,
        one.rows,
        one.ledger,
        one.delta,
        one.findings,
        outcome.cost.seconds if first else 0.0,
        one.note,
    )


def _untouched(
    dataset: str, planned: PlannedStep, staging: StagedPlan, published: Mapping[str, Published]
) -> StepReport:
    """A dataset that was not made; the note says why, unless nothing about it has changed."""
    held = published.get(dataset)
    skipped = planned.action == "skip" and planned.reasons != ("unchanged",)
    because = staging.kept.get(dataset, "")
    return StepReport(
        dataset,
        zone_of(dataset),
        "kept" if because else "unchanged",
        rows=held.rows if held else 0,
        note="; ".join(planned.reasons) if skipped else "",
        because=because,
        last_good=held.version.snapshot if held else None,
    )
