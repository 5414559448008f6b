"""How the characters of a delimited file become records."""

from dataclasses import dataclass

from backbone.model.files import Template


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the characters of a delimited file become records.

    Without quotes `quotechar` is empty. `escapechar` is the quote itself where quotes within a value are doubled.
    """

    delimiter: str = ","
    quotechar: str = '"'
    escapechar: str = '"'


def dialect_of(template: Template) -> Dialect:
    """The dialect that a template describes."""
    return Dialect(template.delimiter, template.quotechar, template.escapechar)
