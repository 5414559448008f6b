"""Profiles of a dataset: the cheap one that every run makes, and the full one that is made on demand."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from backbone.engine.batches import in_batches
from backbone.engine.protocol import Session
from backbone.model.names import quoted
from backbone.model.relations import Attribute, Relation
from backbone.profiling import sample
from backbone.profiling.histogram import Bin, histogram
from backbone.profiling.sample import Sample, sample_of

TEXT_LENGTH = 200
"""How many characters of a minimum or maximum the cheap profile keeps."""
TOP = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TIMES = ("date", "timestamp", "timestamp_tz")


@dataclass(frozen=True, slots=True)
class AttributeProfile:
    """One column in numbers, cheaply.

    `rows`, `nulls`, `minimum`, `maximum` (as text) and `mean` are exact; `approximate` says that `distinct` may not be.
    What makes no sense for the domain is None: the mean of what is no number, the minimum of JSON.
    """

    attribute: str
    domain: str
    rows: int
    nulls: int
    distinct: int
    approximate: bool
    minimum: str | None
    maximum: str | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class AttributeDetail:
    """One column in numbers, in full.

    `top` are the most frequent values with their rows. `quantiles` pairs shares (0.5: the median) with values.
    `histogram` has 20 bins of equal width; those of dates and times are in seconds since 1970. `approximate` says that
    these and `distinct` are told from a sample of the rows; all else is exact.
    """

    attribute: str
    domain: str
    rows: int
    nulls: int
    distinct: int
    approximate: bool = False
    minimum: object = None
    maximum: object = None
    mean: float | None = None
    deviation: float | None = None
    top: tuple[tuple[object, int], ...] = ()
    quantiles: tuple[tuple[float, object], ...] = ()
    histogram: tuple[Bin, ...] = ()


def profile_relation(session: Session, table: str, relation: Relation, rows: int) -> tuple[AttributeProfile, ...]:
    """Profile the columns of `table` (SQL, such as `"trusted"."flights"`) that `relation` lists, in few fused passes.

    `rows` is about how many rows there are: above 200,000, distinct values are estimated from 100,000 rows at random.
    """
    attributes, sampled = relation.attributes, rows > sample.SAMPLED_ABOVE
    if not attributes:
        return ()
    total, found = _measured(session, table, [_cheap(a, sampled=sampled) for a in attributes], width=5)
    if sampled:
        with sample_of(session, table, relation.names, total) as some:
            distinct = some.distinct([one[0] for one in found])
    else:
        distinct = tuple(one[1] for one in found)
    return tuple(
        AttributeProfile(a.name, a.domain, total, total - count, number, sampled, minimum, maximum, _finite(mean))
        for a, number, (count, _, minimum, maximum, mean) in zip(attributes, distinct, found, strict=True)
    )


def profile_detail(session: Session, table: str, relation: Relation) -> tuple[AttributeDetail, ...]:
    """Profile the columns of `table` (SQL, such as `"trusted"."flights"`) that `relation` lists, in full."""
    attributes = relation.attributes
    if not attributes:
        return ()
    total, found = _measured(session, table, [_full(a) for a in attributes], width=7)
    with sample_of(session, table, relation.names, total) as some:
        distinct = some.distinct([one[0] for one in found])
        _, quantiles = _measured(session, some.table, [_quantiles(a) for a in attributes], width=1)
        return tuple(
            _detail(some, a, total, one, number, at)
            for a, one, number, (at,) in zip(attributes, found, distinct, quantiles, strict=True)
        )


def _measured(session: Session, table: str, columns: Sequence[str], width: int) -> tuple[int, list[tuple[Any, ...]]]:
    """The rows of a table, and what the aggregates of each column (SQL for `width` values) give."""
    total, found = 0, list[tuple[Any, ...]]()
    for some in in_batches(columns):
        total, *values = session.rows(f"SELECT count(*), {', '.join(some)} FROM {table}")[0]
        found += zip(*[iter(values)] * width, strict=True)
    return total, found


def _cheap(attribute: Attribute, *, sampled: bool) -> str:
    name, domain = quoted(attribute.name), attribute.domain
    distinct = "NULL" if sampled else f"count(DISTINCT {name})"
    ends = (f"left(CAST({end}({name}) AS VARCHAR), {TEXT_LENGTH})" for end in ("min", "max"))
    bounds = ", ".join(ends) if _is_ordered(domain) else "NULL, NULL"
    return f"count({name}), {distinct}, {bounds}, {f'avg({name})' if _is_number(domain) else 'NULL'}"


def _full(attribute: Attribute) -> str:
    name, domain, scale = quoted(attribute.name), attribute.domain, _scale(attribute)
    bounds = f"min({name}), max({name})" if _is_ordered(domain) else "NULL, NULL"
    # The variance of values beyond this would not be a number, which DuckDB takes for an error.
    tame = f" FILTER (abs({name}) < 1e150)" if domain == "float" else ""
    spread = f"avg({name}), stddev_samp({name}){tame}" if _is_number(domain) else "NULL, NULL"
    finite = f" FILTER (isfinite({name}))" if domain in {"float", *_TIMES} else ""
    ends = f"min({scale}){finite}, max({scale}){finite}" if scale else "NULL, NULL"
    return f"count({name}), {bounds}, {spread}, {ends}"


def _quantiles(attribute: Attribute) -> str:
    name = quoted(attribute.name)
    finite = f" FILTER (isfinite({name}))" if attribute.domain in {"float", *_TIMES} else ""
    return f"quantile_disc({name}, {list(QUANTILES)}){finite}" if _scale(attribute) else "NULL"


def _detail(
    some: Sample, attribute: Attribute, rows: int, found: Sequence[Any], distinct: int, quantiles: Sequence[object]
) -> AttributeDetail:
    values, minimum, maximum, mean, deviation, low, high = found
    bins = () if low is None else histogram(some.session, some.table, _scale(attribute), low, high)
    seen = sum(b.rows for b in bins)
    return AttributeDetail(
        attribute=attribute.name,
        domain=attribute.domain,
        rows=rows,
        nulls=rows - values,
        distinct=distinct,
        approximate=not some.whole,
        minimum=minimum,
        maximum=maximum,
        mean=_finite(mean),
        deviation=_finite(deviation),
        top=some.top(attribute.name, values, TOP),
        quantiles=tuple(zip(QUANTILES, quantiles or (), strict=bool(quantiles))),
        histogram=bins if some.whole else tuple(replace(b, rows=round(b.rows * values / seen)) for b in bins if seen),
    )


def _scale(attribute: Attribute) -> str:
    """An SQL expression that puts a column's values on a line of numbers, or nothing."""
    if _is_number(attribute.domain):
        return f"CAST({quoted(attribute.name)} AS DOUBLE)"
    return f"epoch({quoted(attribute.name)})" if attribute.domain in _TIMES else ""


def _is_number(domain: str) -> bool:
    return domain in {"integer", "float"} or (domain.startswith("decimal") and not domain.endswith("[]"))


def _is_ordered(domain: str) -> bool:
    return domain not in {"json", "binary"} and not domain.endswith("[]")


def _finite(number: Any) -> float | None:
    return float(number) if number is not None and isfinite(number) else None
