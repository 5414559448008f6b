"""Functions of dates and moments. Sessions run in UTC: a moment with a zone is one without, and the other way round."""

from collections.abc import Callable, Mapping

from backbone.engine.spark.arguments import Argument, Call
from backbone.engine.spark.kinds import MOMENTS, spark_type, text_sql
from backbone.engine.spark.patterns import java_format

Entry = tuple[str | Callable[[Call], str], str]
_UNITS = {"year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond"}
_ALIASES = {"years": "year", "months": "month", "days": "day", "hours": "hour", "minutes": "minute", "weeks": "week",
            "seconds": "second", "quarters": "quarter", "y": "year", "mon": "month", "d": "day", "h": "hour",
            "m": "minute", "s": "second", "w": "week", "milliseconds": "millisecond", "microseconds": "microsecond",
            "ms": "millisecond", "us": "microsecond"}  # fmt: skip
_PARTS: Mapping[str, str] = {
    "year": "year({0})", "quarter": "quarter({0})", "month": "month({0})", "day": "dayofmonth({0})",
    "dayofmonth": "dayofmonth({0})", "dayofyear": "dayofyear({0})", "dayofweek": "(dayofweek({0}) - 1)",
    "weekday": "(dayofweek({0}) - 1)", "isodow": "(weekday({0}) + 1)", "week": "weekofyear({0})",
    "weekofyear": "weekofyear({0})", "isoyear": "extract(YEAROFWEEK FROM {0})",
}  # fmt: skip
_CLOCK: Mapping[str, str] = {"hour": "hour({0})", "minute": "minute({0})", "second": "second({0})"}
_MICROS: Mapping[str, int] = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000, "millisecond": 1_000,
                              "microsecond": 1}  # fmt: skip


def _moment(arg: Argument) -> str:
    """A moment with a zone, as Spark's functions want it."""
    return arg.sql if spark_type(arg.kind) == "TIMESTAMP" else f"CAST({arg.sql} AS TIMESTAMP)"


def _micros(arg: Argument) -> str:
    return f"unix_micros({_moment(arg)})"


def _part(made: str) -> Callable[[Call], str]:
    def part(call: Call) -> str:
        return f"CAST({made.format(call.args[0].sql)} AS BIGINT)"

    return part


def _clock(made: str) -> Callable[[Call], str]:
    def part(call: Call) -> str:
        if call.args[0].kind.name not in MOMENTS:
            raise call.refuse()
        return f"CAST({made.format(call.args[0].sql)} AS BIGINT)"

    return part


def _unit(call: Call) -> str:
    said = str(call.args[0].constant).lower()
    unit = _ALIASES.get(said, said)
    if unit not in _UNITS:
        raise call.refuse(f"the unit '{said}' of {call.name}")
    return unit


def _truncated(call: Call) -> str:
    return f"CAST(date_trunc('{_unit(call).upper()}', {_moment(call.args[1])}) AS {spark_type(call.kind)})"


def _difference(call: Call) -> str:
    unit, start, end = _unit(call), call.args[1], call.args[2]
    days = [f"CAST({arg.sql} AS DATE)" for arg in (start, end)]
    if unit == "day":
        return f"CAST(datediff({days[1]}, {days[0]}) AS BIGINT)"
    if unit == "week":
        if start.kind.name != "DATE":
            raise call.refuse("date_diff in weeks of moments", "Cast them to DATE")
        return f"(datediff({days[1]}, {days[0]}) div 7)"
    if unit in {"year", "quarter", "month"}:
        per, part = {"year": (1, "1"), "quarter": (4, "quarter({0})"), "month": (12, "month({0})")}[unit]
        numbers = [f"(year({day}) * {per} + {part.format(day)})" for day in days]
        return f"CAST({numbers[1]} - {numbers[0]} AS BIGINT)"
    numbers = [f"floor({_micros(arg)} / {_MICROS[unit]}D)" for arg in (start, end)]
    if unit == "microsecond":
        numbers = [_micros(arg) for arg in (start, end)]
    return f"CAST({numbers[1]} - {numbers[0]} AS BIGINT)"


def _formatted(call: Call) -> str:
    moment, pattern = call.args
    if moment.kind.name == "VARCHAR":
        moment, pattern = pattern, moment
    return f"date_format({moment.sql}, {text_sql(java_format(str(pattern.constant)))})"


def _epoch(call: Call) -> str:
    if call.args[0].kind.name == "INTERVAL":
        raise call.refuse(near="Subtract epochs: epoch(a) - epoch(b)")
    return f"({_micros(call.args[0])} / 1000000D)"


def _moved(call: Call) -> str:
    """DATE ± INTEGER, DATE - DATE, and moments ± intervals."""
    left, right = call.args
    if left.kind.name == "INTERVAL" and call.name == "+":
        left, right = right, left
    if right.kind.name == "INTERVAL":
        start = left.sql if left.kind.name in MOMENTS else f"CAST({left.sql} AS TIMESTAMP_NTZ)"
        return f"CAST({start} {call.name} {right.sql} AS {spark_type(call.kind)})"
    if left.kind.name == "DATE" and right.kind.name == "DATE" and call.name == "-":
        return f"CAST(datediff({left.sql}, {right.sql}) AS BIGINT)"
    if left.kind.name != "DATE" and call.name == "+":
        left, right = right, left
    if left.kind.name != "DATE" or right.kind.name != "INTEGER":
        raise call.refuse(near="Use date_diff")
    return f"date_{'add' if call.name == '+' else 'sub'}({left.sql}, {right.sql})"


_TO: Mapping[str, tuple[int, str]] = {
    "to_years": (0, "{0}"), "to_months": (1, "{0}"), "to_weeks": (2, "{0}"), "to_days": (3, "{0}"),
    "to_hours": (4, "{0}"), "to_minutes": (5, "{0}"), "to_seconds": (6, "CAST({0} AS DECIMAL(18,6))"),
}  # fmt: skip


def _made_interval(name: str) -> Callable[[Call], str]:
    def made(call: Call) -> str:
        place, part = _TO[name]
        parts = ["0"] * 6 + ["CAST(0 AS DECIMAL(18,6))"]
        value = call.args[0].sql
        parts[place] = part.format(value) if place == 6 else f"CAST({value} AS INT)"  # noqa: PLR2004 - seconds
        return f"make_interval({', '.join(parts)})"

    return made


DATES: Mapping[str, Entry] = {
    **{name: (_part(made), "") for name, made in _PARTS.items()},
    **{name: (_clock(made), "of moments, not of times of day") for name, made in _CLOCK.items()},
    "date_trunc": (_truncated, "to a constant unit, year to microsecond"),
    "datetrunc": (_truncated, "to a constant unit, year to microsecond"),
    "date_diff": (_difference, "in a constant unit, year to microsecond"),
    "datediff": (_difference, "in a constant unit, year to microsecond"),
    "strftime": (_formatted, "with a constant format of %Y %m %d %H %M %S %f %y %j %b %B %a %A %p %I"),
    "epoch": (_epoch, "of dates and moments"),
    "epoch_ms": (lambda c: f"({_micros(c.args[0])} div 1000)", "of dates and moments"),
    "epoch_us": (lambda c: _micros(c.args[0]), "of dates and moments"),
    "last_day": (lambda c: f"last_day({c.args[0].sql})", ""),
    "make_date": (lambda c: f"make_date({', '.join(f'CAST({a.sql} AS INT)' for a in c.args)})", ""),
    "dayname": (lambda c: f"date_format({c.args[0].sql}, 'EEEE')", ""),
    "monthname": (lambda c: f"date_format({c.args[0].sql}, 'MMMM')", ""),
    "+ and - of moments": (_moved, "days, and intervals of constants or to_days(…), to_months(…), …"),
    **{name: (_made_interval(name), "added to a moment") for name in _TO},
}
