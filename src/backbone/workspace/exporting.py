"""Exporting: which datasets, with what is known of them, of which snapshot."""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from backbone.connectors.secrets import Secrets, conceal_passwords
from backbone.errors import UsageError
from backbone.exporting.constraints import constraints_of, in_order, names_of, resolved
from backbone.exporting.content import MARK, Column, Constraints, Content, Table
from backbone.exporting.target import Target, parse_target
from backbone.exporting.write import write_export
from backbone.lake.sealed import most_refined
from backbone.model.names import ZONES, literal, zone_of
from backbone.model.operations import Exported
from backbone.model.relations import Relation
from backbone.model.reports import RunEvent
from backbone.model.steps import Extent, Published, Step
from backbone.runs.run import read_published
from backbone.runs.selection import Selection, select_datasets
from backbone.wiring import open_reading
from backbone.workspace.interrupting import interruptible
from backbone.workspace.querying import chosen_snapshot
from backbone.workspace.reading import Reading

if TYPE_CHECKING:
    from backbone.workspace.workspace import OnEvent, Workspace

_CONSTRAINED = ("duckdb", "postgres")
"""The kinds of targets that have constraints: of others it needn't be said which ones they lack."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be exported, and how: the words that select it, the snapshot, and whether system columns are shown."""

    selection: Selection
    as_of: str | None = None
    system: bool = False
    replace: bool = False


def export_workspace(workspace: "Workspace", wish: Wish, to: str, schema: str | None, on_event: "OnEvent") -> Exported:
    """Write datasets of one snapshot to a target.

    Raises:
        UsageError: there is no such dataset or target, or something is there already.
        ExportError: it can't be written; what was there before is as it was.
    """
    began = perf_counter()
    target = parse_target(to, schema, workspace.project.name, Secrets(workspace.root).filled)
    if target.kind == "postgres":
        conceal_passwords(target.location)
    else:
        target = dataclasses.replace(target, location=os.path.realpath(Path(target.location).expanduser()))
    with (
        interruptible(on_event) as on_each,
        open_reading(workspace.environment, lambda: chosen_snapshot(workspace, wish.as_of)) as backend,
        backend.engine.session() as session,
    ):
        session.show_system(wish.system)
        published = read_published(workspace.environment, backend.lake)
        snapshot = backend.lake.snapshot[1]
        chosen, unpublished = _chosen(workspace, wish.selection, published, snapshot)
        content, left_out = _content(
            workspace, chosen, published, Reading(workspace.environment, backend), wish, target
        )
        for dataset in chosen:
            session.show(Extent(dataset, published[dataset].relation, snapshot))
        numbers = {table.dataset: number for number, table in enumerate(content.tables)}

        def on_table(dataset: str) -> None:
            if before := numbers[dataset]:
                on_each(RunEvent("step_done", content.tables[before - 1].dataset, before, len(numbers)))
            on_each(RunEvent("step_started", dataset, numbers[dataset], len(numbers)))

        outcome = write_export(content, target, session, replace=wish.replace, on_table=on_table)
    return Exported(
        content.project, content.environment, snapshot, target.kind, target.what, outcome.tables, outcome.bytes,
        outcome.replaced, (*unpublished, *left_out, *outcome.left_out), outcome.kept, perf_counter() - began,
    )  # fmt: skip


def _chosen(
    workspace: "Workspace", selection: Selection, published: Mapping[str, Published], snapshot: int
) -> tuple[list[str], tuple[str, ...]]:
    """The datasets that words choose, and what is said of those that aren't published.

    A bare name means the most refined dataset of that name, as everywhere where rows are asked for.

    Raises:
        UsageError: they choose none that is published.
    """
    if not selection.include:
        raise UsageError("Name what is to be exported: backbone export zone:exploitation --to out")
    refined = most_refined(published)
    wanted: list[str] = []
    for word in selection.include:
        known = word in published or word in refined
        wanted += [refined.get(word, word)] if known else _outputs(workspace.steps, (word,), published)
    left = set(_outputs(workspace.steps, selection.exclude, published))
    wanted = [dataset for dataset in dict.fromkeys(wanted) if dataset not in left]
    chosen = [dataset for dataset in wanted if dataset in published]
    if not chosen:
        raise UsageError(
            f"Nothing of what these words choose is published in snapshot {snapshot}. See: backbone status"
        )
    return chosen, tuple(f"{one}: it is not published" for one in wanted if one not in published)


def _outputs(steps: Sequence[Step], words: tuple[str, ...], published: Mapping[str, Published]) -> list[str]:
    """The datasets of the steps that selecting words choose."""
    chosen = select_datasets(steps, Selection(words), published) if words else frozenset()
    return [output for step in steps if step.dataset in (chosen or ()) for output in step.outputs]


def _content(
    workspace: "Workspace",
    chosen: Sequence[str],
    published: Mapping[str, Published],
    reading: Reading,
    wish: Wish,
    target: Target,
) -> tuple[Content, tuple[str, ...]]:
    """What is exported, and which constraints it can't have."""
    names = _names(chosen)
    relations = {d: _exported(published[d].relation, system=wish.system) for d in chosen}
    found, said = _constraints(workspace.steps, chosen, published, relations)
    constraints, more = resolved(found, relations, names)
    comments = _comments(reading, chosen)
    tables = tuple(
        Table(
            dataset,
            names[dataset],
            _columns(relations[dataset], constraints[dataset], comments.get(dataset, {})),
            comments.get(dataset, {}).get("", ""),
            constraints[dataset],
        )
        for dataset in in_order(chosen, found)
    )
    content = Content(workspace.project.name, workspace.environment.name, reading.lake.snapshot[1], tables)
    left_out = tuple(f"{d} {why}" for d in chosen for why in (*said.get(d, ()), *more.get(d, ())))
    return content, left_out if target.kind in _CONSTRAINED else ()


def _names(chosen: Sequence[str]) -> dict[str, str]:
    """The bare name of each dataset.

    Raises:
        UsageError: two have the same, or one has that of the export's own table.
    """
    by_name = names_of(chosen)
    for name, datasets in by_name.items():
        if name == MARK:
            raise UsageError(f"{datasets[0]} can't be exported: `{MARK}` is the table that says what a target holds")
        if len(datasets) > 1:
            coarsest = min(datasets, key=lambda dataset: ZONES.index(zone_of(dataset)))
            raise UsageError(
                f"{' and '.join(datasets)} would have one name in the target, '{name}'. "
                f"Choose one, such as by --exclude {coarsest}, or give each a target of its own"
            )
    return {datasets[0]: name for name, datasets in by_name.items()}


def _exported(relation: Relation, *, system: bool) -> Relation:
    return relation if system else Relation(relation.visible)


def _columns(relation: Relation, constraints: Constraints, comments: Mapping[str, str]) -> tuple[Column, ...]:
    return tuple(
        Column(a.name, a.domain, comments.get(a.name, ""), a.name in constraints.required) for a in relation.attributes
    )


def _constraints(
    steps: Iterable[Step],
    chosen: Sequence[str],
    published: Mapping[str, Published],
    relations: Mapping[str, Relation],
) -> tuple[dict[str, Constraints], dict[str, tuple[str, ...]]]:
    """The constraints of each dataset, and what could be none: only what was declared when its rows were checked."""
    makers = {output: step for step in steps for output in step.outputs}
    found: dict[str, Constraints] = {}
    said: dict[str, tuple[str, ...]] = {}
    for dataset in chosen:
        step = makers.get(dataset)
        if step is None or dict(step.definition) != dict(published[dataset].definition):
            found[dataset] = Constraints()
            said[dataset] = ("constraints: it is declared otherwise now than when it was published",)
        else:
            found[dataset], said[dataset] = constraints_of(step, relations[dataset])
    return found, said


def _comments(reading: Reading, chosen: Sequence[str]) -> dict[str, dict[str, str]]:
    """What governance says of datasets and their columns, glossary included; a dataset's own under no name."""
    which = f"dataset IN ({', '.join(map(literal, chosen))})"
    found: dict[str, dict[str, list[str]]] = {}

    def add(dataset: str, column: str, text: str | None) -> None:
        if text:
            found.setdefault(dataset, {}).setdefault(column, []).append(text)

    for row in reading.records(f"SELECT dataset, description FROM lake.governance.relation WHERE {which}"):
        add(row["dataset"], "", row["description"])
    for row in reading.records(f"SELECT dataset, attribute, description FROM lake.governance.attribute WHERE {which}"):
        add(row["dataset"], row["attribute"], row["description"])
    terms = (
        "SELECT dataset, attribute, term, means, unit FROM lake.governance.binding JOIN lake.governance.term "
        f"USING (term) WHERE {which} ORDER BY term"
    )
    for row in reading.records(terms):
        unit = f" ({row['unit']})" if row["unit"] else ""
        add(row["dataset"], row["attribute"], f"{row['term']}{unit}: {row['means']}")
    return {dataset: {name: "\n".join(texts) for name, texts in of.items()} for dataset, of in found.items()}
