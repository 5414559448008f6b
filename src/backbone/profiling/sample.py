"""The rows from which distinct and frequent values are told: all of a small table, else some at random."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from backbone.engine.batches import in_batches
from backbone.engine.protocol import Session
from backbone.model.names import literal, quoted

SAMPLED_ABOVE = 200_000
"""Rows beyond which a sample is taken: counting every value would cost more than all the rest.

Measured: DuckDB's approx_count_distinct is off by up to a third, and slower than counting what is that small."""
SAMPLE_ROWS = 100_000
SAMPLE_CELLS = 10_000_000
_SAMPLE = "__profile_sample"


@dataclass(frozen=True, slots=True)
class Sample:
    """A temporary table of rows. `whole` says that they are all rows there are."""

    session: Session
    columns: tuple[str, ...]
    whole: bool
    table: str = _SAMPLE

    def distinct(self, values: Sequence[int]) -> tuple[int, ...]:
        """How many distinct values each column has, given how many values it has in all rows."""
        counts = {
            column: (found, distinct, once)
            for some in in_batches(self.columns)
            for column, found, distinct, once in self.session.rows(" UNION ALL ".join(map(_counts, some)))
        }
        return tuple(
            counts[column][1] if self.whole else estimated_distinct(rows, *counts[column])
            for column, rows in zip(self.columns, values, strict=True)
        )

    def top(self, column: str, values: int, most: int) -> tuple[tuple[object, int], ...]:
        """A column's most frequent values with their rows; of equally frequent ones the smaller first.

        `values` is how many values it has in all rows. What a sample has once isn't known to be frequent.
        """
        name = quoted(column)
        often = "" if self.whole else "HAVING count(*) > 1"
        found = self.session.rows(
            f"SELECT {name}, count(*), (SELECT count({name}) FROM {self.table}) FROM {self.table} "
            f"WHERE {name} IS NOT NULL GROUP BY 1 {often} ORDER BY 2 DESC, 1 LIMIT {most}"
        )
        return tuple((value, round(number * values / total)) for value, number, total in found)


@contextmanager
def sample_of(session: Session, table: str, columns: Sequence[str], rows: int) -> Iterator[Sample]:
    """Rows of `table`, which has about `rows`: all of them up to 200,000, else about 100,000.

    Rows are chosen one by one: whole blocks would be alike where data are sorted. A seed would take one thread alone.
    """
    names = ", ".join(quoted(column) for column in columns)
    wanted, whole = min(SAMPLE_ROWS, SAMPLE_CELLS // len(columns)), rows <= SAMPLED_ABOVE
    chosen = "" if whole else f" WHERE random() < {wanted / rows!r}"
    session.execute(f"CREATE OR REPLACE TEMP TABLE {_SAMPLE} AS SELECT {names} FROM {table}{chosen}")
    yield Sample(session, tuple(columns), whole)
    session.execute(f"DROP TABLE {_SAMPLE}")


def estimated_distinct(rows: int, sample: int, distinct: int, once: int) -> int:
    """How many distinct values `rows` values have, if `sample` of them have `distinct`, `once` of which occur once.

    The estimator Duj1 of Haas and Stokes (Estimating the number of classes in a finite population, JASA 1998),
    which PostgreSQL's ANALYZE uses too.

    Example:
        >>> estimated_distinct(10_000_000, 100_000, 16, 0)
        16
        >>> estimated_distinct(10_000_000, 100_000, 100_000, 100_000)
        10000000
    """
    if not sample:
        return 0
    return min(rows, round(sample * distinct / (sample - once + once * sample / rows)))


def _counts(column: str) -> str:
    groups = f"SELECT count({quoted(column)}) AS n FROM {_SAMPLE} GROUP BY {quoted(column)}"
    facts = "coalesce(sum(n), 0)::BIGINT, count(*) FILTER (n > 0), count(*) FILTER (n = 1)"
    return f"SELECT {literal(column)}, {facts} FROM ({groups})"
