"""Constants of a bound plan, as Spark's SQL."""

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from backbone.engine.spark.kinds import FLOATS, HUGE, INTEGERS, MOMENTS, Kind, kind_of, name_sql, spark_type, text_sql
from backbone.engine.spark.refusal import refuse


def constant_sql(value: dict[str, Any]) -> str:
    """A constant: `{"type": …, "is_null": …, "value": …}`."""
    kind = kind_of(value["type"])
    if value["is_null"]:
        return f"CAST(NULL AS {spark_type(kind)})" if kind.name != "NULL" else "NULL"
    return _value_sql(value["value"], kind)


def whole(value: Any) -> int:
    """A whole number, which has two halves where it is a large one."""
    return int(value) if not isinstance(value, dict) else (int(value["upper"]) << 64) + int(value["lower"])


def _value_sql(value: Any, kind: Kind) -> str:  # noqa: PLR0911 - a type a line
    name = kind.name
    if name == "BOOLEAN":
        return "true" if value else "false"
    if name in INTEGERS | HUGE:
        return f"CAST('{whole(value)}' AS {spark_type(kind)})" if name != "INTEGER" else f"CAST({value} AS INT)"
    if name == "DECIMAL":
        digits = f"{abs(whole(value)):0{kind.scale + 1}d}"
        point = len(digits) - kind.scale
        sign = "-" if whole(value) < 0 else ""
        text = f"{sign}{digits[:point]}.{digits[point:]}" if kind.scale else f"{sign}{digits}"
        return f"CAST('{text}' AS {spark_type(kind)})"
    if name in FLOATS:
        return f"CAST('{_float(value)}' AS {spark_type(kind)})"
    if name == "VARCHAR":
        return text_sql(str(value))
    if name == "DATE" or name in MOMENTS:
        return _moment(int(value), kind)
    if name == "INTERVAL":
        seconds = f"CAST('{Decimal(value['micros']).scaleb(-6):f}' AS DECIMAL(18,6))"
        return f"make_interval(0, {value['months']}, 0, {value['days']}, 0, 0, {seconds})"
    if name in {"LIST", "STRUCT"}:
        return _nested(value["children"], kind)
    raise refuse(f"a constant of the type {kind}")


def _float(value: float) -> str:
    number = float(value)
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _moment(value: int, kind: Kind) -> str:
    try:
        if kind.name == "DATE":
            return f"DATE'{date(1970, 1, 1) + timedelta(days=value)}'"
        micros = {"TIMESTAMP_S": 1_000_000, "TIMESTAMP_MS": 1_000}.get(kind.name, 1)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value * micros)
    except OverflowError:
        raise refuse("a moment before the year 1 or after 9999") from None
    text = moment.strftime("%Y-%m-%d %H:%M:%S.%f").rjust(26, "0")
    return f"TIMESTAMP'{text}Z'" if spark_type(kind) == "TIMESTAMP" else f"TIMESTAMP_NTZ'{text}'"


def _nested(children: list[dict[str, Any]], kind: Kind) -> str:
    values = [constant_sql(child) for child in children]
    if kind.name == "LIST":
        return f"CAST(array({', '.join(values)}) AS {spark_type(kind)})"
    fields = ", ".join(f"{text_sql(n)}, {v}" for (n, _), v in zip(kind.parts, values, strict=True))
    return f"named_struct({fields})"


def field_sql(struct: str, name: str) -> str:
    """A field of a struct."""
    return f"{struct}.{name_sql(name)}"
