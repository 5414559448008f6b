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
        text, place = self.place.file.text, self.place
        found = text.find(self.value, place.start, place.end)
        if found >= 0:
            return Place(place.file, found + start, found + end)
        # Indented or folded lines: the same word, counted from the beginning.
        word = self.value[start:end]
        found = place.start - 1
        for _ in range(self.value.count(word, 0, start) + 1 if word else 0):
            found = text.find(word, found + 1, place.end)
            if found < 0:
                return place
        return Place(place.file, found, found + len(word)) if word else place


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
