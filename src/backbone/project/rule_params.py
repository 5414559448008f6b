"""A rule's own parameters: what the vocabulary says they may be."""

import re

from backbone.errors import did_you_mean
from backbone.model.domains import SCALAR_DOMAINS, is_domain
from backbone.project.catalogue import check_columns
from backbone.project.fields import listed, texts_of
from backbone.project.rule_node import RuleNode
from backbone.project.tree import Mapping, Node, Text, shape_of
from backbone.project.values import fits, less
from backbone.quality.kinds import KINDS
from backbone.quality.literals import share_of
from backbone.quality.vocabulary import ParamKind, RuleKind

_CHOICES = {"keep": ("last", "first"), "kind": tuple(KINDS)}


def read_params(rule: RuleNode, kind: RuleKind, columns: tuple[Text, ...]) -> tuple[tuple[str, object], ...]:
    """The parameters given, in the vocabulary's order: texts, tuples of texts, or tuples of pairs."""
    _bounds(rule, kind)
    values = {name: _param(rule, name, kind, columns) for name in kind.params}
    return tuple((name, value) for name, value in values.items() if value is not None)


def _param(rule: RuleNode, name: str, rule_kind: RuleKind, columns: tuple[Text, ...]) -> object:  # noqa: PLR0911  one per kind
    kind: ParamKind = rule_kind.params[name]
    node = rule.get(name)
    if node is None:
        return _default_by(rule, columns) if (rule.word, name) == ("references", "by") else None
    if kind == "values":
        return tuple(text.value for text in _fitting(rule, rule.texts(name), columns))
    if kind == "names":
        return _by(rule, node, columns) if rule.word == "references" else rule.names(name)
    if kind == "mapping":
        return _pairs(rule, name, node, columns)
    if not isinstance(node, Text):
        rule.refuse(node, f"`{name}` is a text, not {shape_of(node)}")
        return None
    if kind == "sql":
        return rule.sql(name, "order" if name == "order" else "expression")
    if kind == "bound":
        _fitting(rule, (node,), columns, today=True)
    elif kind == "dataset":
        _target(rule, node)
    else:
        _check_text(rule, name, kind, node)
    return node.value


def _check_text(rule: RuleNode, name: str, kind: ParamKind, node: Text) -> None:
    if kind == "count" and not re.fullmatch(r"\d{1,12}", node.value, re.ASCII):
        rule.refuse(node, f"`{name}` is a whole number, not '{node.value}'")
    elif kind == "domain" and not is_domain(node.value):
        rule.refuse(node, f"'{node.value}' is no type.{did_you_mean(node.value, SCALAR_DOMAINS)}")
    elif kind == "choice" and node.value not in _CHOICES.get(name, ()):
        choices = _CHOICES.get(name, ())
        rule.refuse(
            node, f"`{name}` can't be '{node.value}'. One of: {listed(choices)}.{did_you_mean(node.value, choices)}"
        )
    elif kind == "share" and share_of(node.value) is None:
        rule.refuse(node, f"`{name}` is a share of rows, such as 20%, or any")
    elif name == "pattern":
        _pattern(rule, node)


def _pattern(rule: RuleNode, node: Text) -> None:
    try:
        re.compile(node.value)
    except re.error as error:
        rule.refuse(node, f"this is no regular expression: {error.msg}")


def _fitting(
    rule: RuleNode, texts: tuple[Text, ...], columns: tuple[Text, ...], *, today: bool = False
) -> tuple[Text, ...]:
    for column in columns:
        domain = (rule.setting.columns or {}).get(column.value, "")
        for text in texts:
            if not fits(text.value, domain, today=today):
                rule.refuse(text, f"'{text.value}' is no value of '{column.value}', which is {domain}")
    return texts


def _pairs(rule: RuleNode, name: str, node: Node, columns: tuple[Text, ...]) -> tuple[tuple[str, str], ...]:
    if not isinstance(node, Mapping):
        rule.refuse(node, f"`{name}` is a mapping such as {{old: new}}, not {shape_of(node)}")
        return ()
    pairs = []
    for key, value in node.entries:
        if isinstance(value, Text):
            _fitting(rule, (key, value), columns)
            pairs.append((key.value, value.value))
        else:
            rule.refuse(value, f"`{name}` maps texts to texts, not to {shape_of(value)}")
    return tuple(pairs)


def _bounds(rule: RuleNode, kind: RuleKind) -> None:
    if not {"from", "to"} <= kind.params.keys() or "dataset" in kind.params.values():
        return
    low, high = rule.get("from"), rule.get("to")
    if low is None and high is None:
        rule.refuse(rule.subject, f"`{rule.word}` needs `from` or `to`, or both")
    if isinstance(low, Text) and isinstance(high, Text) and less(high.value, low.value):
        rule.refuse(high, f"nothing lies between {low.value} and {high.value}: `to` is below `from`")


def _target(rule: RuleNode, node: Text) -> None:
    setting = rule.setting
    if not setting.catalogue.has(node.value):
        rule.refuse(node, setting.catalogue.missing(node.value))
    elif setting.zone == "trusted" and node.value != setting.dataset:
        rule.refuse(node, f"between sources `{rule.word}` is a rule of a view: write it in exploitation/")


def _by(rule: RuleNode, node: Node, columns: tuple[Text, ...]) -> tuple[str, ...]:
    texts = texts_of(node, "`by`", rule.setting.problems)
    target = rule.get("to")
    if isinstance(target, Text):
        known = rule.setting.catalogue.columns(target.value)
        check_columns(texts, known, target.value, rule.setting.problems)
    if len(texts) != len(columns):
        rule.refuse(node, f"`by` has {len(texts)} columns, but `{rule.word}` has {len(columns)}")
    return tuple(text.value for text in texts)


def _default_by(rule: RuleNode, columns: tuple[Text, ...]) -> tuple[str, ...] | None:
    """The target's key: whoever checks the rule needs to know no other dataset's declaration."""
    target = rule.get("to")
    if not isinstance(target, Text) or not rule.setting.catalogue.has(target.value):
        return None
    key = rule.setting.catalogue.keys.get(target.value, ())
    if len(key) == len(columns):
        return key
    said = f"its key is {listed(key)}" if key else "it has no key"
    rule.refuse(target, f"`references` needs `by`, the columns of {target.value} to compare with: {said}")
    return None
