"""Planning: which steps a run will do, and why. Pure."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from backbone.model.files import LandedFile
from backbone.model.names import ZONES, stem_of
from backbone.model.steps import Drop, Format, How, Plan, PlannedStep, Published, Step

Readable = Callable[[str, int], bool]

_EXPIRED = ", too long ago to tell which rows"
_ORDER = "order of rules"
"""A part of definitions that is only worth naming when nothing else about the rules has changed."""


def make_plan(
    steps: Sequence[Step],
    published: Mapping[str, Published],
    files: Mapping[str, Sequence[LandedFile]],
    *,
    chosen: frozenset[str] | None = None,
    force: bool = False,
    foreign: Container[str] = (),
    unlanded: Mapping[str, str] = MappingProxyType({}),
    readable: Readable = lambda _name, _since: True,
) -> Plan:
    """Decide what a run will do.

    Args:
        steps: all steps of the project, in any order.
        published: what the lake holds, by dataset; another project's exploitation zone too.
        files: the landed files of each source, by id.
        chosen: only these datasets are run (None: all). What is left out catches up in a later run.
        force: run the chosen steps even if nothing changed.
        foreign: the datasets of `published` that are another project's.
        unlanded: why a file of a source can't land: its formatted dataset is tried, and fails.
        readable: whether what changed in a dataset after a snapshot is still known; else all its rows are read.
    """
    planned: dict[str, PlannedStep] = {}
    for step in in_order(steps):
        one = _plan_unlanded(step, unlanded)
        one = one or _plan_step(step, published, files, planned, force=force, readable=readable)
        if chosen is not None and step.dataset not in chosen:
            one = replace(one, action="skip", reasons=("not selected",))
        planned.update(dict.fromkeys(step.outputs, one))
    drops = _drops(planned, (name for name in published if name not in foreign)) if chosen is None else ()
    return Plan(tuple({one.step.dataset: one for one in planned.values()}.values()), drops)


def _drops(planned: Container[str], published: Iterable[str]) -> tuple[Drop, ...]:
    """What is published and no file declares any more."""
    return tuple(Drop(dataset, _why_gone(dataset, planned)) for dataset in published if dataset not in planned)


def _why_gone(dataset: str, planned: Container[str]) -> str:
    """The file of `exploitation.late__predictions` may still be there: it declares `analysis.late`."""
    parent = stem_of(dataset).partition("__")[0]
    return "its file says so no longer" if any(f"{zone}.{parent}" in planned for zone in ZONES) else "its file is gone"


def in_order(steps: Sequence[Step]) -> list[Step]:
    """The steps with inputs before what reads them; the loader has made sure that there is no cycle."""
    makers = {output: step for step in steps for output in step.outputs}
    ordered: dict[str, Step] = {}

    def visit(step: Step) -> None:
        if step.dataset in ordered:
            return
        for name in step.inputs:
            if name in makers and makers[name].dataset != step.dataset:
                visit(makers[name])
        ordered[step.dataset] = step

    for step in steps:
        visit(step)
    return list(ordered.values())


def _plan_unlanded(step: Step, unlanded: Mapping[str, str]) -> PlannedStep | None:
    why = unlanded.get(step.work.source.name) if isinstance(step.work, Format) else None
    return PlannedStep(step, "run", "incremental", (why,)) if why else None


def _plan_step(
    step: Step,
    published: Mapping[str, Published],
    files: Mapping[str, Sequence[LandedFile]],
    planned: Mapping[str, PlannedStep],
    *,
    force: bool,
    readable: Readable,
) -> PlannedStep:
    current = published.get(step.dataset)
    landed = tuple(files.get(step.work.source.name, ())) if isinstance(step.work, Format) else ()
    if current is None:
        if isinstance(step.work, Format) and not landed:
            return PlannedStep(step, "skip", "full", ("nothing has landed yet",))
        if missing := _missing(step, published, planned):
            return PlannedStep(step, "skip", "full", (f"{missing} is not there yet",))
        return PlannedStep(step, "run", "full", ("new",), landed)
    new = tuple(file for file in landed if file.id > current.files_until)
    definition = _definition_changes(step, current)
    inputs = _input_changes(step, current, published, planned, readable)
    reasons = [*definition, *(reason for reason, _ in inputs)]
    reasons += [f"new landed file {file.name} ({number} of {len(landed)})" for number, file in _numbered(landed, new)]
    rebuild = bool(definition) or any(full for _, full in inputs) or not step.increments or force
    if force:
        reasons.append("forced")
    if not reasons:
        return PlannedStep(step, "skip", "incremental", ("unchanged",))
    how: How = "full" if rebuild else "incremental"
    return PlannedStep(step, "run", how, tuple(reasons), landed if how == "full" else new)


def _missing(step: Step, published: Mapping[str, Published], planned: Mapping[str, PlannedStep]) -> str | None:
    there = {name for name in step.inputs if name in published or (name in planned and planned[name].action == "run")}
    return next((name for name in step.inputs if name not in there), None)


def _numbered(landed: Sequence[LandedFile], new: Sequence[LandedFile]) -> Iterable[tuple[int, LandedFile]]:
    first = len(landed) - len(new)
    return ((first + offset + 1, file) for offset, file in enumerate(new))


def _definition_changes(step: Step, current: Published) -> list[str]:
    before, now = current.definition, step.definition
    changes = [f"{part} changed: all rows" for part in now if part in before and before[part] != now[part]]
    changes += [f"{part} is new: all rows" for part in now if part not in before]
    changes += [f"{part} is gone: all rows" for part in before if part not in now]
    return [change for change in changes if not change.startswith(_ORDER)] or changes


def _input_changes(
    step: Step,
    current: Published,
    published: Mapping[str, Published],
    planned: Mapping[str, PlannedStep],
    readable: Readable,
) -> list[tuple[str, bool]]:
    """Reasons from inputs, each with whether it makes all rows necessary."""
    changes = []
    for name in step.inputs:
        ahead = planned.get(name)
        if name not in current.inputs:
            changes.append((f"{name} is a new input", True))
            continue
        # What was read last may be of an earlier generation: this step failed, or wasn't selected, when it was rebuilt.
        replaced = name in published and published[name].version.generation != current.inputs[name].generation
        if name in published and published[name].version != current.inputs[name]:
            expired = not replaced and not readable(name, current.inputs[name].snapshot)
            changes.append((f"{name} changed{_EXPIRED if expired else ''}", replaced or expired))
        if ahead and ahead.action == "run":
            changes.append((f"{name} changes", replaced or ahead.how == "full"))
    return changes
