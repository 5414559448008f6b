"""Rules as people write them, read into `Rule` values by the vocabulary."""

import re
from dataclasses import replace

from backbone.errors import did_you_mean
from backbone.model.rules import Action, Rule
from backbone.project.catalogue import check_columns
from backbone.project.fields import listed, texts_of
from backbone.project.rule_node import RuleNode, Setting
from backbone.project.rule_params import read_params
from backbone.project.rule_sql import is_aggregate
from backbone.project.sql import parse_part
from backbone.project.tree import Items, Mapping, Node, Text, shape_of
from backbone.project.values import tolerance_of
from backbone.quality.vocabulary import (
    DEFAULT_TOLERANCE,
    VIEW_ACTIONS,
    VOCABULARY,
    RuleKind,
)

_CONVERTS = {"type", "split"}


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
            rules += _Reader(RuleNode(item, setting)).rules()
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

    def __init__(self, rule: RuleNode) -> None:
        self._rule = rule
        self._setting = rule.setting
        self._subject, self._value, self._word = rule.subject, rule.value, rule.word

    def rules(self) -> list[Rule]:
        kind = self._kind()
        if kind is None:
            return []
        before = len(self._setting.problems)
        self._unknown_keys(kind)
        action = self._action(kind)
        columns = self._columns(kind)
        params = read_params(self._rule, kind, columns)
        rule = Rule(
            kind=self._word,
            name="",
            action=action,
            sql=self._expectation(kind, action),
            params=params,
            where=self._rule.sql("where", "condition"),
            tolerate=self._tolerate(action),
            may_vanish=self._rule.names("may_vanish"),
            exceptions=self._exceptions(),
            because=self._rule.text("because"),
            at=self._rule.node.place.at,
        )
        self._convert(columns)
        if len(self._setting.problems) > before:
            return []
        return [replace(rule, columns=part, name=self._name(part, rule)) for part in self._parts(kind, columns)]

    def _kind(self) -> RuleKind | None:
        kind = VOCABULARY.get(self._word)
        if kind is None:
            later = next((key for key, _ in self._rule.node.entries if key.value in VOCABULARY), None)
            hint = f" A rule starts with its name: write `{later.value}` first" if later else ""
            near = did_you_mean(self._word, VOCABULARY)
            self._rule.refuse(self._subject, f"there is no rule '{self._word}'.{near or hint or self._all_kinds()}")
        elif not kind.built:
            self._rule.refuse(self._subject, f"the rule `{self._word}` is not built yet")
        elif self._setting.zone == "exploitation" and (kind.repairs or self._word in _CONVERTS):
            self._rule.refuse(self._subject, f"`{self._word}` is no rule of a view: its SQL does repairs")
        elif self._setting.zone != "exploitation" and kind.views_only:
            self._rule.refuse(self._subject, f"`{self._word}` is a rule of a view: write it in exploitation/")
        else:
            return kind
        return None

    def _all_kinds(self) -> str:
        return f" Rules: {listed(word for word, kind in VOCABULARY.items() if kind.built)}"

    def _unknown_keys(self, kind: RuleKind) -> None:
        known = (*kind.params, *(key for key in kind.takes if key != "else" or not kind.repairs))
        for key, _ in self._rule.node.entries[1:]:
            if key.value == "else" and kind.repairs:
                self._rule.refuse(key, f"`{self._word}` repairs and takes no `else`")
            elif key.value not in known:
                near = did_you_mean(key.value, known) or f" It takes: {listed(known)}"
                self._rule.refuse(key, f"`{self._word}` has no parameter `{key.value}`.{near}")
        for name in kind.required:
            if self._rule.get(name) is None:
                self._rule.refuse(self._subject, f"`{self._word}` needs `{name}`")

    def _action(self, kind: RuleKind) -> Action | None:
        if kind.repairs:
            return None
        allowed = [a for a in kind.actions if self._setting.zone != "exploitation" or a in VIEW_ACTIONS]
        node = self._rule.get("else")
        if node is None:
            self._rule.refuse(
                self._subject,
                f"`{self._word}` needs `else`: what happens to rows that break it. One of: {listed(allowed)}",
            )
        elif not isinstance(node, Text) or node.value not in allowed:
            said = node.value if isinstance(node, Text) else shape_of(node)
            self._rule.refuse(
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
                self._rule.refuse(self._subject, f"`{self._word}` needs a column")
            return ()
        if "all" in kind.subject and [t.value for t in texts] == ["all"]:
            return texts
        if kind.subject == "all":
            self._rule.refuse(self._value, f"`{self._word}` is about all: write `{self._word}: all`")
            return ()
        if self._word == "set" and len(texts) > 1:
            self._rule.refuse(self._value, "`set` is about one column")
        twice = {t.value for t in texts if [u.value for u in texts].count(t.value) > 1}
        if twice:
            self._rule.refuse(self._value, f"column '{min(twice)}' is here twice")
        check_columns(texts, self._setting.columns, self._setting.columns_of, self._setting.problems)
        return texts

    def _parts(self, kind: RuleKind, columns: tuple[Text, ...]) -> list[tuple[str, ...]]:
        names = tuple(text.value for text in columns)
        return [(name,) for name in names] if kind.subject == "column" else [names]

    def _name(self, columns: tuple[str, ...], rule: Rule) -> str:
        given = self._rule.text("name")
        about = " ".join(rule.sql.split()) if rule.sql else ",".join(columns)
        if given and isinstance(self._value, Items) and columns and VOCABULARY[self._word].subject == "column":
            return f"{given}({about})"
        return given or f"{self._word}({about})"

    def _expectation(self, kind: RuleKind, action: Action | None) -> str | None:
        if kind.subject != "sql":
            return None
        sql = self._rule.sql(self._word, "condition", node=self._value)
        if isinstance(self._value, Text) and action not in {None, "warn", "fail"}:
            # A second look, quietly: the first one has noted what can't be parsed.
            parsed = parse_part(self._value, "condition", [])
            if parsed is not None and is_aggregate(parsed):
                self._rule.refuse(
                    self._value,
                    f"with an aggregate `{self._word}` is about the dataset: `else` is warn or fail, not {action}",
                )
        return sql

    def _tolerate(self, action: Action | None) -> float:
        node = self._rule.get("tolerate")
        if node is None:
            return DEFAULT_TOLERANCE.get(action or "", 1.0)
        share = tolerance_of(node.value) if isinstance(node, Text) else None
        if share is None:
            self._rule.refuse(node, "`tolerate` is a share, such as 20% or 0.2")
        return share or 0.0

    def _exceptions(self) -> tuple[tuple[int, int], ...]:
        pairs = []
        for text in self._rule.texts("except"):
            match = re.fullmatch(r"(\d{1,9}):(\d{1,12})", text.value, re.ASCII)
            if match is None:
                self._rule.refuse(text, f"'{text.value}' is no `file:record`, such as 12:640")
            else:
                pairs.append((int(match[1]), int(match[2])))
        return tuple(pairs)

    def _convert(self, columns: tuple[Text, ...]) -> None:
        to = self._rule.get("as")
        if self._word == "type" and isinstance(to, Text) and self._setting.columns is not None:
            self._setting.columns = {**self._setting.columns, **{text.value: to.value for text in columns}}
