"""Nodes: what stands in a file, still untyped, each with its place. YAML and Python literals both become nodes."""

from dataclasses import dataclass

from backbone.project.places import Place


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar: always text, whatever it looks like."""

    value: str
    place: Place

    def within(self, start: int, end: int) -> Place:
        """The place of `value[start:end]`; of the whole where it is spelled with escapes or folded lines."""
        found = self.place.file.text.find(self.value, self.place.start, self.place.end)
        if found < 0:
            return self.place
        return Place(self.place.file, found + start, found + end)


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, in the order written. Its keys are unique."""

    entries: tuple[tuple[Text, "Node"], ...]
    place: Place

    def get(self, key: str) -> "Node | None":
        """The value of a key, or None where it isn't given."""
        return next((node for text, node in self.entries if text.value == key), None)


Node = Text | Items | Mapping


def shape_of(node: Node) -> str:
    """What a node is, in words for an error message."""
    return {Text: "a text", Items: "a list", Mapping: "a mapping"}[type(node)]
