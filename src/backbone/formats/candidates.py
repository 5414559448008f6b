"""Candidates: the domains that the values of a text column may have, each with the forms that speak for it.

A candidate is tried where at least half of a sample's values have a shape that it may have (digits as `9`, letters as
`a`, runs as one, `^` for an exponent's e), so that a hundred of them cost what a few do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

from backbone.formats.casting import CLOCK_FORM, DATE_FORM, FLOAT_FORM, ZONE_FORM, cast
from backbone.formats.numbers import APOSTROPHE, BLANK, EITHER, clear_form, grouped
from backbone.formats.words import CURRENCIES, TRUTHS
from backbone.model.files import Column
from backbone.model.names import literal

STEP_FORM = r"[+-]?(0|[1-9]\d{0,17})"
TRUTH = "truth"
"""The shape of a word that may be a truth value."""
MONEY_SIGN = rf"(?:\p{{Sc}}|{'|'.join(CURRENCIES.split())})"
_AMOUNT = r"\d[\d.,' \x{a0}\x{202f}]*"
_PLAIN_SHAPE = r"[+-]?(9\.?9?|\.9)(\^[+-]?9)?"
_SIGNED_SHAPE = r"[+-]?[9.,]+"
_DAY_SHAPE = r"9[-/]9[-/]9"
_CLOCK_SHAPE = r"9:9(:9(\.9)?)?"
_NAMED_SHAPE = r"(a[.,]* ?)?(9\W*a(\W*a)*\W*9|a\W*9a?\W+9)"
_CLOCKS = {
    "": ("", ""),
    " %H:%M": (" 9:9", r" \d?\d:\d\d"),
    " %H:%M:%S": (" 9:9:9", r" \d?\d:\d\d:\d\d"),
    " %I:%M %p": (" 9:9 a", r" \d?\d:\d\d [AaPp][Mm]"),
    " %I:%M:%S %p": (" 9:9:9 a", r" \d?\d:\d\d:\d\d [AaPp][Mm]"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A domain in one form, with the SQL condition (`{v}`: the value) under which a value speaks for it.

    `shape`: a regular expression of the shapes that its values have.
    """

    key: str
    column: Column
    form: str
    shape: str


def _of(key: str, domain: str, form: str, shape: str, column: Column | None = None) -> Candidate:
    return Candidate(key, column or Column("", domain), _matches(form), shape)


def _matches(form: str) -> str:
    return _braced(f"regexp_full_match(\0, {literal(form)})")


def _braced(sql: str) -> str:
    return sql.replace("{", "{{").replace("}", "}}").replace("\0", "{v}")


def _checked(key: str, form: str, shape: str, column: Column) -> Candidate:
    """A candidate whose values have a form, and are what they seem to be: `2024-02-30` isn't."""
    converted = _braced(f"({cast(chr(0), column)}) IS NOT NULL")
    return Candidate(key, column, f"{_matches(form)} AND {converted}" if form else converted, shape)


def _numbers() -> Iterator[Candidate]:
    def float_(decimal: str | None = None, thousands: str | None = None) -> Column:
        return Column("", "float", decimal=decimal, thousands=thousands)

    yield _of("integer", "integer", STEP_FORM, _PLAIN_SHAPE)
    finite = f"{_matches(FLOAT_FORM)} AND isfinite(TRY_CAST({{v}} AS DOUBLE))"
    yield Candidate("number", float_(), finite, _PLAIN_SHAPE)
    comma = rf"[+-]?{grouped('.')}(,\d+)?|[+-]?,\d+"
    yield _of("number, comma", "", comma, _SIGNED_SHAPE, float_(",", "."))
    point = rf"[+-]?{grouped(',')}(\.\d+)?|[+-]?\.\d+"
    yield _of("number, grouped", "", point, _SIGNED_SHAPE, float_(None, ","))
    yield _of("only comma", "", clear_form(",", "."), _SIGNED_SHAPE)
    yield _of("only point", "", clear_form(".", ","), _SIGNED_SHAPE)
    clear = rf"{clear_form(',', '.')}|{clear_form('.', ',')}|[+-]?\d+"
    yield _of("clear", "", clear, _SIGNED_SHAPE, float_(EITHER))
    for name, group, sign in (("spaced", BLANK, " "), ("apostrophes", APOSTROPHE, "['\u2019]")):
        shape = rf"[+-]?9({sign}9)*"
        yield _of(f"{name}, whole", "", rf"[+-]?{grouped(group)}", shape, Column("", "integer", thousands=group))
        for decimal in (None, ","):
            p = re.escape(decimal or ".")
            form = rf"[+-]?{grouped(group)}({p}\d+)?"
            yield _of(f"{name}{decimal or '.'}", "", form, rf"{shape}({p}9)?", float_(decimal, group))
    yield _of("percent", "", rf"[+-]? ?{_AMOUNT} ?%|% ?{_AMOUNT}", r"[+-]? ?[9., ']+ ?%|% ?[9.,]+")
    money = rf"[+-]? ?{MONEY_SIGN} ?[+-]?{_AMOUNT}|[+-]? ?{_AMOUNT}{MONEY_SIGN}"
    yield _of("money", "", money, r"[+-]? ?(\$|a) ?[+-]?[9., ']+|[+-]? ?[9., ']+(\$|a)")


def _moments() -> Iterator[Candidate]:
    def typed(domain: str, form: str | None = None) -> Column:
        return Column("", domain, format=form)

    yield _checked("date", DATE_FORM, _DAY_SHAPE, typed("date"))
    yield _checked("time", CLOCK_FORM, _CLOCK_SHAPE, typed("time"))
    moment, shape = f"{DATE_FORM}[ T]{CLOCK_FORM}", f"{_DAY_SHAPE}[ a]{_CLOCK_SHAPE}"
    yield _checked("timestamp", moment, shape, typed("timestamp"))
    zoned = rf"{shape}( ?a| ?[+-]9(:9)?)"
    yield _checked("timestamp_tz", f"{moment}{ZONE_FORM}", zoned, typed("timestamp_tz"))
    for clock in (" %I:%M %p", " %I:%M:%S %p"):
        shape, form = _CLOCKS[clock]
        yield _checked(clock.strip(), form.strip(), shape.strip(), typed("time", clock.strip()))
    yield _checked("%Y%m%d", r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", "9", typed("date", "%Y%m%d"))


def _numbered_days() -> Iterator[Candidate]:
    """Days with the day, the month or the year first."""
    for (year, digits), clock, separator in product((("%Y", r"\d{4}"), ("%y", r"\d\d")), _CLOCKS, "/-."):
        clock_shape, clock_form = _CLOCKS[clock]
        shape = f"9{re.escape(separator)}9{re.escape(separator)}9{clock_shape}"
        forms = {f"day first %d{separator}%m{separator}{year}{clock}": rf"\d?\d[{separator}]\d?\d[{separator}]{digits}"}
        if separator != ".":
            forms |= {f"month first %m{separator}%d{separator}{year}{clock}": next(iter(forms.values()))}
        if (separator, year) in {(".", "%Y"), ("-", "%y")}:
            first = f"{year}{separator}%m{separator}%d{clock}"
            forms[first] = rf"{digits}[{separator}]\d?\d[{separator}]\d?\d"
        for key, form in forms.items():
            yield _checked(key, form + clock_form, shape, _timed(key.partition(" first ")[2] or key, clock))


def _named_days() -> Iterator[Candidate]:
    """Days whose month has a name."""
    for order, clock in product(("%d %B %Y", "%B %d %Y", "%Y %B %d", "%d %B %y"), _CLOCKS):
        shape = _NAMED_SHAPE + _CLOCKS[clock][0].replace(" ", "[, ]+", 1)
        yield _checked(f"{order}{clock}", "", shape, _timed(order + clock, clock))
    for form in ("%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z"):
        yield _checked(form, "", r"(a, )?9 a 9 9:9:9 [+-]9", Column("", "timestamp_tz", format=form))


def _timed(form: str, clock: str) -> Column:
    return Column("", "timestamp" if clock else "date", format=form)


def _truths() -> Iterator[Candidate]:
    for word in dict.fromkeys(word for pair in TRUTHS for word in pair):
        yield Candidate(f"is {word}", Column("", "boolean"), f"strip_accents(lower({{v}})) = {literal(word)}", TRUTH)


CANDIDATES = (*_numbers(), *_moments(), *_numbered_days(), *_named_days(), *_truths())
BY_KEY = {c.key: c for c in CANDIDATES}


@cache
def with_shape(shape: str) -> frozenset[str]:
    """The keys of the candidates whose values may have a shape."""
    return frozenset(c.key for c in CANDIDATES if re.fullmatch(c.shape, shape))


def shape_of(value: str) -> str:
    """SQL: the shape of a trimmed value."""
    words = dict.fromkeys(word for pair in TRUTHS for word in pair)
    folded = f"strip_accents(lower({value}))"
    shape = f"regexp_replace(left({value}, 60), '([0-9.])[eE]([+-]?[0-9])', '\\1^\\2')"
    for form, by in ((r"[0-9]+", "9"), (r"\p{L}+", "a"), (r"[\s\x{a0}\x{2009}\x{202f}]+", " "), (r"\p{Sc}", "$")):
        shape = f"regexp_replace({shape}, {literal(form)}, {literal(by)}, 'g')"
    return f"CASE WHEN {folded} IN ({', '.join(map(literal, words))}) THEN '{TRUTH}' ELSE {shape} END"
