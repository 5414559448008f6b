"""The steps of the data management backbone, from what a project declares. Pure."""

import hashlib
import json

from backbone.model.files import Template
from backbone.model.project import Project, Source, Trusted, View
from backbone.model.rules import Rule
from backbone.model.steps import Derive, Format, Step, Trust
from backbone.zones.exploitation import view_increments
from backbone.zones.trusted import trusted_increments


def data_steps(project: Project) -> tuple[Step, ...]:
    """One step for each formatted, trusted and exploitation dataset of a project."""
    return (
        *(_format(source) for source in project.sources),
        *(_trust(trusted) for trusted in project.trusted),
        *(_derive(view) for view in project.views),
    )


def _format(source: Source) -> Step:
    columns = {f"column {c.name}": _digest(_plain(c, "description", "contract_at")) for c in source.columns}
    definition = {
        "template": _digest(_template(source.template)),
        "contract": _digest([source.contract, source.bad_values]),
        "file_name": _digest(_plain(source.file_name) if source.file_name else None),
        **columns,
        **{f"child {one.name}": _digest(_child(one)) for one in source.relations[1:]},
    }
    outputs = tuple(f"formatted.{one.name}" for one in source.relations)
    return Step(outputs, (), Format(source), definition, increments=True, tags=source.tags)


def _child(source: Source) -> list[object]:
    return [source.template.inside, *(_plain(c, "description", "contract_at") for c in source.columns)]


def _template(template: Template) -> dict[str, object]:
    """All that a template says; keys that came later count where they are given, so that nothing else is made anew."""
    later = [name for name in ("sheet", "table", "widths", "children", "inside") if not getattr(template, name)]
    return _plain(template, *later)


def _trust(trusted: Trusted) -> Step:
    definition = {
        "versions": _digest([trusted.versions, trusted.newest_by, *(["absent"] if trusted.absent else [])]),
        "key": _digest(trusted.key),
        **({"decisions": _decided(trusted)} if trusted.decisions else {}),
        **_rule_parts(trusted.rules),
    }
    targets = [*([f"trusted.{trusted.parent}"] if trusted.parent else []), *_targets(trusted.rules)]
    return Step(
        (f"trusted.{trusted.name}",),
        (f"formatted.{trusted.name}", *(t for t in targets if t != f"trusted.{trusted.name}")),
        Trust(trusted),
        definition,
        increments=trusted_increments(trusted),
        tags=trusted.tags,
    )


def _decided(trusted: Trusted) -> str:
    return _digest([_plain(decision, "was", "by", "at_time", "at") for decision in trusted.decisions])


def _derive(view: View) -> Step:
    definition = {
        "query" if view.function_path is None else "code": _digest(view.normal),
        "key": _digest([view.key, view.mode, view.driver]),
        **_rule_parts(view.rules),
    }
    inputs = dict.fromkeys([*view.inputs, *_targets(view.rules)])
    return Step(
        (f"exploitation.{view.name}",), tuple(inputs), Derive(view), definition, view_increments(view), view.tags
    )


def _targets(rules: tuple[Rule, ...]) -> list[str]:
    """The datasets that rules refer to: foreign-key targets are inputs too."""
    return [str(rule.param("to")) for rule in rules if rule.kind == "references"]


def _rule_parts(rules: tuple[Rule, ...]) -> dict[str, str]:
    parts: dict[str, str] = {}
    for rule in rules:
        name = f"rule {rule.name}"
        while name in parts:
            name += "'"
        parts[name] = _digest(_plain(rule, "because", "at"))
    return parts | ({"order of rules": _digest(list(parts))} if len(parts) > 1 else {})


def _plain(value: object, *leave_out: str) -> dict[str, object]:
    names = [name for name in value.__slots__ if name not in leave_out]  # type: ignore[attr-defined]  # all are slotted dataclasses
    return {name: getattr(value, name) for name in names}


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, default=str, sort_keys=True).encode()).hexdigest()[:16]
