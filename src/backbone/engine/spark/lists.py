"""Functions of lists."""

from collections.abc import Callable, Mapping

from backbone.engine.spark.arguments import Call
from backbone.engine.spark.kinds import FLOATS, spark_type, text_sql
from backbone.engine.spark.literals import field_sql

Entry = tuple[str | Callable[[Call], str], str]


def _made(call: Call) -> str:
    return f"CAST(array({', '.join(arg.sql for arg in call.args)}) AS {spark_type(call.kind)})"


def _element(call: Call) -> str:
    held, place = call.args
    if held.kind.name == "STRUCT":
        return field_sql(held.sql, str(place.constant))
    if held.kind.name == "VARCHAR":
        if place.constant < -1 or place.constant == 0:
            raise call.refuse("a character counted from the end", "Use right")
        return f"substring({held.sql}, {place.constant}, 1)"
    index = f"CAST({place.sql} AS INT)"
    return f"CASE WHEN {index} = 0 THEN NULL ELSE try_element_at({held.sql}, {index}) END"


def _slice(call: Call) -> str:
    held, start, end = call.args[0], call.args[1].constant, call.args[2]
    if start < 1 or end.constant < 0:
        raise call.refuse("a slice that counts from the end")
    length = max(int(end.constant) - int(start) + 1, 0)
    if held.kind.name == "VARCHAR":
        return f"substring({held.sql}, {start}, {length})"
    return f"slice({held.sql}, {start}, {length})"


def _sorted(call: Call) -> str:
    if call.args[0].kind.element.name in FLOATS:
        raise call.refuse()
    order, nulls = (str(arg.constant).upper() if arg else "" for arg in [*call.args[1:], None, None][:2])
    if not (order or nulls):
        return f"array_sort({call.args[0].sql})"
    before, after = ("1", "-1") if order.startswith("DESC") else ("-1", "1")
    first, last = ("-1", "1") if nulls.endswith("FIRST") else ("1", "-1")
    compared = (
        f"CASE WHEN l IS NULL AND r IS NULL THEN 0 WHEN l IS NULL THEN {first} WHEN r IS NULL THEN {last} "
        f"WHEN l < r THEN {before} WHEN l > r THEN {after} ELSE 0 END"
    )
    return f"array_sort({call.args[0].sql}, (l, r) -> {compared})"


def _joined(call: Call) -> str:
    lists = [f"coalesce({arg.sql}, CAST(array() AS {spark_type(call.kind)}))" for arg in call.args]
    return f"concat({', '.join(lists)})"


def _contains(call: Call) -> str:
    held, value = (arg.sql for arg in call.args)
    found = f"coalesce(array_contains({held}, {value}), false)"
    return f"CASE WHEN {held} IS NULL OR {value} IS NULL THEN NULL ELSE {found} END"


def _aggregated(call: Call) -> str:
    """`list_min`, `list_max` and `array_to_string` are this, and lists of floats have NaN in the same place."""
    held, name = call.args[0], call.args[1].constant
    if name in {"min", "max"}:
        return f"array_{name}({held.sql})"
    if name == "string_agg" and held.kind.element.name == "VARCHAR":
        separator = text_sql(call.node["function_data"]["bind_data"]["aggr_expr"]["function_data"]["separator"])
        given = f"filter({held.sql}, e -> e IS NOT NULL)"
        return f"CASE WHEN size({given}) > 0 THEN array_join({given}, {separator}) END"
    raise call.refuse(f"list_{name} of a list")


def _lambda_only(call: Call) -> str:
    raise call.refuse()


LISTS: Mapping[str, Entry] = {
    **dict.fromkeys(["list_value", "list_pack", "unpivot_list"], (_made, "")),
    **dict.fromkeys(["list_extract", "array_extract", "list_element"], (_element, "")),
    **dict.fromkeys(["list_slice", "array_slice"], (_slice, "between constant places, from 1 on")),
    **dict.fromkeys(["list_sort", "array_sort"], (_sorted, "of floats not")),
    **dict.fromkeys(["list_concat", "array_concat", "list_cat"], (_joined, "")),
    **dict.fromkeys(["list_contains", "array_contains", "list_has", "array_has"], (_contains, "")),
    "array_length": ("CAST(size({0}) AS BIGINT)", ""),
    "cardinality": ("CAST(size({0}) AS BIGINT)", ""),
    "flatten": ("flatten(filter({0}, e -> e IS NOT NULL))", ""),
    **dict.fromkeys(
        ["list_aggr", "list_aggregate", "array_aggr", "array_aggregate"], (_aggregated, "`min`, `max`, `string_agg`")
    ),
    **dict.fromkeys(["list_transform", "list_filter", "apply", "filter", "list_apply", "array_transform",
                     "array_filter", "array_apply"], (_lambda_only, "with one parameter")),
}  # fmt: skip
