"""Typed reading of a mapping by its keys: each key says how its text is read. Problems are collected, not raised."""

import re
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Mapping_
from typing import TypeVar

from backbone.errors import Problem, did_you_mean
from backbone.model.names import PLAIN_NAME
from backbone.project.keys import Keys
from backbone.project.places import Place
from backbone.project.tree import Items, Mapping, Node, Text, shape_of

Choice = TypeVar("Choice", bound=str)


def listed(words: Iterable[str]) -> str:
    """Words as a message lists them: `a, b, c`."""
    return ", ".join(words)


class Fields:
    """One mapping of a file. Unknown keys are problems at once, with what is valid there.

    `word` is what a message calls a key.
    """

    def __init__(
        self,
        node: Node | None,
        problems: list[Problem],
        *,
        known: Keys | Collection[str],
        what: str = "this",
        word: str = "key",
    ) -> None:
        unbuilt = [name for name, key in known.items() if not key.built] if isinstance(known, Mapping_) else []
        known = [name for name in known if name not in unbuilt]
        self.problems = problems
        self.mapping = node if isinstance(node, Mapping) else None
        if node is not None and self.mapping is None and not _missing(node):
            self.refuse(node.place, f"{what} is a mapping, not {shape_of(node)}. Its keys: {listed(known)}")
        for key, _ in self.mapping.entries if self.mapping else ():
            if key.value in unbuilt:
                self.refuse(key.place, f"`{key.value}` is not built yet")
            elif key.value not in known:
                near = did_you_mean(key.value, known) or f" Known here: {listed(known)}"
                self.refuse(key.place, f"unknown {word} `{key.value}`.{near}")

    def refuse(self, place: Place, message: str) -> None:
        """Note a problem."""
        self.problems.append(place.problem(message))

    def node(self, key: str) -> Node | None:
        """The value of a key as it stands there, or None."""
        return self.mapping.get(key) if self.mapping else None

    def key_place(self, key: str) -> Place | None:
        """Where a key itself stands."""
        entries = self.mapping.entries if self.mapping else ()
        return next((text.place for text, _ in entries if text.value == key), None)

    def given(self, key: str) -> Text | None:
        """The text of a key with its place, or None where it isn't given (or is no text, which is a problem)."""
        node = self.node(key)
        if node is None or isinstance(node, Text):
            return node
        if not _missing(node):
            self.refuse(node.place, f"`{key}` is a text, not {shape_of(node)}")
        return None

    def text(self, key: str, default: str = "") -> str:
        """The text of a key."""
        given = self.given(key)
        return given.value if given else default

    def texts(self, key: str) -> tuple[Text, ...]:
        """The texts of a key that takes one or several."""
        return texts_of(self.node(key), f"`{key}`", self.problems)

    def values(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The texts of a key that takes one or several, as plain values."""
        if self.node(key) is None:
            return default
        return tuple(text.value for text in self.texts(key))

    def choice(self, key: str, default: Choice, options: Iterable[Choice], unbuilt: Collection[str] = ()) -> Choice:
        """One of the words that a key takes."""
        given = self.given(key)
        known = tuple(options)
        if given is None:
            return default
        for option in known:
            if given.value == option:
                return option
        if given.value in unbuilt:
            self.refuse(given.place, f"`{key}: {given.value}` is not built yet")
        else:
            near = did_you_mean(given.value, known)
            self.refuse(given.place, f"`{key}` can't be '{given.value}'. Expected one of: {listed(known)}.{near}")
        return default

    def count(self, key: str, default: int) -> int:
        """A whole number, 0 or more."""
        given = self.given(key)
        if given is None:
            return default
        if not re.fullmatch(r"\d{1,9}", given.value, re.ASCII):
            self.refuse(given.place, f"`{key}` is a whole number, not '{given.value}'")
            return default
        return int(given.value)

    def character(self, key: str, default: str, *, empty: bool = False) -> str:
        """A single character; none at all where `empty` allows it."""
        given = self.given(key)
        if given is None:
            return default
        if len(given.value) != 1 and not (empty and given.value == ""):
            self.refuse(given.place, f"`{key}` is one character, not '{given.value}'")
            return default
        return given.value


def texts_of(node: Node | None, what: str, problems: list[Problem]) -> tuple[Text, ...]:
    """One text or a list of texts: both mean the same."""
    if node is None:
        return ()
    if isinstance(node, Text):
        return (node,)
    if isinstance(node, Mapping):
        problems.append(node.place.problem(f"{what} is a text or a list of texts, not a mapping"))
        return ()
    problems += [
        item.place.problem(f"{what} is a text or a list of texts, not a list with {shape_of(item)}")
        for item in node.items
        if not isinstance(item, Text)
    ]
    return tuple(item for item in node.items if isinstance(item, Text))


def check_name(name: Text, what: str, problems: list[Problem]) -> bool:
    """Whether a text may name something of a project; else that is a problem."""
    if PLAIN_NAME.fullmatch(name.value) and "__" not in name.value:
        return True
    problems.append(name.place.problem(f"'{name.value}' is no name for {what}. Names look like: orders, orders_2024"))
    return False


def _missing(node: Node) -> bool:
    """Whether the value is missing, which is noted as a problem already."""
    return isinstance(node, Items) and not node.items and node.place.file.text[node.place.start] not in "[("
