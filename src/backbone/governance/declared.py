"""What a project declares, as rows of the governance tables that say how things are now. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass

from backbone.model.names import VALID_FROM, is_system, zone_of
from backbone.model.project import Project, Trusted, View
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.model.steps import Analyse, Derive, Format, Origin, Step, Trust

Row = dict[str, object]


def project_rows(
    project: Project, relations: Mapping[str, Relation], origins: Sequence[Origin]
) -> dict[str, list[Row]]:
    """Rows about sources and the glossary: `template`, `connection`, `term`, `binding`."""
    return {
        "template": [
            {
                "source": s.name,
                "format": s.template.format,
                "template": _json(s.template),
                "columns": _json(s.columns),
                "contract": s.contract,
                "bad_values": s.bad_values,
            }
            for s in project.sources
        ],
        "connection": [
            {"source": s.name, "kind": "file", "location": origin}
            for s in project.sources
            for origin in (*s.origins, f"lake/landing/temporal/{s.name}/")
        ],
        "term": [
            {
                "term": t.name, "means": t.means, "unit": t.unit, "synonyms": list(t.synonyms), "broader": t.broader,
                "personal": t.personal,
            }
            for t in project.terms
        ],
        "binding": _bindings(project, relations, origins),
    }  # fmt: skip


def _bindings(project: Project, relations: Mapping[str, Relation], origins: Sequence[Origin]) -> list[Row]:
    """Terms bound to columns, and carried on along lineage where a column passes unchanged."""
    bound: dict[tuple[str, str, str], str] = {}
    for term in project.terms:
        for column in term.columns:
            dataset, _, name = column.rpartition(".")
            bound[term.name, dataset, name] = "declared"
    unchanged = [o for o in origins if not o.partial and o.expression.split(".")[-1].strip('"') == o.input_column]
    frontier = list(bound)
    while frontier:
        term_name, dataset, name = frontier.pop()
        for origin in unchanged:
            reached = (term_name, origin.dataset, origin.column)
            if (origin.input_dataset, origin.input_column) == (dataset, name) and reached not in bound:
                bound[reached] = "inherited"
                frontier.append(reached)
    known = {dataset: relation.names for dataset, relation in relations.items()}
    return [
        {"term": term_name, "dataset": dataset, "attribute": name, "how": how}
        for (term_name, dataset, name), how in bound.items()
        if dataset not in known or name in known[dataset]
    ]


def dataset_rows(step: Step, relations: Mapping[str, Relation], origins: Sequence[Origin]) -> dict[str, list[Row]]:
    """Rows about the datasets that a step makes: `relation`, `attribute`, `constraint`, `mapping`, `decision`."""
    rows: dict[str, list[Row]] = {"relation": [], "attribute": [], "constraint": [], "mapping": []}
    description, owner, declared_in = about(step)
    for dataset in step.outputs:
        rows["relation"].append(
            {
                "dataset": dataset, "zone": zone_of(dataset), "description": description, "owner": owner,
                "tags": list(step.tags), "declared_in": declared_in,
            }
        )  # fmt: skip
        relation = relations[dataset]
        rows["attribute"] += [
            {
                "dataset": dataset, "position": number, "attribute": a.name, "domain": a.domain,
                "description": a.description, "system": is_system(a.name),
            }
            for number, a in enumerate(relation.attributes, 1)
        ]  # fmt: skip
    rows["constraint"] = _constraints(step)
    rows["decision"] = _decisions(step)
    rows["mapping"] = [
        {
            "dataset": o.dataset, "attribute": o.column, "input_dataset": o.input_dataset,
            "input_attribute": o.input_column, "expression": o.expression, "partial": o.partial,
        }
        for o in origins
    ]  # fmt: skip
    return rows


def about(step: Step) -> tuple[str, str, str]:
    """Description, owner and the file that declares a step's datasets."""
    match step.work:
        case Format(source):
            return source.description, source.owner, source.at.path
        case Trust(trusted):
            return trusted.description, trusted.owner, trusted.at.path
        case Derive(view):
            return view.description, view.owner, view.at.path
        case Analyse(analysis):
            return analysis.question, analysis.owner, analysis.at.path


def _constraints(step: Step) -> list[Row]:
    declared = step.work.trusted if isinstance(step.work, Trust) else getattr(step.work, "view", None)
    if not isinstance(declared, (Trusted, View)):
        return []
    keys: list[Row] = []
    if declared.key:
        states = [VALID_FROM] if isinstance(declared, Trusted) and declared.versions == "history" else []
        columns = [*declared.key, *states]
        keys = [{"dataset": step.dataset, "name": "key", "kind": "key", "columns": columns, "action": "fail",
                 "definition": ", ".join(columns), "declared_at": str(declared.at)}]  # fmt: skip
    return keys + [_constraint(step.dataset, rule) for rule in declared.rules]


def _decisions(step: Step) -> list[Row]:
    decisions = step.work.trusted.decisions if isinstance(step.work, Trust) else ()
    return [
        {
            "dataset": step.dataset, "file": d.file, "record": d.record, "verdict": d.verdict,
            "attribute": d.column or None, "value": d.value if d.verdict == "set" else None, "was": d.was or None,
            "because": d.because, "decided_by": d.by, "decided_at": d.at_time,
        }
        for d in decisions
    ]  # fmt: skip


def _constraint(dataset: str, rule: Rule) -> Row:
    words = [rule.sql or "", *(f"{name}={value}" for name, value in rule.params)]
    words += [f"where {rule.where}"] if rule.where else []
    return {
        "dataset": dataset, "name": rule.name, "kind": rule.kind, "columns": list(rule.columns), "action": rule.action,
        "definition": ", ".join(word for word in words if word), "declared_at": str(rule.at),
    }  # fmt: skip


def passing(dataset: str, source: str, relation: Relation, inputs: Relation) -> tuple[Origin, ...]:
    """Column lineage of a step that keeps its columns: each from the one of its name, where there is one."""
    return tuple(Origin(dataset, name, source, name, name) for name in relation.names if name in inputs.names)


def _json(value: object) -> str:
    def plain(one: object) -> object:
        if is_dataclass(one) and not isinstance(one, type):
            return {f.name: plain(getattr(one, f.name)) for f in fields(one) if f.compare}
        if isinstance(one, Iterable) and not isinstance(one, (str, bytes)):
            return [plain(item) for item in one]
        return one

    return json.dumps(plain(value), default=str)
