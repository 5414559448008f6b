"""Values from the data as a terminal may show them."""

from collections.abc import Mapping

from backbone.cli.writing import plain_text

Part = str | tuple[str, str]
"""Some text, plain or with a style such as `bold`."""


def printable(text: str) -> str:
    """Text without control characters: a value from the data can't move the cursor or break a line."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def shown(value: object) -> Part:
    """A value from the data as a table shows it: null and the empty text can be told apart."""
    return ("∅", "dim") if value is None else plain_text(value) or ('""', "dim")


def pairs(values: Mapping[str, object]) -> str:
    """A row as `name=value …`."""
    return " ".join(f"{name}={'∅' if value is None else plain_text(value)}" for name, value in values.items())
