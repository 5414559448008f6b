"""The same casts as in `casting`, for a third of their price where values are spelled as usual.

DuckDB's own cast is tried on every value. Where a cheap guard proves that the exact cast gives the same (the result is
spelled like the value, or the value has a form in which the two can't differ), that is it; else the exact cast
decides. So the guards may be narrow, but never wide: tests hold them against the exact casts.
"""

from backbone.formats.casting import cast, is_token
from backbone.formats.numbers import is_marked
from backbone.model.domains import sql_type
from backbone.model.files import Column
from backbone.model.names import literal

_DAY = "[1-9]???-??-?[0-9]"
"""With a year of four digits (which the value tells), the dashes have but one place, and so have the digits."""
_MOMENT = f"{_DAY}[ T][012]?:??:?[0-9]"
_MIDNIGHT = "???????????24*"
"""What DuckDB takes for midnight, the day after."""
_ENDINGS = {
    "timestamp": ("", ".[0-9][0-9][0-9]", ".[0-9][0-9][0-9][0-9][0-9][0-9]"),
    "timestamp_tz": ("Z", "", "[+-][0-9][0-9]:[0-9][0-9]"),
}


def quick(value: str, column: Column) -> str:
    """SQL: a cast of a text that is right wherever `guard` says so; NULL where there is none."""
    if not has_guard(column):
        return "NULL"
    if column.format:
        return f"try_strptime({value}, {literal(column.format)})"
    return f"TRY_CAST({value} AS {sql_type(column.domain)})"


def has_guard(column: Column) -> bool:
    """Whether a quick cast can be told to be right."""
    if column.format:
        return column.domain in {"date", "time", "timestamp", "timestamp_tz"} and column.format == column.format.strip()
    plain = not is_marked(column)
    kind = column.domain.partition("(")[0]
    times = {"date", "time", "timestamp", "timestamp_tz"}
    return not column.domain.endswith("[]") and (kind in times | {"boolean"} or (plain and kind in _NUMBERS))


def is_usual(value: str, tried: str, column: Column) -> str:
    """SQL: whether `tried`, the name under which `quick` is to be had, is what the exact cast gives; NULL is as good.

    To be asked of whole rows, so that all of a usual row costs one look: see `settled`.
    """
    return f"({value} IS NULL OR ({_guard(value, tried, column)}))"


def settled(value: str, tried: str, column: Column, tokens: tuple[str, ...] = ()) -> str:
    """SQL: exactly `cast(value, column)`, given `tried`, the name under which `quick` is to be had.

    `tokens` mean *missing*, and no form of the domain has them.
    """
    missing = f"{value} IS NULL"
    if tokens:
        missing += f" OR {is_token(value, tokens)}"
    exact = f"WHEN {missing} THEN NULL ELSE {cast(value, column)} END"
    if not has_guard(column):
        return f"CASE {exact}"
    return f"CASE WHEN {_guard(value, tried, column)} THEN {tried_value(tried, column)} {exact}"


def tried_value(tried: str, column: Column) -> str:
    """SQL: what was tried, in the column's domain."""
    return f"CAST({tried} AS {sql_type(column.domain)})" if column.format else tried


def usual(value: str, domain: str) -> str:
    """SQL: a value of a domain's own type, or NULL where the exact cast of its text would be: not finite, odd years."""
    kind = domain.partition("(")[0]
    if kind == "float":
        return f"CASE WHEN isfinite({value}) THEN {value} END"
    if kind in {"date", "timestamp", "timestamp_tz"}:
        first, last = (f"CAST({literal(day)} AS {sql_type(domain)})" for day in ("0001-01-01", "9999-12-31"))
        return f"CASE WHEN {value} BETWEEN {first} AND {last} THEN {value} END"
    return value


_NUMBERS = frozenset({"integer", "decimal", "float"})


def _guard(value: str, tried: str, column: Column) -> str:
    kind = column.domain.partition("(")[0]
    if column.format:
        return f"year({tried}) >= 1000" if "%Y" in column.format else f"{tried} IS NOT NULL"
    if kind == "boolean":
        return f"{tried} IS NOT NULL"
    if kind == "float":
        # Not `+-5`, not `1_000`; what begins so and is no number, DuckDB's cast refuses.
        return f"isfinite({tried}) AND {value} >= '-' AND {value} < ':' AND NOT contains({value}, '_')"
    if kind == "date":
        return f"{tried} >= DATE '1000-01-01' AND {value} GLOB {literal(_DAY)}"
    if kind in _ENDINGS:
        forms = " ".join(f"WHEN {value} GLOB {literal(_MOMENT + end)} THEN true" for end in _ENDINGS[kind])
        year = f"{tried} >= CAST('1000-01-01' AS {sql_type(column.domain)})"
        return f"{year} AND NOT ({value} GLOB {literal(_MIDNIGHT)}) AND CASE {forms} ELSE false END"
    same = f"CAST({tried} AS VARCHAR) = {value}"
    return f"{same} AND {value} < '24'" if kind == "time" else same
