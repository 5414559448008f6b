"""Marks that people write for *missing*: which of them mean it, column by column, by evidence."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backbone.model.files import Column, Template

EMPTY = ("",)
MARKERS = (
    "na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>", "null", "(null)", "<null>", "none", "nan", "-nan", "nat", "nil",
    "\\n", "-", "--", "---", "?", "??", ".", "..", "#value!", "#div/0!", "#ref!", "missing", "unknown", "undefined",
)  # fmt: skip
"""Compared with whole trimmed values in lower case."""
_WORDS = frozenset({"missing", "unknown", "undefined", "nil"})
"""Markers that say something in a text column, and are only missing values among numbers, dates and booleans."""
_SAME_SHAPE = 0.01
_WORD_SLACK = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """A form that values of a text column have: runs of letters, digits and blanks collapsed to one."""

    text: str
    count: int
    shortest: int
    longest: int


def collapsed(value: str) -> str:
    """The shape of one value, as `shape_sql` has it.

    Example:
        >>> collapsed("America/New_York")
        'Aa/Aa_Aa'
    """
    for form, letter in _RUNS:
        value = re.sub(form, letter, value)
    return value


def shape_sql(value: str) -> str:
    """SQL: the shape of a value."""
    for form, letter in _RUNS:
        value = f"regexp_replace({value}, '{form}', '{letter}', 'g')"
    return value


_RUNS = (("[0-9]+", "9"), ("[A-ZÀ-ÖØ-Þ]+", "A"), ("[a-zß-öø-ÿ]+", "a"), (r"\s+", " "))


def missing_in_text(markers: Mapping[str, int], shapes: Sequence[Shape]) -> dict[str, int]:
    """Those markers of a text column that don't look like its other values, so that they mean *missing*.

    A marker looks like them if at least 1% of them have its shape and its length is within theirs (words in small
    letters may be two letters shorter; codes have their length): `NA` among country codes, `Null` among surnames.
    Such values stay what they are.
    """
    total = sum(shape.count for shape in shapes)
    return {
        marker: count
        for marker, count in markers.items()
        if marker.casefold() not in _WORDS and not _looks_like(marker, shapes, total)
    }


def _looks_like(marker: str, shapes: Sequence[Shape], total: int) -> bool:
    return any(
        shape.text == collapsed(marker)
        and shape.count >= _SAME_SHAPE * total
        and shape.shortest - (_WORD_SLACK if "a" in shape.text else 0) <= len(marker) <= shape.longest
        for shape in shapes
    )


def tokens_of(column: Column, template: Template) -> tuple[str, ...]:
    """What means *missing* in a column: its own tokens or the template's; in CSV the empty text always does."""
    tokens = template.null_tokens if column.null_tokens is None else column.null_tokens
    return tuple(dict.fromkeys((*EMPTY, *tokens))) if template.format == "csv" else tokens
