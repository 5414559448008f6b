"""SELECTs whose columns are called c0, c1, … by their place."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rows:
    """A SELECT, and how many columns it has."""

    sql: str
    width: int


def named(columns: Sequence[str]) -> str:
    """Columns, called by their place."""
    return ", ".join(f"{column} AS c{n}" for n, column in enumerate(columns))


def columns_of(width: int) -> str:
    """So many columns of a SELECT."""
    return ", ".join(f"c{n}" for n in range(width))
