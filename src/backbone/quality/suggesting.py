"""What a value that breaks a rule may have been meant to be: one of the values that the rule allows."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from backbone.model.rules import Rule
from backbone.quality.predicates import texts

_ALIKE, _AHEAD = 0.8, 0.1


def suggested(rule: Rule, values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Columns of a row that breaks a rule, with values that would mend it; none where several are as near.

    Example:
        >>> rule = Rule("one_of", "one_of(size)", ("size",), params=(("values", ("small", "large")),))
        >>> suggested(rule, {"size": "Smal"})
        (('size', 'small'),)
    """
    if rule.kind != "one_of":
        return ()
    allowed = texts(rule.param("values"))
    pairs = ((column, _nearest(str(values[column]), allowed)) for column in rule.columns if values.get(column))
    return tuple((column, value) for column, value in pairs if value is not None)


def _nearest(value: str, allowed: Sequence[str]) -> str | None:
    """The one allowed value that is equal but for case and blanks, or clearly nearer than all others."""
    if value in allowed:
        return None
    folded = [one for one in allowed if _folded(one) == _folded(value)]
    if len(folded) == 1:
        return folded[0]
    ranked = sorted(
        ((SequenceMatcher(None, _folded(value), _folded(one)).ratio(), one) for one in allowed), reverse=True
    )
    best, rest = ranked[0], [score for score, _ in ranked[1:2]]
    return best[1] if best[0] >= _ALIKE and (not rest or best[0] - rest[0] >= _AHEAD) else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
