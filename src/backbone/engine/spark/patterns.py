"""Patterns: regular expressions from RE2's to Java's dialect, and formats of dates from C's to Java's."""

import re
from collections.abc import Mapping

from backbone.engine.spark.refusal import refuse

_PATTERN = re.compile(
    r"\\(?P<escape>.)|(?P<class>\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\])|(?P<group>\(\?:)|(?P<odd>\(\?)|(?P<possessive>[*+?}]\+)"
    r"|(?P<end>\$)|(?P<plain>.)",
    re.DOTALL,
)
_SPACE = r"\t\n\f\r "
_SAME = set("dDwWtnrf.()[]{}*+?|^$\\/-_\"'#@!%&,:;<>=~ `")
FORMATS: Mapping[str, str] = {
    "Y": "yyyy", "m": "MM", "d": "dd", "H": "HH", "M": "mm", "S": "ss", "y": "yy", "j": "DDD", "b": "MMM",
    "B": "MMMM", "a": "EEE", "A": "EEEE", "p": "a", "I": "hh", "f": "SSSSSS",
}  # fmt: skip
"""Java's pattern letters for the letters of `strftime`."""


def java_pattern(pattern: str, options: str = "") -> str:
    """A regular expression that finds in Java what RE2 finds.

    Raises:
        NotOnSparkError: it has something that the two read in different ways, or may.
    """
    if not set(options) <= set("icsg"):
        raise refuse(f"the option '{options}' of a regular expression")
    # (?d): as in RE2, only \n ends a line.
    flags = "d" + ("iu" if "i" in options else "") + ("s" if "s" in options else "")
    return f"(?{flags})" + "".join(_java(found) for found in _PATTERN.finditer(pattern))


def _java(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "escape":
            return _escape(found["escape"])
        case "class":
            return _class(found["class"])
        case "end":
            return r"\z"
        case "odd" | "possessive":
            raise refuse(f"'{found[0]}' in a regular expression", word=found[0])
        case _:
            return found[0]


def _escape(letter: str) -> str:
    if letter == "s":
        return f"[{_SPACE}]"
    if letter == "S":
        return f"[^{_SPACE}]"
    if letter not in _SAME:
        raise refuse(f"'\\{letter}' in a regular expression", word=f"\\{letter}")
    return f"\\{letter}"


def _class(text: str) -> str:
    inner = text[1:-1]
    if "[" in inner or "&&" in inner or inner[:1] == "]" or inner[:2] == "^]" or "\\S" in inner:
        raise refuse(f"'{text}' in a regular expression", word=text)
    for letter in re.findall(r"\\(.)", inner):
        if letter not in _SAME | {"s"}:
            raise refuse(f"'\\{letter}' in a regular expression", word=f"\\{letter}")
    return "[" + inner.replace("\\s", _SPACE) + "]"


def java_replacement(text: str) -> str:
    r"""What matches are replaced by: `\1` is RE2's first group, `$1` Java's."""
    parts = re.split(r"(\\.)", text)
    return "".join(_replaced(part) for part in parts)


def _replaced(part: str) -> str:
    if part[:1] == "\\":
        return f"${part[1]}" if part[1:].isdigit() else "\\\\" if part == "\\\\" else part
    return part.replace("$", "\\$")


def java_format(text: str) -> str:
    """A format of `strftime` as a pattern of Java's `DateTimeFormatter`.

    Raises:
        NotOnSparkError: it has a letter that has no equal.
    """
    made = []
    for found in re.finditer(r"%(-?.)|([^%]+)", text, re.DOTALL):
        if found[2]:
            made.append(
                "'" + found[2].replace("'", "''") + "'" if re.search(r"[A-Za-z'\[\]{}#]", found[2]) else found[2]
            )
        elif found[1] == "%":
            made.append("%")
        elif found[1] in FORMATS:
            made.append(FORMATS[found[1]])
        else:
            raise refuse(f"'{found[0]}' in a format", word=found[0])
    return "".join(made)
