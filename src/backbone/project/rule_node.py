"""One rule as it stands in a file, and where it stands."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backbone.errors import Problem
from backbone.project.catalogue import Catalogue, Domains, check_columns
from backbone.project.fields import texts_of
from backbone.project.rule_sql import check_part_columns, is_aggregate
from backbone.project.sql import parse_part
from backbone.project.tree import Mapping, Node, Text, shape_of

if TYPE_CHECKING:
    from backbone.project.sql import Part


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


@dataclass(frozen=True, slots=True)
class RuleNode:
    """One rule: its first key is its name, with the columns that it is about as the value."""

    node: Mapping
    setting: Setting

    @property
    def subject(self) -> Text:
        """The rule's name, with its place."""
        return self.node.entries[0][0]

    @property
    def value(self) -> Node:
        """What the name is followed by."""
        return self.node.entries[0][1]

    @property
    def word(self) -> str:
        """The rule's name."""
        return self.subject.value

    def get(self, key: str) -> Node | None:
        """The value of a parameter."""
        return self.node.get(key)

    def refuse(self, node: Node, message: str) -> None:
        """Note a problem."""
        self.setting.problems.append(node.place.problem(message))

    def text(self, key: str) -> str:
        """The text of a parameter, empty where it isn't given."""
        node = self.node.get(key)
        if node is not None and not isinstance(node, Text):
            self.refuse(node, f"`{key}` is a text, not {shape_of(node)}")
        return node.value if isinstance(node, Text) else ""

    def texts(self, key: str) -> tuple[Text, ...]:
        """The texts of a parameter that takes one or several."""
        return texts_of(self.node.get(key), f"`{key}`", self.setting.problems)

    def names(self, key: str) -> tuple[str, ...]:
        """The columns that a parameter names."""
        texts = self.texts(key)
        check_columns(texts, self.setting.columns, self.setting.columns_of, self.setting.problems)
        return tuple(text.value for text in texts)

    def sql(self, key: str, part: "Part", *, node: Node | None = None) -> str | None:
        """A piece of SQL, checked; only the rule's own (its name's) may sum up rows."""
        node = node or self.node.get(key)
        if node is None:
            return None
        if not isinstance(node, Text):
            self.refuse(node, f"`{key}` is SQL. Quote it, as in {key}: 'a < b'")
            return None
        parsed = parse_part(node, part, self.setting.problems)
        if parsed is not None:
            check_part_columns(parsed, self.setting.columns, self.setting.columns_of, self.setting.problems)
            if key != self.word and is_aggregate(parsed):
                self.refuse(node, f"`{key}` looks at one row: an aggregate can't stand here")
        return node.value.strip()
