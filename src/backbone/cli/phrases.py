"""How numbers, times and sizes read: one spelling everywhere."""

from collections.abc import Iterable
from datetime import UTC, datetime

_MINUTE = 60
_KILO = 1000


def count(number: int, noun: str) -> str:
    """A number of things.

    Example:
        >>> count(1204, "row"), count(1, "landed file"), count(2, "dataset")
        ('1,204 rows', '1 landed file', '2 datasets')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def share(part: float) -> str:
    """A share of rows as a percentage: `14.9%`; never rounded to 0% or 100% when it isn't."""
    if 0 < part < 0.001:  # noqa: PLR2004 - what one decimal can show
        return "<0.1%"
    if 0.999 < part < 1:  # noqa: PLR2004 - as above
        return ">99.9%"
    return f"{part * 100:.1f}".removesuffix(".0") + "%"


def duration(seconds: float) -> str:
    """A duration: `0.1 s`, `2 min 03 s`."""
    if seconds < _MINUTE - 0.05:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest:02} s"


def moment(time: datetime) -> str:
    """A moment, to the minute, in UTC."""
    return (time.astimezone(UTC) if time.tzinfo else time).strftime("%Y-%m-%d %H:%M")


def size(byte_count: int) -> str:
    """A size: `1.5 MB`."""
    amount = float(byte_count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < _KILO:
            return f"{amount:,.0f} {unit}" if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= _KILO
    return f"{amount:,.1f} TB"


def listed(names: Iterable[str], limit: int = 6) -> str:
    """A list of names, cut: `a, b and 3 more`."""
    every = list(names)
    if len(every) <= limit:
        return ", ".join(every)
    return f"{', '.join(every[: limit - 1])} and {len(every) - limit + 1} more"
