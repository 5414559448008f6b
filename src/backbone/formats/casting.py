"""Text to domains, exactly: a value that a domain can't hold becomes NULL, never a rounded or shifted one.

DuckDB's own casts are too willing for that: `CAST('12.7' AS BIGINT)` is 13, `'1e3'`, `'0x1F'` and `'1_000'` are
integers, `'2013-01-05T10:00+02:00'` loses its zone as a TIMESTAMP, `'infinity'` is a date. So the form of a value is
checked first (RE2, about 40 ns a value), then it is cast.
"""

import re

from backbone.formats.moments import parsed
from backbone.formats.numbers import fits, plain
from backbone.formats.words import TRUTHS
from backbone.model.domains import sql_type
from backbone.model.files import Column
from backbone.model.names import literal

INTEGER_FORM = r"[+-]?\d+"
FLOAT_FORM = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
DATE_FORM = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
CLOCK_FORM = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6}0*)?)?"
ZONE_FORM = r"(Z| ?UTC| ?GMT| ?[+-]\d\d(:?\d\d)?)"
_MIDNIGHT = r"([ T]00?:00(:00(\.0+)?)?)?"
_TRUE = (*dict.fromkeys(yes for yes, _ in TRUTHS), "1")
_FALSE = (*dict.fromkeys(no for _, no in TRUTHS), "0")
_EARLIEST_YEAR = 1000


def present(value: str, tokens: tuple[str, ...]) -> str:
    """SQL: the value, or NULL where all of it, trimmed, is a token that means *missing*."""
    return f"CASE WHEN {is_token(value, tokens)} THEN NULL ELSE {value} END" if tokens else value


def is_token(value: str, tokens: tuple[str, ...]) -> str:
    """SQL: whether all of a value, trimmed, is one of the tokens. An expression, since trimming costs four times it."""
    if not tokens:
        return "false"
    whole = fits(value, "|".join(re.escape(token.strip()) for token in tokens))
    return f"CASE WHEN {_maybe_token(value, tokens)} THEN {whole} ELSE false END"


def _maybe_token(value: str, tokens: tuple[str, ...]) -> str:
    """SQL: whether a value begins with a blank or is a token, with whatever blanks behind; ten times cheaper.

    Blanks are the characters before `!`, so all of this is comparisons.
    """
    words = dict.fromkeys(token.strip() for token in tokens)
    ranges = [f"({value} >= {literal(w)} AND {value} < {literal(w + '!')})" for w in words if w]
    return "(" + " OR ".join((f"{value} < '!'", *ranges)) + ")"


def trimmed(value: str) -> str:
    r"""SQL: a text without blanks at both ends (space, tab, line ends, no-break space)."""
    return f"trim({value}, ' ' || chr(9) || chr(10) || chr(13) || chr(160))"


def cast(value: str, column: Column) -> str:
    """SQL: a text in a column's domain, or NULL where the domain can't hold it."""
    if column.domain.endswith("[]"):
        return f"list_transform({value}, lambda e: {_scalar('e', column, column.domain[:-2])})"
    return _scalar(value, column, column.domain)


def misfits(value: str, column: Column) -> str:
    """SQL: whether a value is there and its column's domain can't hold it."""
    if column.domain.endswith("[]"):
        element = f"e IS NOT NULL AND ({_scalar('e', column, column.domain[:-2])}) IS NULL"
        return f"coalesce(len(list_filter({value}, lambda e: {element})) > 0, false)"
    if column.domain == "text":
        return "false"
    return f"({value} IS NOT NULL AND ({cast(value, column)}) IS NULL)"


def no_such(domain: str) -> str:
    """The end of the sentence `'abc' is …`.

    Example:
        >>> no_such("integer")
        'no integer'
    """
    words = {"timestamp_tz": "no timestamp with time zone", "json": "no JSON"}
    return words.get(domain, f"no {domain}")


def _scalar(value: str, column: Column, domain: str) -> str:
    kind = domain.partition("(")[0]
    if kind in {"integer", "decimal", "float"}:
        return _number(value, column, domain)
    if kind in {"date", "time", "timestamp", "timestamp_tz"}:
        return _formatted(value, column.format, domain) if column.format else _iso(value, domain)
    if kind == "boolean":
        return _boolean(value)
    if kind == "json":
        return f"CASE WHEN json_valid({value}) THEN CAST({value} AS JSON) END"
    return f"TRY_CAST({value} AS BLOB)" if kind == "binary" else value


def _number(value: str, column: Column, domain: str) -> str:
    text = plain(value, column)
    if domain == "integer":
        form = INTEGER_FORM
    elif domain == "float":
        form = FLOAT_FORM
    else:
        scale = domain[len("decimal(") : -1]
        form = rf"[+-]?(\d+(\.\d{{0,{scale}}}0*)?|\.\d{{1,{max(int(scale), 1)}}}0*)"
    number = f"TRY_CAST({text} AS {sql_type(domain)})"
    if domain == "float":
        return f"CASE WHEN {fits(text, form)} AND isfinite({number}) THEN {number} END"
    return f"CASE WHEN {fits(text, form)} THEN {number} END"


def _boolean(value: str) -> str:
    folded = f"strip_accents(lower({trimmed(value)}))"
    # Not `IN (…)`: DuckDB makes a join of a long one, which looks at every value, whatever CASE it is in.
    words = ((word, truth) for words, truth in ((_TRUE, "true"), (_FALSE, "false")) for word in words)
    return f"CASE {folded} {' '.join(f'WHEN {literal(word)} THEN {truth}' for word, truth in words)} END"


def _iso(value: str, domain: str) -> str:
    clock = {
        "date": f"{DATE_FORM}{_MIDNIGHT}",
        "time": CLOCK_FORM,
        "timestamp": f"{DATE_FORM}([ T]{CLOCK_FORM})?",
        "timestamp_tz": f"{DATE_FORM}([ T]{CLOCK_FORM}{ZONE_FORM}?)?",
    }[domain]
    kind = sql_type(domain)
    moment = f"TRY_CAST({trimmed(value)} AS {kind})"
    if domain == "timestamp_tz":  # DuckDB reads no zone after a time without seconds, nor an offset after a blank
        closed = f"regexp_replace({trimmed(value)}, ' ?([+-]\\d\\d(:?\\d\\d)?)$', '\\1')"
        timed = f"regexp_replace({closed}, '([ T]\\d?\\d:\\d\\d)(Z| ?UTC| ?GMT|[+-].*)$', '\\1:00\\2')"
        moment = f"coalesce({moment}, TRY_CAST({closed} AS {kind}), TRY_CAST({timed} AS {kind}))"
    return f"CASE WHEN {fits(value, clock)} THEN {moment} END"


def _formatted(value: str, form: str | None, domain: str) -> str:
    moment = parsed(trimmed(value), form or "")
    cast_to = f"CAST({moment} AS {sql_type(domain)})"
    if "%Y" not in (form or ""):
        return cast_to
    # `%Y` takes 13 for the year 13, which nobody means.
    return f"CASE WHEN year({moment}) >= {_EARLIEST_YEAR} THEN {cast_to} END"
