"""The same casts as in `casting`, for a third of their price where values are spelled as usual.

DuckDB's own cast is tried on every value. Where a cheap guard proves that the exact cast gives the same (the result is
spelled like the value, or the value has a form in which the two can't differ), that is it; else the exact cast
decides. So the guards may be narrow, but never wide: tests hold them against the exact casts.
"""

from backbone.formats.casting import cast, is_token
from backbone.model.domains import sql_type
from backbone.model.files import Column
from backbone.model.names import literal

_DATE_LENGTH = 10
_SECOND_LENGTH = 19
_CLOCKS = {"timestamp": ("__:__:__",), "timestamp_tz": ("__:__:__Z", "__:__:__", "__:__:______:__")}


def quick(value: str, column: Column) -> str:
    """SQL: a cast of a text that is right wherever `guard` says so; NULL where there is none."""
    if not _has_guard(column):
        return "NULL"
    if column.format:
        return f"try_strptime({value}, {literal(column.format)})"
    return f"TRY_CAST({value} AS {sql_type(column.domain)})"


def settled(value: str, tried: str, column: Column, tokens: tuple[str, ...] = ()) -> str:
    """SQL: exactly `cast(value, column)`, given `tried`, the name under which `quick` is to be had.

    `tokens` mean *missing*, and no form of the domain has them.
    """
    missing = f"{value} IS NULL"
    if tokens:
        missing += f" OR {is_token(value, tokens)}"
    exact = f"WHEN {missing} THEN NULL ELSE {cast(value, column)} END"
    if not _has_guard(column):
        return f"CASE {exact}"
    result = f"CAST({tried} AS {sql_type(column.domain)})" if column.format else tried
    return f"CASE WHEN {_guard(value, tried, column)} THEN {result} {exact}"


def usual(value: str, domain: str) -> str:
    """SQL: a value of a domain's own type, or NULL where the exact cast of its text would be: not finite, odd years."""
    kind = domain.partition("(")[0]
    if kind == "float":
        return f"CASE WHEN isfinite({value}) THEN {value} END"
    if kind in {"date", "timestamp", "timestamp_tz"}:
        first, last = (f"CAST({literal(day)} AS {sql_type(domain)})" for day in ("0001-01-01", "9999-12-31"))
        return f"CASE WHEN {value} BETWEEN {first} AND {last} THEN {value} END"
    return value


def _has_guard(column: Column) -> bool:
    if column.format:
        return column.domain in {"date", "time", "timestamp", "timestamp_tz"} and column.format == column.format.strip()
    plain = not column.thousands and column.decimal in {None, "."}
    kind = column.domain.partition("(")[0]
    times = {"date", "time", "timestamp", "timestamp_tz"}
    return not column.domain.endswith("[]") and (kind in times | {"boolean"} or (plain and kind in _NUMBERS))


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
    same = f"CAST({tried} AS VARCHAR) = {value}"
    if kind in _CLOCKS:
        by_t = " OR ".join(f"{value} LIKE '____-__-__T{clock}'" for clock in _CLOCKS[kind])
        by_blank = " OR ".join(f"{value} LIKE '____-__-__ {clock}'" for clock in _CLOCKS[kind])
        digit = f"substr({value}, {_DATE_LENGTH}, 1) BETWEEN '0' AND '9'"
        hour = f"substr({value}, {_DATE_LENGTH + 2}, 2) BETWEEN '00' AND '23'"
        forms = f"({by_t} OR (({by_blank}) AND {digit}))"
        spelled = f"({value} >= '0' AND {value} < ':' AND {forms} AND {hour} AND NOT contains({value}, '.'))"
        return f"strlen({value}) = {_SECOND_LENGTH} AND {same} OR {spelled}" if kind == "timestamp" else spelled
    if kind == "date":
        return f"strlen({value}) = {_DATE_LENGTH} AND {same}"
    return f"{same} AND {value} < '24'" if kind == "time" else same
