"""Amounts of memory, as people write them: `4GB`, `512MB`, `1.5GiB`."""

import re

DEFAULT_LIMIT = "4GB"
LEAST_BYTES = 32 * 1024**2
"""Below it not even a lake can be opened."""
_AMOUNT = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?([KMGT])(i?)B", re.ASCII)


def memory_bytes(amount: str) -> int | None:
    """An amount in bytes; None if it is no amount."""
    found = _AMOUNT.fullmatch(amount)
    if not found:
        return None
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** ("KMGT".index(unit) + 1))
