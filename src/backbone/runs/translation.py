"""What people wrote that isn't known to give the same on the engine of their project: found before anything runs."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from backbone.engine.protocol import Session
from backbone.errors import Problem, ProjectError, UntranslatableError
from backbone.model.names import quoted_dataset
from backbone.model.project import Analysis
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.model.statements import bare
from backbone.model.steps import Analyse, Derive, Extent, Step, Trust
from backbone.quality.expressions import is_dataset_check
from backbone.quality.predicates import broken_condition, relation_after
from backbone.zones.exploitation import runnable_query, view_error


def untranslatable(
    step: Step, relations: Mapping[str, Relation], made: Relation | None, session: Session
) -> Iterator[Problem]:
    """The mistakes of one step: those of its rules, of a view that was checked when it was made, of an analysis's view.

    Args:
        step: the step.
        relations: the columns of its inputs, as far as they are known.
        made: its own columns, if known.
        session: one of the engine's.
    """
    match step.work:
        case Trust(trusted):
            formatted = relations.get(f"formatted.{trusted.name}")
            if formatted:
                yield from _rules(trusted.rules, f"formatted.{trusted.name}", formatted, session)
        case Derive(view):
            if view.function_path is None and all(name in relations for name in view.inputs):
                query, system = runnable_query(view)
                _show(view.inputs, relations, session, system=system)
                try:
                    session.describe(query)
                except UntranslatableError as error:
                    yield view_error(view, str(error))
            if made:
                yield from _rules(view.rules, step.dataset, made, session)
        case Analyse(analysis, "view") if all(name in relations for name in step.inputs):
            _show(step.inputs, relations, session, system=False)
            try:
                session.describe(bare(analysis.view))
            except UntranslatableError as error:
                yield Problem(analysis.at, f"the view of {analysis.name}: {_first_line(error)}")
            else:
                yield from _asked_there(analysis, relations, session)


def _asked_there(analysis: Analysis, relations: Mapping[str, Relation], session: Session) -> Iterator[Problem]:
    """What Spark is asked beside the view where it trains: the baseline, and the rows to predict."""
    if analysis.library != "spark":
        return
    view = f"({bare(analysis.view)}\n)"
    queries = {"baseline": f"SELECT ({analysis.baseline}\n) FROM {view}"} if analysis.baseline else {}
    if analysis.predict and all(name in relations for name in analysis.predict_inputs):
        _show(analysis.predict_inputs, relations, session, system=False)
        queries["predict"] = f"WITH view AS {view} SELECT * FROM ({bare(analysis.predict)}\n)"
    for part, query in queries.items():
        try:
            session.describe(query)
        except UntranslatableError as error:
            yield Problem(analysis.place_of(part), f"{part} of {analysis.name}: {_first_line(error)}")


def _show(names: tuple[str, ...], relations: Mapping[str, Relation], session: Session, *, system: bool) -> None:
    session.show_system(system)
    for name in names:
        session.show(Extent(name, relations[name]))


def _rules(rules: tuple[Rule, ...], dataset: str, relation: Relation, session: Session) -> Iterator[Problem]:
    """Rules in the order written, each over the columns as those before it leave them."""
    _show((dataset,), {dataset: relation}, session, system=True)
    for rule in rules:
        try:
            for expression in _expressions(rule, relation):
                session.describe(f"SELECT {expression} FROM {quoted_dataset(dataset)} AS t")
            relation = relation_after([rule], relation)
        except UntranslatableError as error:
            yield Problem(rule.at, f"{rule.name}: {_first_line(error)}")
        except ProjectError:  # told where rules are applied
            return


def _expressions(rule: Rule, relation: Relation) -> Iterator[str]:
    """The expressions in a rule that people wrote, or that hang on what they wrote."""
    if is_dataset_check(rule):
        yield f"({rule.sql}\n)"
    elif rule.kind in {"expect", "matches"}:
        yield broken_condition(replace(rule, where=None, exceptions=()), relation)
    if rule.where:
        yield f"({rule.where}\n)"
    if rule.kind == "set":
        yield f"({rule.param('to')}\n)"


def _first_line(error: UntranslatableError) -> str:
    return str(error).splitlines()[0]
