"""YAML read strictly: every scalar is text, every node has its place, and what surprises people is refused."""

from typing import TYPE_CHECKING, Any

from backbone.project.places import File, Place
from backbone.project.tree import Items, Mapping, Node, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backbone.errors import Problem

MAX_DEPTH = 20


def read_yaml(file: File, problems: "list[Problem]", *, start: int = 0, end: int | None = None) -> Node | None:
    """The one document in a file, or in a part of it; None where it is empty or broken (then with a problem)."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = _Reader(file, start, problems)
    text = file.text[start:end]
    try:
        return reader.document(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        index = min(mark.index if mark else 0, len(text))
        problems.append(file.place(start + index).problem(f"this is not valid YAML: {_said(error)}"))
    except YAMLError as error:
        index = int(getattr(error, "position", 0))
        problems.append(file.place(start + index).problem("this is not valid YAML: a character that text can't have"))
    except (ValueError, OverflowError):
        problems.append(file.place(start).problem("this is not valid YAML: an escape names no character"))
    except _RefusedError:
        pass
    return None


def _said(error: Any) -> str:
    said = " ".join(part for part in (error.context, error.problem) if part)
    if "'\\t'" in said:
        return "a tab where blanks are expected"
    return " ".join(said.split())


class _RefusedError(Exception):
    """The document can't be read any further; the problem is already noted."""


class _Reader:
    """Composes nodes from the parser's events."""

    def __init__(self, file: File, start: int, problems: "list[Problem]") -> None:
        self._file = file
        self._start = start
        self._problems = problems
        self._depth = 0

    def document(self, events: "Iterator[Any]") -> Node | None:
        documents = 0
        root = None
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document begins here. A file holds one document")
                if event.version or event.tags:
                    self._refuse(event, "directives (`%YAML`, `%TAG`) are not used here: delete the line")
            elif kind not in {"StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"}:
                root = self._node(event, events)
        return root

    def _node(self, event: Any, events: "Iterator[Any]") -> Node | None:
        """The node that begins with `event`; None for an empty scalar."""
        kind = type(event).__name__
        if kind == "AliasEvent":
            self._refuse(event, f"`*{event.anchor}` is an alias. Aliases are not used here: write the value again")
        if event.anchor:
            self._refuse(event, f"`&{event.anchor}` is an anchor. Anchors are not used here: quote a text with & first")
        if event.tag:
            self._refuse(event, f"`{event.tag}` is a tag. Tags are not used here: quote a text that begins with !")
        if kind == "ScalarEvent":
            return self._scalar(event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(event, f"this is nested deeper than {MAX_DEPTH} levels")
        node = self._mapping(event, events) if kind == "MappingStartEvent" else self._items(event, events)
        self._depth -= 1
        return node

    def _scalar(self, event: Any) -> Text | None:
        place = self._place(event)
        if event.value == "" and event.style is None:
            return None
        if any("\ud800" <= character <= "\udfff" for character in event.value):
            self._refuse(event, "an escape here names no character")
        return Text(str(event.value), place)

    def _items(self, start: Any, events: "Iterator[Any]") -> Items:
        items: list[Node] = []
        for event in events:
            if type(event).__name__ == "SequenceEndEvent":
                return Items(tuple(items), self._span(start, event))
            node = self._node(event, events)
            if node is None:
                self._note(event, "an entry without a value. Write '' for an empty text, or delete it")
            else:
                items.append(node)
        raise _RefusedError

    def _mapping(self, start: Any, events: "Iterator[Any]") -> Mapping:
        entries: dict[str, tuple[Text, Node]] = {}
        for event in events:
            if type(event).__name__ == "MappingEndEvent":
                return Mapping(tuple(entries.values()), self._span(start, event))
            key = self._node(event, events)
            value = self._node(next(events), events)
            if not isinstance(key, Text):
                self._note(event, "a key must be a plain text")
            elif key.value in entries:
                first = entries[key.value][0].place.at.line
                self._note(event, f"the key `{key.value}` is here twice, first in line {first}")
            elif value is None:
                self._note(event, f"`{key.value}` has no value. Write one, or delete the key")
                # Known to be wrong already: an empty text would lead to a second error about the same.
                entries[key.value] = (key, Items((), key.place))
            else:
                entries[key.value] = (key, value)
        raise _RefusedError

    def _place(self, event: Any) -> Place:
        return self._span(event, event)

    def _span(self, start: Any, end: Any) -> Place:
        return self._file.place(self._start + start.start_mark.index, self._start + end.end_mark.index)

    def _note(self, event: Any, message: str) -> None:
        self._problems.append(self._place(event).problem(message))

    def _refuse(self, event: Any, message: str) -> None:
        self._note(event, message)
        raise _RefusedError
