"""Values that people write in rules, as SQL literals of a column's domain."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Literal

from backbone.model.domains import sql_type
from backbone.model.names import literal

Bound = Literal["from", "to"]
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1


def share_of(text: str) -> float | None:
    """A share, written `20%` or `0.2`, also above 1; infinity for `any`; None where it is none of these."""
    if text.strip() == "any":
        return math.inf
    number = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", number, re.ASCII):
        return None
    return float(Decimal(number) / 100) if text.strip().endswith("%") else float(number)


def value_sql(text: str, domain: str) -> str | None:
    """The SQL literal of a value, or None where the domain has no such value (`1.5` is no integer).

    Example:
        >>> value_sql("007", "integer")
        "CAST('7' AS BIGINT)"
    """
    spelled = _spelled(text.strip() if domain != "text" else text, domain)
    return None if spelled is None else f"CAST({literal(spelled)} AS {sql_type(domain)})"


def bound_sql(text: str, domain: str, side: Bound) -> str | None:
    """The SQL literal of a bound that is included: a number between two values of the domain moves inwards.

    DuckDB would round: `from: 0.5` of integers would let nothing below 1 pass by luck, and `to: 0.5` would let 1 pass.
    """
    if not _is_exact(domain):
        return value_sql(text, domain)
    number = _number(text)
    if number is None or not number.is_finite():
        return None
    inwards = ROUND_CEILING if side == "from" else ROUND_FLOOR
    try:
        moved = number.quantize(Decimal(1).scaleb(-_scale(domain)), rounding=inwards)
    except InvalidOperation:
        return None
    return value_sql(str(moved), domain)


def _is_exact(domain: str) -> bool:
    return domain == "integer" or domain.startswith("decimal(")


def _scale(domain: str) -> int:
    return 0 if domain == "integer" else int(domain.removeprefix("decimal(").removesuffix(")"))


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _spelled(text: str, domain: str) -> str | None:
    if domain == "text":
        return text
    if _is_exact(domain):
        return _exact(text, domain)
    spell = _SPELLINGS.get(domain)
    try:
        return spell(text) if spell else None
    except ValueError:
        return None


def _boolean(text: str) -> str | None:
    return text.lower() if text.lower() in {"true", "false"} else None


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).isoformat(sep=" ")


_SPELLINGS: Mapping[str, Callable[[str], str | None]] = {
    "float": lambda text: str(float(text)),
    "boolean": _boolean,
    "date": lambda text: date.fromisoformat(text).isoformat(),
    "time": lambda text: time.fromisoformat(text).isoformat(),
    "timestamp": _moment,
    "timestamp_tz": _moment,
}


def _exact(text: str, domain: str) -> str | None:
    number, scale = _number(text), _scale(domain)
    if number is None or not number.is_finite():
        return None
    units = number.scaleb(scale)
    largest = _LARGEST if domain == "integer" else 10**18 - 1
    if units != math.floor(units) or not max(_SMALLEST, -largest - 1) <= units <= largest:
        return None
    return f"{number:.{scale}f}"
