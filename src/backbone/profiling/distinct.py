"""How many distinct values a large column has, estimated from a sample of its rows."""

from collections.abc import Sequence

from backbone.engine.protocol import Session
from backbone.model.names import quoted

SAMPLE_ROWS = 100_000
SAMPLE_SEED = 11
_SAMPLE = "__profile_sample"


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


def sampled_counts(session: Session, table: str, columns: Sequence[str], rows: int) -> dict[str, tuple[int, int, int]]:
    """By column, of about 100,000 rows at random: values, distinct values, and those that occur once.

    Rows are chosen one by one: whole blocks would be alike where data are sorted.
    """
    names = ", ".join(quoted(column) for column in columns)
    share = min(100 * SAMPLE_ROWS / max(rows, 1), 100)
    sample = f"SELECT {names} FROM {table} USING SAMPLE {share} PERCENT (bernoulli, {SAMPLE_SEED})"
    session.execute(f"CREATE OR REPLACE TEMP TABLE {_SAMPLE} AS {sample}")
    found = session.rows(" UNION ALL ".join(_counts(number, column) for number, column in enumerate(columns)))
    session.execute(f"DROP TABLE {_SAMPLE}")
    return {columns[number]: (values, distinct, once) for number, values, distinct, once in found}


def _counts(number: int, column: str) -> str:
    groups = f"SELECT count({quoted(column)}) AS n FROM {_SAMPLE} GROUP BY {quoted(column)}"
    facts = "coalesce(sum(n), 0)::BIGINT, count(*) FILTER (n > 0), count(*) FILTER (n = 1)"
    return f"SELECT {number}, {facts} FROM ({groups})"
