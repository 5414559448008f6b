"""Aggregates and window functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from backbone.engine.spark.arguments import Call
from backbone.engine.spark.kinds import FLOATS, HUGE, INTEGERS, spark_type, text_sql

ANY_ORDER = "any_order"
"""How an aggregate in a plan is marked that may take its values in any order."""
_SMALL = INTEGERS - {"BIGINT", "UINTEGER"}


@dataclass(frozen=True, slots=True)
class Order:
    """One column of an ORDER BY."""

    sql: str
    descending: bool
    nulls_first: bool

    def __str__(self) -> str:
        return f"{self.sql} {'DESC' if self.descending else 'ASC'} NULLS {'FIRST' if self.nulls_first else 'LAST'}"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A call over rows: in an order, of different values only. `over` stands behind it: FILTER (…) or OVER (…)."""

    call: Call
    distinct: bool = False
    orders: Sequence[Order] = ()
    over: str = ""

    @property
    def value(self) -> str:
        """Its first argument, with DISTINCT if that was said."""
        return f"DISTINCT {self.call.args[0].sql}" if self.distinct else self.call.args[0].sql


Made = Callable[[Aggregate], str]


def _count(agg: Aggregate) -> str:
    return f"count({agg.value}){agg.over}" if agg.call.args else f"count(*){agg.over}"


def _sum(agg: Aggregate) -> str:
    kind, arg = agg.call.kind, agg.call.args[0]
    distinct = "DISTINCT " if agg.distinct else ""
    if kind.name in FLOATS:
        return f"sum({agg.value}){agg.over}"
    if arg.kind.name in _SMALL:
        return f"CAST(sum({distinct}CAST({arg.sql} AS BIGINT)){agg.over} AS {spark_type(kind)})"
    width = f"CAST({arg.sql} AS DECIMAL(20,0))" if arg.kind.name in INTEGERS else arg.sql
    return f"CAST(sum({distinct}{width}){agg.over} AS {spark_type(kind)})"


def _average(agg: Aggregate) -> str:
    """As DuckDB does: an exact sum, then one division of doubles."""
    arg = agg.call.args[0]
    distinct = "DISTINCT " if agg.distinct else ""
    if arg.kind.name in FLOATS:
        return f"avg({agg.value}){agg.over}"
    if arg.kind.name not in INTEGERS | HUGE | {"DECIMAL"}:
        raise agg.call.refuse()
    units = arg.sql if arg.kind.name == "DECIMAL" else f"CAST({arg.sql} AS DECIMAL(20,0))"
    total, number = f"sum({distinct}{units}){agg.over}", f"count({distinct}{arg.sql}){agg.over}"
    if arg.kind.scale:
        total = f"CAST({total} * CAST('1e{arg.kind.scale}' AS DECIMAL({arg.kind.scale + 1},0)) AS DECIMAL(38,0))"
        number = f"({number} * 1e{arg.kind.scale}D)"
    return f"(CAST({total} AS DOUBLE) / {number})"


def _plain(name: str) -> Made:
    def made(agg: Aggregate) -> str:
        if len(agg.call.args) > 1:
            raise agg.call.refuse()
        value = f"{name}({agg.value}){agg.over}"
        return value if agg.call.kind.name not in HUGE else f"CAST({value} AS {spark_type(agg.call.kind)})"

    return made


def _count_if(agg: Aggregate) -> str:
    return f"CAST(count_if({agg.value}){agg.over} AS {spark_type(agg.call.kind)})"


def _extreme_by(name: str) -> Made:
    def made(agg: Aggregate) -> str:
        if len(agg.call.args) != 2:  # noqa: PLR2004 - what to give, and by what
            raise agg.call.refuse()
        value, by = (arg.sql for arg in agg.call.args)
        return f"{name}({value}, CASE WHEN {value} IS NOT NULL THEN {by} END){agg.over}"

    return made


def _in_order(agg: Aggregate) -> str:
    """All values in the order asked for, NULLs too, as an array (NULL of no rows)."""
    value = agg.call.args[0].sql
    if ANY_ORDER in agg.call.node:
        return f"transform(collect_list(struct({value} AS v)){agg.over}, x -> x.v)"
    if not agg.orders or (agg.distinct and [order.sql for order in agg.orders] != [value]):
        raise agg.call.refuse(
            f"{agg.call.name} of values in no order", f"Say their order: {agg.call.name}(… ORDER BY …)"
        )
    keys = ", ".join(f"'o{n}', {order.sql}" for n, order in enumerate(agg.orders))
    collect = "collect_set" if agg.distinct else "collect_list"
    rows = f"{collect}(named_struct({keys}, 'v', {value})){agg.over}"
    return f"transform(array_sort({rows}, (l, r) -> {_compared(agg.orders)}), x -> x.v)"


def _compared(orders: Sequence[Order]) -> str:
    """An expression that is negative where row `l` comes before row `r`."""
    cases = []
    for n, order in enumerate(orders):
        left, right = f"l.o{n}", f"r.o{n}"
        before, after = ("1", "-1") if order.descending else ("-1", "1")
        null_before, null_after = ("-1", "1") if order.nulls_first else ("1", "-1")
        cases += [
            f"WHEN {left} IS NULL AND {right} IS NOT NULL THEN {null_before}",
            f"WHEN {left} IS NOT NULL AND {right} IS NULL THEN {null_after}",
            f"WHEN {left} < {right} THEN {before} WHEN {left} > {right} THEN {after}",
        ]
    return f"CASE {' '.join(cases)} ELSE 0 END"


def _listed(agg: Aggregate) -> str:
    values = _in_order(agg)
    return f"CASE WHEN count(*){agg.over} = 0 THEN NULL ELSE {values} END"


def _joined(agg: Aggregate) -> str:
    separator = agg.call.node.get("function_data", {}).get("separator", ",")
    given = f"filter({_in_order(agg)}, x -> x IS NOT NULL)"
    joined = f"array_join({given}, {text_sql(separator)})"
    return f"CASE WHEN count({agg.call.args[0].sql}){agg.over} = 0 THEN NULL ELSE {joined} END"


def _at_end(place: int) -> Made:
    def made(agg: Aggregate) -> str:
        if not agg.orders:
            if agg.call.strict and ANY_ORDER not in agg.call.node:
                raise agg.call.refuse(f"{agg.call.name} of values in no order", "Use min or max, or ORDER BY in it")
            return f"first({agg.call.args[0].sql}){agg.over}"
        if not any(order.descending or order.nulls_first for order in agg.orders):
            keys = ", ".join(f"isnull({order.sql}), {order.sql}" for order in agg.orders)
            return (
                f"{'min' if place > 0 else 'max'}_by(struct({agg.call.args[0].sql} AS v), struct({keys})){agg.over}.v"
            )
        return f"try_element_at({_in_order(agg)}, {place})"

    return made


def _continuous(agg: Aggregate) -> str:
    """The value at a share of the way through the sorted values, between two of them where it falls there."""
    share = _share(agg)
    if agg.call.kind.name != "DOUBLE":
        raise agg.call.refuse(f"{agg.call.name} of {agg.call.args[0].kind}", "Cast its argument to DOUBLE")
    place = f"((size(s) - 1) * {share}D)"
    low, high = f"s[CAST(floor({place}) AS INT)]", f"s[CAST(ceil({place}) AS INT)]"
    part = f"({place} - floor({place}))"
    between = f"{low} * (1 - {part}) + {high} * {part}"
    return _sorted(agg, f"CASE WHEN size(s) = 0 THEN NULL WHEN {low} = {high} THEN {low} ELSE {between} END")


def _discrete(agg: Aggregate) -> str:
    share = _share(agg)
    return _sorted(agg, f"try_element_at(s, CAST(greatest(1, size(s) - floor(size(s) - {share}D * size(s))) AS INT))")


def _share(agg: Aggregate) -> float:
    data = agg.call.node.get("function_data") or {}
    if data.get("desc") or agg.distinct:
        raise agg.call.refuse()
    if agg.call.name == "median":
        return 0.5
    (share,) = data["quantiles"] if len(data["quantiles"]) == 1 else (None,)
    if share is None or agg.call.kind.name == "LIST":
        raise agg.call.refuse(f"{agg.call.name} of several shares", "Ask for one at a time")
    value, kind = share["value"], share["type"]
    return value / 10 ** kind["type_info"]["scale"] if kind["id"] == "DECIMAL" else float(value)


def _sorted(agg: Aggregate, made: str) -> str:
    arg = agg.call.args[0]
    value = f"CAST({arg.sql} AS DOUBLE)" if agg.call.kind.name == "DOUBLE" else arg.sql
    return f"transform(array(array_sort(collect_list({value}){agg.over})), s -> {made})[0]"


_LAST_DIGITS = "to the last digits, which depend on the order of rows"
_TIES = "of rows that tie, either may give it"
AGGREGATES: Mapping[str, tuple[Made, str]] = {
    "count": (_count, ""),
    "count_star": (_count, ""),
    "count_if": (_count_if, ""),
    "countif": (_count_if, ""),
    "sum": (_sum, f"of floats: {_LAST_DIGITS}"),
    "avg": (_average, f"of numbers; of floats: {_LAST_DIGITS}"),
    "mean": (_average, f"of numbers; of floats: {_LAST_DIGITS}"),
    "min": (_plain("min"), ""),
    "max": (_plain("max"), ""),
    "bool_and": (_plain("bool_and"), ""),
    "bool_or": (_plain("bool_or"), ""),
    **dict.fromkeys(["stddev", "stddev_samp"], (_plain("stddev_samp"), _LAST_DIGITS)),
    "stddev_pop": (_plain("stddev_pop"), _LAST_DIGITS),
    **dict.fromkeys(["variance", "var_samp"], (_plain("var_samp"), _LAST_DIGITS)),
    "var_pop": (_plain("var_pop"), _LAST_DIGITS),
    **dict.fromkeys(["arg_max", "max_by", "argmax"], (_extreme_by("max_by"), _TIES)),
    **dict.fromkeys(["arg_min", "min_by", "argmin"], (_extreme_by("min_by"), _TIES)),
    **dict.fromkeys(["list", "array_agg"], (_listed, "with ORDER BY in it")),
    **dict.fromkeys(["string_agg", "group_concat", "listagg"], (_joined, "with ORDER BY in it")),
    "first": (_at_end(1), "with ORDER BY in it"),
    "last": (_at_end(-1), "with ORDER BY in it"),
    "median": (_continuous, "of numbers, but of DECIMAL"),
    "quantile_cont": (_continuous, "one share, of numbers, but of DECIMAL"),
    "quantile_disc": (_discrete, "one share"),
    "quantile": (_discrete, "one share"),
}
WINDOWS: Mapping[str, str] = {
    "WINDOW_ROW_NUMBER": "row_number()",
    "WINDOW_RANK": "rank()",
    "WINDOW_RANK_DENSE": "dense_rank()",
    "WINDOW_PERCENT_RANK": "percent_rank()",
    "WINDOW_CUME_DIST": "cume_dist()",
    "WINDOW_NTILE": "ntile(CAST({0} AS INT))",
    "WINDOW_LAG": "lag({0}, {offset}, {default})",
    "WINDOW_LEAD": "lead({0}, {offset}, {default})",
    "WINDOW_FIRST_VALUE": "first_value({0})",
    "WINDOW_LAST_VALUE": "last_value({0})",
    "WINDOW_NTH_VALUE": "nth_value({0}, CAST({1} AS INT))",
}
"""Window functions as bound plans call them. Aggregates may be windows too."""
UNFRAMED = frozenset(WINDOWS) - {"WINDOW_FIRST_VALUE", "WINDOW_LAST_VALUE", "WINDOW_NTH_VALUE"}
"""Those for which a frame means nothing."""


def aggregate_sql(agg: Aggregate) -> str:
    """An aggregate as Spark's SQL.

    Raises:
        NotOnSparkError: it isn't known to agree.
    """
    known = AGGREGATES.get(agg.call.name)
    if known is None:
        raise agg.call.refuse()
    return known[0](agg)
