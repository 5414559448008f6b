"""Expressions of a bound plan as Spark's SQL. Every column is a place in the rows below: names are gone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from backbone.engine.spark.aggregates import UNFRAMED, WINDOWS, Aggregate, Order, aggregate_sql
from backbone.engine.spark.arguments import Argument, Call
from backbone.engine.spark.casts import cast_sql
from backbone.engine.spark.functions import function_sql
from backbone.engine.spark.kinds import BOOLEAN, Kind, kind_of, spark_type
from backbone.engine.spark.literals import constant_sql
from backbone.engine.spark.refusal import NO_PLACE, NotOnSparkError, refuse

Node = dict[str, Any]
_COMPARISONS: Mapping[str, str] = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_NOT_DISTINCT_FROM": "<=>",
}
_LAMBDAS = {
    **dict.fromkeys(["list_transform", "array_transform", "list_apply", "array_apply", "apply"], "transform"),
    **dict.fromkeys(["list_filter", "array_filter", "filter"], "filter"),
}
_ENDS = {"arg_min_null": "first", "arg_max_null": "last"}


@dataclass(frozen=True, slots=True)
class Expressions:
    """Translates expressions over rows whose columns are called `names`, by place. `strict` where people wrote them."""

    names: Sequence[str]
    strict: bool

    def sql(self, node: Node) -> str:
        """An expression as Spark's SQL.

        Raises:
            NotOnSparkError: it isn't known to give the same.
        """
        made = self.MAKERS.get(node["expression_class"])
        if made is None:
            raise refuse(node["expression_class"].removeprefix("BOUND_").lower())
        try:
            return made(self, node)
        except NotOnSparkError as error:
            place = node.get("query_location", NO_PLACE)
            if error.place == NO_PLACE and place != NO_PLACE:
                raise NotOnSparkError(error.what, error.near, error.word, place) from None
            raise

    def argument(self, node: Node) -> Argument:
        """An expression as the argument of a function."""
        return Argument(self.sql(node), node_kind(node), node)

    def order(self, said: Node) -> Order:
        """A column of an ORDER BY."""
        return Order(self.sql(said["expression"]), said["type"] == "DESCENDING", said["null_order"] == "NULLS FIRST")

    def aggregate(self, node: Node) -> str:
        """A call of an aggregate function in a group."""
        filtered = node.get("filter")
        over = f" FILTER (WHERE {self.sql(filtered)})" if filtered else ""
        orders = [self.order(said) for said in (node.get("order_bys") or {}).get("orders", ())]
        if node["name"] in _ENDS and _is_sort_key(node["children"][-1]):
            # first(a ORDER BY b): DuckDB has made one key of its order.
            orders = self._sort_key(node["children"][-1])
            node = {**node, "name": _ENDS[node["name"]], "children": node["children"][:1]}
        elif node.get("children") and _is_sort_key(node["children"][-1]):
            raise refuse("any_value", "Use first, with ORDER BY in it", "any_value")
        try:
            return aggregate_sql(Aggregate(self._call(node), node["aggregate_type"] == "DISTINCT", orders, over))
        except NotOnSparkError as error:
            raise NotOnSparkError(error.what, error.near, error.word or node["name"], error.place) from None

    def _sort_key(self, node: Node) -> list[Order]:
        pairs = zip(node["children"][::2], node["children"][1::2], strict=True)
        said = [(self.sql(value), str(how["value"]["value"])) for value, how in pairs]
        return [Order(sql, how.startswith("DESC"), how.endswith("FIRST")) for sql, how in said]

    def window(self, node: Node) -> str:
        """A window function with its window."""
        if node.get("filter_expr") or node.get("distinct") or node.get("arg_orders"):
            raise refuse("a window function with FILTER, DISTINCT or ORDER BY among its arguments", word="over")
        name = node["type"]
        over = f" OVER ({self._window(node)})"
        if name == "WINDOW_AGGREGATE":
            return aggregate_sql(Aggregate(self._call(node), over=over))
        made = WINDOWS.get(name)
        if made is None:
            raise refuse(name.removeprefix("WINDOW_").lower(), word=name.removeprefix("WINDOW_"))
        if name == "WINDOW_ROW_NUMBER" and self.strict and not node.get("orders"):
            raise refuse("row_number in no order", "Give its window an ORDER BY", "row_number")
        offset = self.sql(node["offset_expr"]) if node.get("offset_expr") else "1"
        default = self.sql(node["default_expr"]) if node.get("default_expr") else "NULL"
        args = [self.sql(child) for child in node["children"]]
        called = made.format(*args, offset=f"CAST({offset} AS INT)", default=default)
        nulls = " IGNORE NULLS" if node.get("ignore_nulls") else ""
        return f"CAST({called}{nulls}{over} AS {spark_type(kind_of(node['return_type']))})"

    def _window(self, node: Node) -> str:
        parts = [self.sql(part) for part in node.get("partitions") or ()]
        orders = [str(self.order(said)) for said in node.get("orders") or ()]
        ranking = node["type"] in UNFRAMED
        if not orders and ranking:
            orders = ["1"]
        return " ".join(
            filter(
                None,
                [
                    f"PARTITION BY {', '.join(parts)}" if parts else "",
                    f"ORDER BY {', '.join(orders)}" if orders else "",
                    "" if ranking else self._frame(node, ordered=bool(orders)),
                ],
            )
        )

    def _frame(self, node: Node, *, ordered: bool) -> str:
        if node.get("exclude_clause", "NO_OTHER") != "NO_OTHER":
            raise refuse("EXCLUDE in a window", word="exclude")
        kind, ends = set[str](), []
        for side, at in (("start", "start_expr"), ("end", "end_expr")):
            said = node[side]
            if said.startswith("UNBOUNDED"):
                ends.append(said.replace("_", " "))
                continue
            way = said.rpartition("_")[2]
            kind.add(way)
            if said.startswith("CURRENT"):
                ends.append("CURRENT ROW")
            elif way == "ROWS":
                number = self.argument(_uncast(node[at])).constant
                ends.append(f"{number} {'PRECEDING' if 'PRECEDING' in said else 'FOLLOWING'}")
            else:
                raise refuse("a window over a range of values", "Say ROWS", "range")
        if kind > {"ROWS"} or "GROUPS" in kind:
            raise refuse("this frame of a window", word="between")
        way = "ROWS" if kind == {"ROWS"} or not ordered else "RANGE"
        if not ordered and kind == {"RANGE"}:  # without an order all rows are the current one's peers
            ends = ["UNBOUNDED PRECEDING", "UNBOUNDED FOLLOWING"]
        return f"{way} BETWEEN {ends[0]} AND {ends[1]}"

    def _call(self, node: Node) -> Call:
        args = [self.argument(child) for child in node.get("children") or ()]
        return Call(node["name"], args, kind_of(node["return_type"]), node, self.strict)

    def _function(self, node: Node) -> str:
        if node["name"] in _LAMBDAS and (node.get("function_data") or {}).get("lambda_expr"):
            return self._lambda(node)
        return function_sql(self._call(node))

    def _lambda(self, node: Node) -> str:
        data = node["function_data"]
        if data.get("has_index") or data.get("has_initial"):
            raise refuse(f"{node['name']} with the place of each element", word=node["name"])
        held, *captured = (self.sql(child) for child in node["children"])
        name = f"e{len(self.names)}_{abs(hash(held)) % 997}"
        inner = Expressions([name, *captured], self.strict)
        return f"{_LAMBDAS[node['name']]}({held}, {name} -> {inner.sql(data['lambda_expr'])})"

    def _case(self, node: Node) -> str:
        whens = " ".join(
            f"WHEN {self.sql(check['when_expr'])} THEN {self.sql(check['then_expr'])}" for check in node["case_checks"]
        )
        return f"CASE {whens} ELSE {self.sql(node['else_expr'])} END"

    def _cast(self, node: Node) -> str:
        how = "TRY_CAST" if node.get("try_cast") else "CAST"
        source, target = node_kind(node["child"]), kind_of(node["return_type"])
        value = self.sql(node["child"])
        if not self.strict and source.name in {"FLOAT", "DOUBLE"} and target.name == "VARCHAR":
            return f"CAST({value} AS STRING)"  # in our own queries, which show it or read it back
        return cast_sql(value, source, target, how)

    def _comparison(self, node: Node) -> str:
        left, right = self.sql(node["left"]), self.sql(node["right"])
        return compared(node["type"], left, right)

    def _operator(self, node: Node) -> str:
        args = [self.sql(child) for child in node["children"]]
        match node["type"]:
            case "COMPARE_IN" | "COMPARE_NOT_IN":
                word = "IN" if node["type"] == "COMPARE_IN" else "NOT IN"
                return f"({args[0]} {word} ({', '.join(args[1:])}))"
            case "OPERATOR_NOT":
                return f"(NOT {args[0]})"
            case "OPERATOR_IS_NULL":
                return f"({args[0]} IS NULL)"
            case "OPERATOR_IS_NOT_NULL":
                return f"({args[0]} IS NOT NULL)"
            case "OPERATOR_COALESCE":
                return f"coalesce({', '.join(args)})"
            case name:
                raise refuse(name.removeprefix("OPERATOR_"), word=name.removeprefix("OPERATOR_"))

    def _between(self, node: Node) -> str:
        value, low, high = (self.sql(node[part]) for part in ("input", "lower", "upper"))
        above = ">=" if node["lower_inclusive"] else ">"
        below = "<=" if node["upper_inclusive"] else "<"
        return f"({value} {above} {low} AND {value} {below} {high})"

    def _conjunction(self, node: Node) -> str:
        word = " AND " if node["type"] == "CONJUNCTION_AND" else " OR "
        return f"({word.join(self.sql(child) for child in node['children'])})"

    def _ref(self, node: Node) -> str:
        return self.names[node["index"]]

    def _constant(self, node: Node) -> str:
        return constant_sql(node["value"])

    MAKERS: ClassVar[Mapping[str, Callable[["Expressions", Node], str]]] = {
        "BOUND_REF": _ref,
        "BOUND_CONSTANT": _constant,
        "BOUND_FUNCTION": _function,
        "BOUND_CAST": _cast,
        "BOUND_CASE": _case,
        "BOUND_COMPARISON": _comparison,
        "BOUND_CONJUNCTION": _conjunction,
        "BOUND_OPERATOR": _operator,
        "BOUND_BETWEEN": _between,
    }
    """What makes each expression, by its class."""


def compared(how: str, left: str, right: str) -> str:
    """A comparison of two values."""
    if how == "COMPARE_DISTINCT_FROM":
        return f"(NOT ({left} <=> {right}))"
    if how not in _COMPARISONS:
        raise refuse(how.removeprefix("COMPARE_"))
    return f"({left} {_COMPARISONS[how]} {right})"


def node_kind(node: Node) -> Kind:
    """The type of an expression."""
    if "return_type" in node:
        return kind_of(node["return_type"])
    return kind_of(node["value"]["type"]) if node["expression_class"] == "BOUND_CONSTANT" else BOOLEAN


def _is_sort_key(node: Node) -> bool:
    return bool(node["expression_class"] == "BOUND_FUNCTION" and node["name"] == "create_sort_key")


def _uncast(node: Node) -> Node:
    return _uncast(node["child"]) if node["expression_class"] == "BOUND_CAST" else node
