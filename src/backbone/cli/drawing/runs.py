"""A run as people see it: by zone, then what to look at, then what to type next."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from backbone.cli.drawing.cells import Part, printable
from backbone.cli.drawing.operations import draw_maintained
from backbone.cli.phrases import count, duration, listed, moment, share
from backbone.model.names import ZONES, stem_of
from backbone.model.reports import HistoryEntry, RunReport, StepReport
from backbone.model.steps import Finding, Plan

if TYPE_CHECKING:
    from backbone.cli.drawing.screen import Screen

_LABEL = 14
_WARNINGS_SHOWN = 12
_NOTES_SHOWN = 6


def draw_plan(plan: Plan, screen: "Screen") -> None:
    """The steps that will run, each with the reason why; the others counted."""
    if idle := nothing_to_do(plan):
        screen.line(idle)
        return
    rows = [("ask", "cyan", source, f"{place}, whether there is anything new") for source, place in plan.asks]
    rows += [("run", "green", planned.step.dataset, "; ".join(planned.reasons)) for planned in plan.runs]
    skipped: dict[str, int] = {}
    for planned in plan.steps:
        if planned.action == "skip":
            reason = "; ".join(planned.reasons) or "unchanged"
            skipped[reason] = skipped.get(reason, 0) + len(planned.step.outputs)
    rows += [("drop", "yellow", drop.dataset, drop.reason) for drop in plan.drops]
    rows += [("skip", "dim", count(number, "dataset"), reason) for reason, number in skipped.items()]
    width = max(len(dataset) for _, _, dataset, _ in rows)
    for action, style, dataset, reason in rows:
        if screen.narrow:
            screen.line((action, style), f"  {dataset}")
            screen.line(f"      {reason}", hang=0)
        else:
            screen.line((f"{action:<6}", style), f"{dataset:<{width}}  ", reason, hang=8 + width)


def draw_run(report: RunReport, screen: "Screen") -> None:
    """What a run did."""
    if idle := nothing_to_do(report):
        screen.line(idle)
        return
    done = [step for step in report.steps if step.status in ("done", "failed") or _broke_rules(step)]
    zones = [zone for zone in ZONES if any(step.zone == zone for step in done)]
    lines = {zone: _facts(report, [s for s in done if s.zone == zone]) for zone in zones}
    widths = [max([0, *(len(lines[zone][i]) for zone in zones)]) for i in range(len(_FACTS))]
    if repeats := sum(file.repeat for file in report.landed):
        screen.line(f"{count(repeats, 'landed file')} with content that had landed before: recorded, nothing new")
    for zone in zones:
        steps = [s for s in done if s.zone == zone]
        _zone(zone, lines[zone], widths, screen)
        _notes(steps, screen)
        _warnings(steps, screen)
    if any(finding.level == "warned" for step in done for finding in step.findings):
        settle = "to settle a warning: give its rule another tolerate, an except or a where, or mend the source"
        screen.line((f"{'' if screen.narrow else ' ' * _LABEL}{settle}", "dim"))
    for step in report.steps:
        if step.status == "dropped":
            screen.line(("dropped", "yellow"), f"       {step.dataset}  ", (step.note, "dim"))
    draw_failures(report, screen)
    _ending(report, screen)


def _broke_rules(step: StepReport) -> bool:
    """Whether a step that ran and made the same rows as before has something to tell: a new rule that only warns."""
    return step.status == "unchanged" and any(finding.broken for finding in step.findings)


def draw_cycle(clock: str, report: RunReport, screen: "Screen") -> None:
    """What a run did in one line, and what failed."""
    made = sum(step.status == "done" for step in report.steps)
    dropped = sum(step.status == "dropped" for step in report.steps)
    landed = sum(not file.repeat for file in report.landed)
    facts = [
        f"{count(landed, 'file')} landed" if landed else "",
        f"{count(made, 'dataset')} made" if made else "",
        f"{dropped:,} dropped" if dropped else "",
        f"{count(report.quarantined, 'row')} quarantined" if report.quarantined else "",
        f"{len(report.failed):,} failed" if report.failed else "",
        duration(report.seconds) if report.status != "nothing" else "",
    ]
    what = {
        "published": (f"published snapshot {report.snapshot}", "green"),
        "failed": ("nothing was published", "red"),
        "nothing": ("nothing to do", "dim"),
    }[report.status]
    told = ", ".join(filter(None, facts))
    screen.line((clock, "dim"), "  ", what, f": {told}" if told else "")
    draw_failures(report, screen)


def nothing_to_do(done: Plan | RunReport) -> str:
    """Why nothing is to be done: how many datasets for each reason. Empty where something is."""
    if isinstance(done, Plan):
        busy = bool(done.runs or done.drops or done.asks)
        reasons = ["; ".join(step.reasons) for step in done.steps for _ in step.step.outputs]
    else:
        busy = done.status != "nothing" or bool(done.failed)
        reasons = [step.note for step in done.steps]
    counted = Counter(reason or "unchanged" for reason in reasons)
    said = ", ".join(f"{count(number, 'dataset')} {why}" for why, number in counted.items())
    return "" if busy else f"nothing to do: {said}"


def draw_failures(report: RunReport, screen: "Screen") -> None:
    """What failed, why, and what to do about it."""
    for step in report.failed:
        _failure(step, report, screen)


_FACTS = ("things", "in", "out", "quarantined", "merged away", "repaired", "rules", "seconds")


def _facts(report: RunReport, steps: Sequence[StepReport]) -> list[str]:
    """One zone in numbers, in the order of `_FACTS`; empty where there is nothing to say."""
    ledgers = [ledger for step in steps if (ledger := step.delta or step.ledger)]
    rows_out = sum(ledger.rows_out for ledger in ledgers) + sum(
        step.rows for step in steps if not (step.delta or step.ledger) and step.status == "done" and not step.note
    )
    files = {(file.source, file.name) for file in report.landed if not file.repeat}
    things = count(len(steps), "dataset")
    if files and steps[0].zone == "formatted":
        things = count(len(files), "landed file")
    findings = [finding for step in steps for finding in step.findings if finding.broken]
    failed = sum(step.status == "failed" for step in steps)
    warned = sum(finding.level == "warned" for finding in findings)
    return [
        things,
        _number(sum(ledger.rows_in for ledger in ledgers), "in"),
        _number(rows_out, "out"),
        _number(sum(ledger.quarantined for ledger in ledgers), "quarantined"),
        _number(sum(ledger.merged_away for ledger in ledgers), "merged away"),
        _number(sum(f.broken for f in findings if f.level == "repaired"), "repaired"),
        ", ".join(filter(None, [f"{failed:,} failed" if failed else "", count(warned, "warning") if warned else ""])),
        duration(sum(step.seconds for step in steps)),
    ]


def _number(number: int, word: str) -> str:
    return f"{number:,} {word}" if number else ""


def _zone(zone: str, facts: Sequence[str], widths: Sequence[int], screen: "Screen") -> None:
    if _LABEL + sum(width + 2 for width in widths if width) > screen.width:
        label = f"{zone}  " if screen.narrow else f"{zone:<{_LABEL}}"
        screen.line((label, "bold"), f"{facts[0]}  ", (facts[-1], "dim"))
        if some := ", ".join(filter(None, facts[1:-1])):
            screen.line(_indent(screen), some, hang=0)
        return
    cells = [f"{f:<{w}}" if i == 0 else f"{f:>{w}}" for i, (f, w) in enumerate(zip(facts, widths, strict=True)) if w]
    screen.line((f"{zone:<{_LABEL}}", "bold"), "  ".join(cells[:-1]), "  ", (cells[-1], "dim"))


def _indent(screen: "Screen") -> str:
    return "  " if screen.narrow else " " * _LABEL


def _notes(steps: Sequence[StepReport], screen: "Screen") -> None:
    noted = [step for step in steps if step.note]
    for step in noted[:_NOTES_SHOWN]:
        screen.line(_indent(screen), f"{stem_of(step.dataset)}  ", (step.note, "dim"))
    if more := len(noted) - _NOTES_SHOWN:
        screen.line(_indent(screen), (f"and {more} more", "dim")) if more > 0 else None


def _warnings(steps: Sequence[StepReport], screen: "Screen") -> None:
    warned = [(step, f) for step in steps for f in step.findings if f.level == "warned"]
    for step, finding in warned[:_WARNINGS_SHOWN]:
        screen.line(_indent(screen), ("⚠ ", "yellow"), *_warning(step, finding))
    if (more := len(warned) - _WARNINGS_SHOWN) > 0:
        screen.line(_indent(screen), ("⚠ ", "yellow"), f"{count(more, 'warning')} more: --format json")


def _warning(step: StepReport, finding: Finding) -> Iterator[Part]:
    yield f"{stem_of(step.dataset)} {finding.rule.name}"
    yield f"  {finding.message or _counted(finding)}"
    if finding.rule.at.path:
        yield (f"  {finding.rule.at.path}:{finding.rule.at.line}", "dim")


def _counted(finding: Finding) -> str:
    tolerated = f", tolerated {share(finding.rule.tolerate)}" if 0 < finding.rule.tolerate < 1 else ""
    return f"{count(finding.broken, 'row')} ({share(finding.share)}){tolerated}"


def _failure(step: StepReport, report: RunReport, screen: "Screen") -> None:
    failure = step.failure
    first, *rest = (failure.message if failure else "it could not be made").split("\n")
    screen.line((f"{step.dataset} FAILED", "bold red"), f": {first}")
    for line in rest:
        screen.line(f"  {printable(line)}")
    if failure and failure.at and failure.at.path:
        source = f"   {failure.source_line.strip()}" if failure.source_line else ""
        screen.line(f"  {failure.at.path}:{failure.at.line}", (source, "dim"))
    screen.line(f"  {_kept(step, report)}")
    if failure and failure.hint:
        screen.line(f"  {failure.hint}")
    if failure and failure.quarantined:
        screen.line("  look: ", (f"backbone quarantine {step.dataset} --run {report.run}", "cyan"))


def _kept(step: StepReport, report: RunReport) -> str:
    others = listed(name for name, because in report.kept.items() if because == step.dataset)
    if step.last_good is None:
        return "nothing was published of it before" + (f"; {others} had to wait" if others else "")
    return f"kept its last good version (snapshot {step.last_good})" + (f", and so did {others}" if others else "")


def _ending(report: RunReport, screen: "Screen") -> None:
    """What was published, and what to type next."""
    parts: list[Part]
    if report.status == "published":
        parts = [f"published snapshot {report.snapshot}, run {report.run}."]
    else:
        parts = [f"nothing was published, run {report.run}."]
    if report.quarantined:
        parts += [f" {count(report.quarantined, 'row')} to look at: ", ("backbone quarantine", "cyan")]
    elif report.status == "published" and (dataset := _finest(report)):
        parts += [" next: ", (f'backbone sql "from {dataset}"', "cyan")]
    screen.line(*parts)
    for warning in report.warnings:
        screen.line(("⚠ ", "yellow"), warning)
    if report.maintained:
        draw_maintained(report.maintained, screen)


def _finest(report: RunReport) -> str:
    """The last dataset made in the most refined zone that people query."""
    done = {step.zone: step.dataset for step in report.steps if step.status == "done"}
    return next((done[zone] for zone in ("exploitation", "trusted", "formatted") if zone in done), "")


def draw_history(entries: Sequence[HistoryEntry], screen: "Screen") -> None:
    """The last runs, newest first."""
    if not entries:
        screen.line("no runs yet. next: ", ("backbone run", "cyan"))
        return
    rows: list[list[Part]] = [
        [
            entry.run,
            (entry.status, _STATUS_STYLE.get(entry.status, "")),
            moment(entry.started_at),
            duration(entry.seconds) if entry.seconds is not None else "",
            f"{entry.snapshot}" if entry.snapshot is not None else "",
            f"{entry.datasets:,}",
            f"{entry.rows:,}",
            entry.environment,
            entry.message,
        ]
        for entry in entries
    ]
    header = ("run", "status", "started (UTC)", "time", "snapshot", "datasets", "rows", "env", "")
    screen.table(header, rows, right=(3, 4, 5, 6))


_STATUS_STYLE = {"published": "green", "failed": "red", "killed": "red", "nothing": "dim", "running": "cyan"}
