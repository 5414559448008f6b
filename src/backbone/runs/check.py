"""Checking a project against itself before anything runs: every view is bound to its inputs' columns.

The engine's own binder does it, on empty relations, so what passes here is what will run. A dataset whose columns
can't be known before it has been made (a Python view, a source without columns) is taken as published, or not checked.
"""

from collections.abc import Mapping, Sequence

from backbone.engine.protocol import Engine, Session
from backbone.errors import EngineError, Problem, ProjectError, did_you_mean
from backbone.model.files import Column
from backbone.model.project import Source, View
from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Analyse, Derive, Extent, Format, Published, Step, Trust
from backbone.runs.plan import in_order
from backbone.runs.translation import untranslatable
from backbone.zones.exploitation import doubled, refused_joins, refused_mode, runnable_query, view_error
from backbone.zones.trusted import trusted_relation


def check_project(steps: Sequence[Step], published: Mapping[str, Published], engine: Engine) -> dict[str, Relation]:
    """Find the columns of every dataset, as far as they can be known, and all mistakes in views.

    Raises:
        ProjectError: views read columns that are not there, or declare keys that they don't have.
    """
    relations = {name: one.relation for name, one in published.items() if name.startswith("exploitation.")}
    problems: list[Problem] = []
    engine.expect(0)
    with engine.session() as session:
        for step in in_order(steps):
            found, wrong = _bind(step, relations, published, session)
            problems += wrong
            if engine.translates and not wrong:
                problems += untranslatable(step, relations, found, session)
            relations.pop(step.dataset, None)
            if found:
                relations[step.dataset] = found
            if isinstance(step.work, Format):
                relations |= _children(step, step.work.source, published)
    if problems:
        raise ProjectError(problems)
    return relations


def _bind(
    step: Step, relations: Mapping[str, Relation], published: Mapping[str, Published], session: Session
) -> tuple[Relation | None, list[Problem]]:
    held = published[step.dataset].relation if step.dataset in published else None
    if _is_known(step, relations, published):
        return held, []
    match step.work:
        case Format(source):
            same = step.dataset in published and published[step.dataset].definition == step.definition
            return (held if same else _united(declared_relation(source), held)), []
        case Trust(trusted):
            formatted = relations.get(f"formatted.{trusted.name}")
            return (trusted_relation(trusted, formatted) if formatted else None), []
        case Derive(view) if refusal := refused_joins(view):
            return held, [refusal]
        case Derive(view) if view.function_path is None:
            return _bind_view(view, relations, session)
        case Derive() | Analyse():
            return held, []


def _children(step: Step, source: Source, published: Mapping[str, Published]) -> dict[str, Relation]:
    """The relations inside a source's records, as far as they can be known."""
    there = {
        one: published[f"formatted.{one.name}"] for one in source.relations if f"formatted.{one.name}" in published
    }
    found = {
        one.name: there[one].relation
        if one in there and there[one].definition == step.definition
        else _united(declared_relation(one), there[one].relation if one in there else None)
        for one in source.relations[1:]
    }
    return {f"formatted.{name}": relation for name, relation in found.items() if relation}


def _is_known(step: Step, relations: Mapping[str, Relation], published: Mapping[str, Published]) -> bool:
    """Whether a view was published as it is now declared, over inputs with the columns that they now have."""
    held = published.get(step.dataset)
    if held is None or not isinstance(step.work, Derive) or held.definition != step.definition:
        return False
    return all(i in published and relations.get(i) == published[i].relation for i in step.inputs)


def declared_relation(source: Source) -> Relation | None:
    """The formatted relation as `sources/NAME.yml` declares it; None if it lists no columns."""
    if not source.columns:
        return None
    from_name = source.file_name.into if source.file_name else ()
    columns = [Column("_file", "integer"), Column("_record", "integer"), *source.columns, *from_name]
    return Relation(tuple(Attribute(c.name, c.domain, c.description) for c in columns))


def _united(declared: Relation | None, held: Relation | None) -> Relation | None:
    """What a source whose declaration changed will have: what it declares now, and what it has had beside that."""
    if declared is None or held is None:
        return declared or held
    return Relation((*declared.attributes, *(a for a in held.attributes if a.name not in declared.names)))


def _bind_view(
    view: View, relations: Mapping[str, Relation], session: Session
) -> tuple[Relation | None, list[Problem]]:
    if any(name not in relations for name in view.inputs):
        return None, []
    if refusal := refused_mode(view):
        return None, [Problem(view.at, refusal)]
    query, system = runnable_query(view)
    for name in view.inputs:
        session.show_system(system)
        session.show(Extent(name, relations[name]))
    try:
        relation = session.describe(query)
    except EngineError as error:
        return None, [view_error(view, str(error))]
    double = doubled(view, relation.names)
    return relation, [*([double] if double else []), *_key_problems(view, relation)]


def _key_problems(view: View, relation: Relation) -> list[Problem]:
    wanted = [*view.key, *(c for rule in view.rules for c in rule.columns if c != "all")]
    missing = [column for column in dict.fromkeys(wanted) if column not in relation.names]
    return [
        Problem(view.at, f"column '{c}' is not in exploitation.{view.name}.{did_you_mean(c, relation.names)}")
        for c in missing
    ]
