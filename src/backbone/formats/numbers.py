r"""Numbers as people write them: SQL that makes a text plain (`-1234.5`), or NULL where it isn't written so.

What a column says of its numbers is data: `decimal`, the sign before the fraction (`.,`: either, as each value shows);
`thousands`, the sign between groups (a blank is any kind of blank, `'` any apostrophe); `unit`, what stands before or
after a number.
"""

import re

from backbone.model.files import Column
from backbone.model.names import literal

BLANK, APOSTROPHE, EITHER = " ", "'", ".,"
_BLANKS = r"[\s\v]*"
_EXPONENT = r"([eE][+-]?\d+)?"
_GROUPS = {BLANK: r"[ \x{a0}\x{2009}\x{202f}]", APOSTROPHE: r"['\x{2019}]"}


def is_marked(column: Column) -> bool:
    """Whether a column's numbers aren't plain ones."""
    return bool(column.thousands or column.unit) or column.decimal not in {None, "."}


def fits(value: str, form: str) -> str:
    """SQL: whether all of a text, blanks around it apart, has a form (a regular expression)."""
    return f"regexp_full_match({value}, {literal(_BLANKS + '(?:' + form + ')' + _BLANKS)})"


def grouped(separator: str) -> str:
    """The form of digits in groups: of three, or after the first of two, as in India; or in none."""
    sign = _GROUPS.get(separator, re.escape(separator))
    return rf"(?:\d{{1,3}}(?:{sign}\d{{3}})+|\d{{1,2}}(?:{sign}\d{{2}})+{sign}\d{{3}}|\d+)"


def clear_form(point: str, group: str) -> str:
    """Numbers that tell by themselves which sign is the `point`: the last of two, or one that can't be the `group`'s.

    `1.234` doesn't: it may be 1234. The digits alone aren't among them.
    """
    p, g = re.escape(point), re.escape(group)
    lone = rf"\d+{p}(\d{{1,2}}|\d{{4,}})|\d{{4,}}{p}\d+|0{p}\d+|{p}\d+"
    three, two = rf"\d{{1,3}}({g}\d{{3}})", rf"\d{{1,2}}({g}\d{{2}})+{g}\d{{3}}({p}\d+)?"
    return rf"[+-]?({lone}|{three}+{p}\d+|{three}{{2,}}|{two})"


def plain(value: str, column: Column) -> str:
    """SQL: a number's text as it would be without the marks that its column has, NULL if it isn't written with them."""
    text = _without_unit(value, column.unit) if column.unit else value
    if column.decimal == EITHER:
        commas, points = clear_form(",", ".") + _EXPONENT, rf"(?:{clear_form('.', ',')}|[+-]?\d+){_EXPONENT}"
        comma = f"replace(replace({text}, '.', ''), ',', '.')"
        return (
            f"CASE WHEN {fits(text, points)} THEN replace({text}, ',', '') WHEN {fits(text, commas)} THEN {comma} END"
        )
    point = column.decimal or "."
    if not column.thousands and point == ".":
        return text
    group = column.thousands or ""
    digits = grouped(group) if group else r"\d+"
    p = re.escape(point)
    form = rf"[+-]?({digits}({p}\d*)?|{p}\d+){_EXPONENT}"
    bare = _without(text, group) if group else text
    bare = f"replace({bare}, {literal(point)}, '.')" if point != "." else bare
    return f"CASE WHEN {fits(text, form)} THEN {bare} END"


def _without(value: str, group: str) -> str:
    if group in _GROUPS:
        return f"regexp_replace({value}, {literal(_GROUPS[group])}, '', 'g')"
    return f"replace({value}, {literal(group)}, '')"


def _without_unit(value: str, units: tuple[str, ...]) -> str:
    """SQL: a text without the unit before it, be the sign of the number before or behind it, or after it."""
    words = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
    before = rf"^{_BLANKS}([+-]?){_BLANKS}(?:{words}){_BLANKS}"
    after = rf"{_BLANKS}(?:{words}){_BLANKS}$"
    return f"regexp_replace(regexp_replace({value}, {literal(before)}, '\\1'), {literal(after)}, '')"
