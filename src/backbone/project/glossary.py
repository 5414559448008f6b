"""`glossary.yml`: business terms, and the columns that they are bound to."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from backbone.errors import did_you_mean
from backbone.model.project import Term, Trusted, View
from backbone.model.rules import Rule
from backbone.project import keys
from backbone.project.catalogue import Catalogue, missing_column
from backbone.project.fields import Fields
from backbone.project.rule_node import Setting
from backbone.project.rule_sql import with_column
from backbone.project.rules import read_rules
from backbone.project.tree import Mapping, Text
from backbone.project.yaml_tree import read_yaml
from backbone.quality.vocabulary import VIEW_ACTIONS

Heir = TypeVar("Heir", Trusted, View)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backbone.errors import Problem
    from backbone.project.places import File

THIS = "this"
"""What a term's rules call the column that inherits them."""


def read_glossary(file: "File", catalogue: Catalogue, problems: "list[Problem]") -> tuple[Term, ...]:
    """All terms, their bindings checked against the project's datasets and columns."""
    node = read_yaml(file, problems)
    if node is None:
        return ()
    if not isinstance(node, Mapping):
        problems.append(node.place.problem("glossary.yml is a mapping of terms, such as carrier: {means: …}"))
        return ()
    names = [name.value for name, _ in node.entries]
    return tuple(
        _term(name, Fields(value, problems, known=keys.TERM, what=f"the term '{name.value}'"), names, catalogue)
        for name, value in node.entries
    )


def _term(name: Text, fields: Fields, names: list[str], catalogue: Catalogue) -> Term:
    if not fields.text("means") and fields.node("means") is None:
        fields.refuse(name.place, f"the term '{name.value}' needs `means`: what it says, in a sentence")
    broader = fields.given("broader")
    if broader and broader.value not in names:
        fields.refuse(broader.place, f"there is no term '{broader.value}'.{did_you_mean(broader.value, names)}")
    setting = Setting(
        "", "glossary", "a term's rule, where the column is called `this`", {THIS: ""}, catalogue, fields.problems
    )
    rules = read_rules(fields.node("rules"), setting)
    columns = fields.texts("columns")
    for column in columns:
        _check_binding(column, rules, catalogue, fields)
    return Term(
        name=name.value,
        means=fields.text("means"),
        columns=tuple(column.value for column in columns),
        unit=fields.text("unit"),
        synonyms=fields.values("synonyms"),
        broader=broader.value if broader else "",
        personal=fields.choice("personal", "no", ("yes", "no")) == "yes",
        rules=rules,
        at=name.place.at,
    )


def _check_binding(text: Text, rules: tuple[Rule, ...], catalogue: Catalogue, fields: Fields) -> None:
    dataset, _, column = text.value.rpartition(".")
    if dataset.count(".") != 1 or not column:
        fields.refuse(text.place, f"'{text.value}' is no column: write `zone.name.column`, as in trusted.orders.amount")
        return
    if not catalogue.has(dataset):
        fields.refuse(text.within(0, len(dataset)), catalogue.missing(dataset))
        return
    columns = catalogue.columns(dataset)
    if columns is not None and column not in columns:
        place = text.within(len(dataset) + 1, len(text.value))
        fields.refuse(place, missing_column(column, columns, dataset))
    heirs = dataset in catalogue.names and dataset.startswith(("trusted.", "exploitation.")) and "__" not in dataset
    view_rule = next((r for r in rules if r.action not in VIEW_ACTIONS), None)
    if rules and not heirs:
        fields.refuse(text.place, f"{dataset} inherits no rules: bind a trusted dataset or a view of this project")
    elif view_rule is not None and dataset.startswith("exploitation."):
        fields.refuse(text.place, f"a view can't inherit {view_rule.name}: in a view, rules quarantine, warn or fail")


def inherited(terms: "Iterable[Term]", dataset: str) -> tuple[Rule, ...]:
    """The rules that a dataset's columns have from the terms they are bound to."""
    rules = []
    for term in terms:
        for bound in term.columns:
            owner, _, column = bound.rpartition(".")
            if owner == dataset:
                rules += [_about(rule, column) for rule in term.rules]
    return tuple(rules)


def _about(rule: Rule, column: str) -> Rule:
    columns = tuple(column if name == THIS else name for name in rule.columns)
    sql = with_column(rule.sql, column) if rule.sql else None
    name = rule.name.replace(f"({THIS})", f"({column})") if rule.columns else f"{rule.kind}({sql})"
    where = with_column(rule.where, column) if rule.where else None
    params = tuple(
        (key, with_column(str(v), column) if (rule.kind, key) == ("set", "to") else v) for key, v in rule.params
    )
    may_vanish = tuple(column if c == THIS else c for c in rule.may_vanish)
    return replace(rule, columns=columns, sql=sql, name=name, where=where, params=params, may_vanish=may_vanish)


def with_inherited(dataset: Heir, terms: "Iterable[Term]") -> Heir:
    """A dataset with the rules of its terms after its own; one that it states itself is not repeated."""
    zone = "trusted" if isinstance(dataset, Trusted) else "exploitation"
    names = {rule.name for rule in dataset.rules}
    more: list[Rule] = [rule for rule in inherited(terms, f"{zone}.{dataset.name}") if rule.name not in names]
    return replace(dataset, rules=(*dataset.rules, *more))
