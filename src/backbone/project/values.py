"""Values written as text: whether a domain can hold them."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from backbone.quality.literals import share_of

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_BOOLEANS = {"true", "false", "t", "f", "yes", "no", "y", "n", "1", "0"}


def fits(value: str, domain: str, *, today: bool = False) -> bool:
    """Whether a domain can hold a value; `today` allows the word in the place of a date. Unknown domains hold all."""
    if domain.startswith("decimal"):
        domain = "decimal"
    if today and value == "today" and domain in {"date", "timestamp", "timestamp_tz"}:
        return True
    check = _CHECKS.get(domain)
    if check is None:
        return True
    try:
        return check(value.strip())
    except (ValueError, InvalidOperation):
        return False


def less(one: str, other: str) -> bool:
    """Whether one value is surely below the other: both are numbers, or both are dates."""
    for read in (Decimal, date.fromisoformat, datetime.fromisoformat):
        try:
            return bool(read(one) < read(other))  # type: ignore[operator]  # both sides are of one type
        except (ValueError, InvalidOperation, TypeError):
            continue
    return False


def tolerance_of(text: str) -> float | None:
    """A share from 0 to 1, written `20%` or `0.2`; None where it is neither."""
    share = share_of(text)
    return share if share is not None and share <= 1 else None


def _integer(value: str) -> bool:
    return _INTEGER.fullmatch(value) is not None and -(2**63) <= int(value) < 2**63


_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "integer": _integer,
    "decimal": lambda value: Decimal(value).is_finite(),
    "float": lambda value: bool(float(value)) or True,
    "boolean": lambda value: value.lower() in _BOOLEANS,
    "date": lambda value: bool(date.fromisoformat(value)),
    "time": lambda value: time.fromisoformat(value) is not None,
    "timestamp": lambda value: bool(datetime.fromisoformat(value)),
    "timestamp_tz": lambda value: bool(datetime.fromisoformat(value)),
}
