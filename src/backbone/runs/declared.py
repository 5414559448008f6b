"""What governance says about things as they are now: how it differs from what a project declares."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backbone.governance.declared import Row, dataset_rows, passing, project_rows
from backbone.governance.tables import TABLES
from backbone.lake.store import Lake
from backbone.lineage.columns import column_lineage
from backbone.model.names import literal
from backbone.model.project import Analysis, Project, Source
from backbone.model.relations import Relation
from backbone.model.steps import Analyse, Derive, Drop, Format, Origin, Published, Step, Trust


@dataclass(frozen=True, slots=True)
class StateChange:
    """Rows of a governance table that take the place of those for which `where` is true."""

    table: str
    where: str
    rows: tuple[Row, ...]


def origins_of(step: Step, relations: Mapping[str, Relation]) -> tuple[Origin, ...]:
    """Column lineage of a step's outputs, given the relations of inputs and outputs."""
    inputs = {name: relations[name] for name in step.inputs if name in relations}
    work = step.work
    match work:
        case Format(source):
            landing = f"landing.{source.name}"
            return tuple(
                Origin(out, column, landing, _header(one, column), column)
                for out, one in zip(step.outputs, source.relations, strict=True)
                for column in relations[out].names
            )
        case Trust(trusted):
            formatted = f"formatted.{trusted.name}"
            return passing(step.dataset, formatted, relations[step.dataset], relations[formatted])
        case Derive(view) if view.function_path is None:
            read = {name: inputs[name] for name in view.inputs if name in inputs}
            return column_lineage(view.query, read, relations[step.dataset], step.dataset)
        case Analyse(analysis, stage) if stage != "train":
            return _analysed(analysis, stage, step, relations)
        case _:
            return tuple(Origin(out, "*", name, "*", partial=True) for out in step.outputs for name in inputs)


def _analysed(analysis: Analysis, stage: str, step: Step, relations: Mapping[str, Relation]) -> tuple[Origin, ...]:
    """Column lineage of an analysis's view, of the sets that it is split into, or of its predictions."""
    if stage == "predict":
        return _predicted(analysis, step, relations)
    if stage == "split":
        whole = step.inputs[0]
        return tuple(o for out in step.outputs for o in passing(out, whole, relations[out], relations[whole]))
    inputs = {name: relations[name] for name in step.inputs if name in relations}
    return column_lineage(analysis.view, inputs, Relation(relations[step.dataset].visible), step.dataset)


def _predicted(analysis: Analysis, step: Step, relations: Mapping[str, Relation]) -> tuple[Origin, ...]:
    """Predictions have the key of their row in the analysis's view; all else is made of its features, by the model."""
    view, dataset = f"analysis.{analysis.name}__view", step.dataset
    made = [name for name in relations[dataset].names if name not in analysis.key]
    keys = [Origin(dataset, name, view, name, name) for name in analysis.key]
    model = f"model {analysis.name}"
    return (*keys, *(Origin(dataset, name, view, feature, model) for name in made for feature in analysis.features))


def _header(source: Source, column: str) -> str:
    return next((c.headers[0] for c in source.columns if c.name == column and c.headers), column)


def dataset_changes(
    steps: Iterable[Step], relations: Mapping[str, Relation], published: Mapping[str, Published]
) -> list[StateChange]:
    """What governance has to say anew about the datasets that these steps made: where definition or columns changed."""
    new = [step for step in steps if _is_new(step, relations, published)]
    rows: dict[str, list[Row]] = {}
    for step in new:
        for table, values in dataset_rows(step, relations, origins_of(step, relations)).items():
            rows.setdefault(table, []).extend(values)
    datasets = ", ".join(literal(output) for step in new for output in step.outputs)
    return [StateChange(table, f"dataset IN ({datasets})", tuple(values)) for table, values in rows.items()]


def _is_new(step: Step, relations: Mapping[str, Relation], published: Mapping[str, Published]) -> bool:
    def same(output: str) -> bool:
        held = published.get(output)
        return held is not None and held.definition == step.definition and held.relation == relations[output]

    return not all(same(output) for output in step.outputs)


def drop_changes(drops: Sequence[Drop]) -> list[StateChange]:
    """Governance has nothing more to say about datasets that are dropped."""
    datasets = ", ".join(literal(drop.dataset) for drop in drops)
    tables = (
        ("relation", "attribute", "constraint", "mapping", "quarantine", "merged_away", "decision") if drops else ()
    )
    return [StateChange(table, f"dataset IN ({datasets})", ()) for table in tables]


def project_changes(
    project: Project, relations: Mapping[str, Relation], changes: Sequence[StateChange], lake: Lake
) -> list[StateChange]:
    """What governance has to say anew about sources and glossary; `changes` are those about datasets."""
    origins = [o for o in _stored_origins(lake) if not any(_concerns(change, o.dataset) for change in changes)]
    origins += [_origin(row) for change in changes if change.table == "mapping" for row in change.rows]
    rows = project_rows(project, relations, origins)
    found = [StateChange(table, "true", tuple(values)) for table, values in rows.items()]
    return [change for change in found if _differs(change, lake)]


def _concerns(change: StateChange, dataset: str) -> bool:
    return change.table == "mapping" and literal(dataset) in change.where


def _stored_origins(lake: Lake) -> list[Origin]:
    return (
        [_origin(row) for row in lake.records("FROM lake.governance.mapping")] if lake.has("governance.mapping") else []
    )


def _origin(row: Mapping[str, object]) -> Origin:
    ends = (str(row["dataset"]), str(row["attribute"]), str(row["input_dataset"]), str(row["input_attribute"]))
    return Origin(*ends, expression=str(row["expression"]), partial=bool(row["partial"]))


def _differs(change: StateChange, lake: Lake) -> bool:
    if not lake.has(f"governance.{change.table}"):
        return bool(change.rows)
    names = [name for name in TABLES[change.table].names if name != "run"]
    stored = lake.records(f"SELECT {', '.join(names)} FROM lake.governance.{change.table} WHERE {change.where}")
    return _fingerprints(stored, names) != _fingerprints(change.rows, names)


def _fingerprints(rows: Iterable[Mapping[str, object]], names: Sequence[str]) -> list[str]:
    return sorted(json.dumps([_plain(row.get(name)) for name in names], default=str) for row in rows)


def _plain(value: object) -> object:
    """JSON text is compared by what it stands for: the lake writes it without blanks."""
    try:
        return json.loads(value) if isinstance(value, str) and value[:1] in {"{", "["} else value
    except ValueError:
        return value
