"""Rules as people write them, read into `Rule` values by the vocabulary."""

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backbone.errors import Problem, did_you_mean
from backbone.model.domains import SCALAR_DOMAINS, is_domain
from backbone.model.rules import Action, Rule
from backbone.project.catalogue import Catalogue, Domains, check_columns
from backbone.project.fields import listed, texts_of
from backbone.project.rule_sql import check_part_columns, is_aggregate
from backbone.project.sql import parse_part
from backbone.project.tree import Items, Mapping, Node, Text, shape_of
from backbone.project.values import fits, less, tolerance_of
from backbone.quality.vocabulary import (
    DEFAULT_TOLERANCE,
    EVERY_RULE_TAKES,
    VIEW_ACTIONS,
    VOCABULARY,
    ParamKind,
    RuleKind,
)

if TYPE_CHECKING:
    from backbone.project.sql import Part

_CHOICES = {"keep": ("last", "first")}
_CONVERTS = {"type", "split"}


@dataclass(slots=True)
class Setting:
    """Where rules stand: what their columns are (None: not known), and what they may do.

    `dataset` owns the rules, `columns_of` names what the columns are in. `columns` follows conversions (`type`).
    `zone` is trusted, exploitation, or glossary, whose rules are about `this`.
    """

    dataset: str
    zone: str
    columns_of: str
    columns: Domains | None
    catalogue: Catalogue
    problems: list[Problem] = field(default_factory=list)


def read_rules(node: Node | None, setting: Setting) -> tuple[Rule, ...]:
    """All rules of a list, in order; what is wrong with them is in `setting.problems`."""
    if node is None:
        return ()
    if isinstance(node, Text):
        setting.problems.append(node.place.problem("`rules` is a list of rules, such as [{trim: all}]"))
        return ()
    rules: list[Rule] = []
    for item in node.items if isinstance(node, Items) else (node,):
        if isinstance(item, Mapping) and item.entries:
            rules += _Reader(item, setting).rules()
        else:
            setting.problems.append(
                item.place.problem(f"a rule is a mapping such as {{trim: all}}, not {shape_of(item)}")
            )
    return _distinct(rules)


def _distinct(rules: list[Rule]) -> tuple[Rule, ...]:
    """Rules with names of their own: a second `set(dep_time)` is `set(dep_time) 2`."""
    seen: dict[str, int] = {}
    distinct = []
    for rule in rules:
        seen[rule.name] = seen.get(rule.name, 0) + 1
        same = seen[rule.name]
        distinct.append(replace(rule, name=f"{rule.name} {same}") if same > 1 else rule)
    return tuple(distinct)


class _Reader:
    """Reads one rule."""

    def __init__(self, node: Mapping, setting: Setting) -> None:
        self._node = node
        self._setting = setting
        self._subject, self._value = node.entries[0]
        self._word = self._subject.value

    def rules(self) -> list[Rule]:
        kind = self._kind()
        if kind is None:
            return []
        before = len(self._setting.problems)
        self._unknown_keys(kind)
        action = self._action(kind)
        columns = self._columns(kind)
        params = tuple((name, value) for name in kind.params if (value := self._param(name, kind, columns)) is not None)
        self._bounds(kind)
        rule = Rule(
            kind=self._word,
            name="",
            action=action,
            sql=self._expectation(kind, action),
            params=params,
            where=self._sql("where", "condition"),
            tolerate=self._tolerate(action),
            may_vanish=self._names("may_vanish"),
            exceptions=self._exceptions(),
            because=self._text("because"),
            at=self._node.place.at,
        )
        self._convert(columns)
        if len(self._setting.problems) > before:
            return []
        return [replace(rule, columns=part, name=self._name(part, rule)) for part in self._parts(kind, columns)]

    def _refuse(self, node: Node | Text, message: str) -> None:
        self._setting.problems.append(node.place.problem(message))

    def _kind(self) -> RuleKind | None:
        kind = VOCABULARY.get(self._word)
        if kind is None:
            later = next((key for key, _ in self._node.entries if key.value in VOCABULARY), None)
            hint = f" A rule starts with its name: write `{later.value}` first" if later else ""
            near = did_you_mean(self._word, VOCABULARY)
            self._refuse(self._subject, f"there is no rule '{self._word}'.{near or hint or self._all_kinds()}")
        elif not kind.built:
            self._refuse(self._subject, f"the rule `{self._word}` is not built yet")
        elif self._setting.zone == "exploitation" and (kind.repairs or self._word in _CONVERTS):
            self._refuse(self._subject, f"`{self._word}` is no rule of a view: its SQL does repairs")
        else:
            return kind
        return None

    def _all_kinds(self) -> str:
        return f" Rules: {listed(word for word, kind in VOCABULARY.items() if kind.built)}"

    def _unknown_keys(self, kind: RuleKind) -> None:
        known = (*kind.params, *(key for key in EVERY_RULE_TAKES if key != "else" or not kind.repairs))
        for key, _ in self._node.entries[1:]:
            if key.value == "else" and kind.repairs:
                self._refuse(key, f"`{self._word}` repairs and takes no `else`")
            elif key.value not in known:
                near = did_you_mean(key.value, known) or f" It takes: {listed(known)}"
                self._refuse(key, f"`{self._word}` has no parameter `{key.value}`.{near}")
        for name in kind.required:
            if self._node.get(name) is None:
                self._refuse(self._subject, f"`{self._word}` needs `{name}`")

    def _action(self, kind: RuleKind) -> Action | None:
        if kind.repairs:
            return None
        allowed = [a for a in kind.actions if self._setting.zone != "exploitation" or a in VIEW_ACTIONS]
        node = self._node.get("else")
        if node is None:
            self._refuse(
                self._subject,
                f"`{self._word}` needs `else`: what happens to rows that break it. One of: {listed(allowed)}",
            )
        elif not isinstance(node, Text) or node.value not in allowed:
            said = node.value if isinstance(node, Text) else shape_of(node)
            self._refuse(
                node,
                f"`else` of `{self._word}` can't be '{said}'. One of: {listed(allowed)}.{did_you_mean(said, allowed)}",
            )
        else:
            return next(a for a in allowed if a == node.value)
        return None

    def _columns(self, kind: RuleKind) -> tuple[Text, ...]:
        if kind.subject == "sql":
            return ()
        texts = texts_of(self._value, f"`{self._word}`", self._setting.problems)
        if not texts:
            if isinstance(self._value, Items):
                self._refuse(self._subject, f"`{self._word}` needs a column")
            return ()
        if "all" in kind.subject and [t.value for t in texts] == ["all"]:
            return texts
        if self._word == "set" and len(texts) > 1:
            self._refuse(self._value, "`set` is about one column")
        twice = {t.value for t in texts if [u.value for u in texts].count(t.value) > 1}
        if twice:
            self._refuse(self._value, f"column '{min(twice)}' is here twice")
        check_columns(texts, self._setting.columns, self._setting.columns_of, self._setting.problems)
        return texts

    def _parts(self, kind: RuleKind, columns: tuple[Text, ...]) -> list[tuple[str, ...]]:
        names = tuple(text.value for text in columns)
        return [(name,) for name in names] if kind.subject == "column" else [names]

    def _name(self, columns: tuple[str, ...], rule: Rule) -> str:
        given = self._text("name")
        about = " ".join(rule.sql.split()) if rule.sql else ",".join(columns)
        if given and isinstance(self._value, Items) and columns and VOCABULARY[self._word].subject == "column":
            return f"{given}({about})"
        return given or f"{self._word}({about})"

    def _text(self, key: str) -> str:
        node = self._node.get(key)
        if node is not None and not isinstance(node, Text):
            self._refuse(node, f"`{key}` is a text, not {shape_of(node)}")
        return node.value if isinstance(node, Text) else ""

    def _texts(self, key: str) -> tuple[Text, ...]:
        return texts_of(self._node.get(key), f"`{key}`", self._setting.problems)

    def _names(self, key: str) -> tuple[str, ...]:
        texts = self._texts(key)
        check_columns(texts, self._setting.columns, self._setting.columns_of, self._setting.problems)
        return tuple(text.value for text in texts)

    def _sql(self, key: str, part: "Part", *, node: Node | None = None) -> str | None:
        node = node or self._node.get(key)
        if node is None:
            return None
        if not isinstance(node, Text):
            self._refuse(node, f"`{key}` is SQL. Quote it, as in {key}: 'a < b'")
            return None
        parsed = parse_part(node, part, self._setting.problems)
        if parsed is not None:
            check_part_columns(parsed, self._setting.columns, self._setting.columns_of, self._setting.problems)
            if key != self._word and is_aggregate(parsed):
                self._refuse(node, f"`{key}` looks at one row: an aggregate can't stand here")
        return node.value.strip()

    def _expectation(self, kind: RuleKind, action: Action | None) -> str | None:
        if kind.subject != "sql":
            return None
        sql = self._sql(self._word, "condition", node=self._value)
        if isinstance(self._value, Text) and action not in {None, "warn", "fail"}:
            # A second look, quietly: the first one has noted what can't be parsed.
            parsed = parse_part(self._value, "condition", [])
            if parsed is not None and is_aggregate(parsed):
                self._refuse(
                    self._value,
                    f"with an aggregate `{self._word}` is about the dataset: `else` is warn or fail, not {action}",
                )
        return sql

    def _tolerate(self, action: Action | None) -> float:
        node = self._node.get("tolerate")
        if node is None:
            return DEFAULT_TOLERANCE.get(action or "", 1.0)
        share = tolerance_of(node.value) if isinstance(node, Text) else None
        if share is None:
            self._refuse(node, "`tolerate` is a share, such as 20% or 0.2")
        return share or 0.0

    def _exceptions(self) -> tuple[tuple[int, int], ...]:
        pairs = []
        for text in self._texts("except"):
            match = re.fullmatch(r"(\d{1,9}):(\d{1,12})", text.value, re.ASCII)
            if match is None:
                self._refuse(text, f"'{text.value}' is no `file:record`, such as 12:640")
            else:
                pairs.append((int(match[1]), int(match[2])))
        return tuple(pairs)

    def _param(self, name: str, rule_kind: RuleKind, columns: tuple[Text, ...]) -> object:  # noqa: PLR0911  one per kind
        kind: ParamKind = rule_kind.params[name]
        node = self._node.get(name)
        if node is None:
            return self._default_by(columns) if (self._word, name) == ("references", "by") else None
        if kind == "values":
            return tuple(text.value for text in self._fitting(self._texts(name), columns))
        if kind == "names":
            return self._by(node, columns)
        if kind == "mapping":
            return self._pairs(name, node, columns)
        if not isinstance(node, Text):
            self._refuse(node, f"`{name}` is a text, not {shape_of(node)}")
            return None
        if kind == "sql":
            return self._sql(name, "order" if name == "order" else "expression")
        if kind == "bound":
            self._fitting((node,), columns, today=True)
        elif kind == "dataset":
            self._target(node)
        else:
            self._check_text(name, kind, node)
        return node.value

    def _check_text(self, name: str, kind: ParamKind, node: Text) -> None:
        if kind == "count" and not re.fullmatch(r"\d{1,12}", node.value, re.ASCII):
            self._refuse(node, f"`{name}` is a whole number, not '{node.value}'")
        elif kind == "domain" and not is_domain(node.value):
            self._refuse(node, f"'{node.value}' is no type.{did_you_mean(node.value, SCALAR_DOMAINS)}")
        elif kind == "choice" and node.value not in _CHOICES.get(name, ()):
            self._refuse(node, f"`{name}` can't be '{node.value}'. One of: {listed(_CHOICES.get(name, ()))}")
        elif name == "pattern":
            self._pattern(node)

    def _pattern(self, node: Text) -> None:
        try:
            re.compile(node.value)
        except re.error as error:
            self._refuse(node, f"this is no regular expression: {error.msg}")

    def _fitting(self, texts: tuple[Text, ...], columns: tuple[Text, ...], *, today: bool = False) -> tuple[Text, ...]:
        for column in columns:
            domain = (self._setting.columns or {}).get(column.value, "")
            for text in texts:
                if not fits(text.value, domain, today=today):
                    self._refuse(text, f"'{text.value}' is no value of '{column.value}', which is {domain}")
        return texts

    def _pairs(self, name: str, node: Node, columns: tuple[Text, ...]) -> tuple[tuple[str, str], ...]:
        if not isinstance(node, Mapping):
            self._refuse(node, f"`{name}` is a mapping such as {{old: new}}, not {shape_of(node)}")
            return ()
        pairs = []
        for key, value in node.entries:
            if isinstance(value, Text):
                self._fitting((key, value), columns)
                pairs.append((key.value, value.value))
            else:
                self._refuse(value, f"`{name}` maps texts to texts, not to {shape_of(value)}")
        return tuple(pairs)

    def _bounds(self, kind: RuleKind) -> None:
        if not {"from", "to"} <= kind.params.keys() or "dataset" in kind.params.values():
            return
        low, high = self._node.get("from"), self._node.get("to")
        if low is None and high is None:
            self._refuse(self._subject, f"`{self._word}` needs `from` or `to`, or both")
        if isinstance(low, Text) and isinstance(high, Text) and less(high.value, low.value):
            self._refuse(high, f"nothing lies between {low.value} and {high.value}: `to` is below `from`")

    def _target(self, node: Text) -> None:
        setting = self._setting
        if not setting.catalogue.has(node.value):
            self._refuse(node, setting.catalogue.missing(node.value))
        elif setting.zone == "trusted" and node.value != setting.dataset:
            self._refuse(node, f"between sources `{self._word}` is a rule of a view: write it in exploitation/")

    def _by(self, node: Node, columns: tuple[Text, ...]) -> tuple[str, ...]:
        texts = texts_of(node, "`by`", self._setting.problems)
        target = self._node.get("to")
        if isinstance(target, Text):
            known = self._setting.catalogue.columns(target.value)
            check_columns(texts, known, target.value, self._setting.problems)
        if len(texts) != len(columns):
            self._refuse(node, f"`by` has {len(texts)} columns, but `{self._word}` has {len(columns)}")
        return tuple(text.value for text in texts)

    def _default_by(self, columns: tuple[Text, ...]) -> tuple[str, ...] | None:
        """The target's key: whoever checks the rule needs to know no other dataset's declaration."""
        target = self._node.get("to")
        if not isinstance(target, Text) or not self._setting.catalogue.has(target.value):
            return None
        key = self._setting.catalogue.keys.get(target.value, ())
        if len(key) == len(columns):
            return key
        said = f"its key is {listed(key)}" if key else "it has no key"
        self._refuse(target, f"`references` needs `by`, the columns of {target.value} to compare with: {said}")
        return None

    def _convert(self, columns: tuple[Text, ...]) -> None:
        to = self._node.get("as")
        if self._word == "type" and isinstance(to, Text) and self._setting.columns is not None:
            self._setting.columns = {**self._setting.columns, **{text.value: to.value for text in columns}}
