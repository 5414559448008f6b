"""Dates and times as a format says (as in strptime), with months named in any of the known languages."""

import re

from backbone.formats.words import LINKS, MONTHS, WEEKDAYS
from backbone.model.names import literal

_SEPARATORS = r"[\s,./-]+"
_NAMES = ("%b", "%B")
_DAY_NAMES = re.compile(r"%[aA][.,]?\s*")


def has_names(form: str) -> bool:
    """Whether months are named in any language; with a zone, as in the heads of mails, the names are English."""
    return any(name in form for name in _NAMES) and "%z" not in form


def parsed(value: str, form: str) -> str:
    """SQL: the moment that a trimmed text says in a format, or NULL."""
    if has_names(form):
        return f"try_strptime({_numbered(value)}, {literal(_numbered_form(form))})"
    return f"try_strptime({value}, {literal(form)})"


def _numbered(value: str) -> str:
    """SQL: `Sábado, 5 de enero de 2013` as `5-m01-2013`. A word that isn't known stays, so that it's no date."""
    text = f"strip_accents(lower({value}))"
    text = _replaced(text, rf"^({_any(WEEKDAYS)})[.,]*\s+", "", "")
    text = _replaced(text, r"(\d)(?:(st|nd|rd|th|er)([^a-z]|$)|[ºª°])", r"\1\3", "")
    for number, names in enumerate(MONTHS, 1):
        text = _replaced(text, rf"(^|[^a-z])(?:{_any(names)})([^a-z]|$)", rf"\1-m{number:02}-\2", "")
    text = _replaced(text, rf"(^|[^a-z])(?:{_any(LINKS)})([^a-z]|$)", r"\1-\2")
    text = _replaced(text, r"'", "-")
    return f"trim({_replaced(text, _SEPARATORS, '-')}, '-')"


def _numbered_form(form: str) -> str:
    text = _DAY_NAMES.sub("", form).replace("%b", "-m%m-").replace("%B", "-m%m-")
    text = re.sub(rf"(?<![a-zA-Z%])(?:{_any(LINKS)})(?![a-zA-Z])", "-", text)
    return re.sub(_SEPARATORS, "-", text).strip("-")


def _any(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


def _replaced(value: str, form: str, by: str, options: str = "g") -> str:
    return f"regexp_replace({value}, {literal(form)}, {literal(by)}, {literal(options)})"
