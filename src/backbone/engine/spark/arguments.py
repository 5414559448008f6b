"""An argument of a function: its SQL for Spark, its type, and what it is in the bound plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backbone.engine.spark.kinds import Kind
from backbone.engine.spark.literals import whole
from backbone.engine.spark.refusal import refuse


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument."""

    sql: str
    kind: Kind
    node: dict[str, Any]

    @property
    def constant(self) -> Any:
        """Its value.

        Raises:
            NotOnSparkError: it is no constant.
        """
        if self.node["expression_class"] != "BOUND_CONSTANT" or self.node["value"]["is_null"]:
            raise refuse("an argument that differs from row to row, or is NULL,", "Write a constant")
        value = self.node["value"]["value"]
        return whole(value) if isinstance(value, dict) and set(value) == {"upper", "lower"} else value

    @property
    def is_constant(self) -> bool:
        """Whether it is the same for every row."""
        return bool(self.node["expression_class"] == "BOUND_CONSTANT")


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments, and the type of what it returns. `strict` where people wrote it."""

    name: str
    args: Sequence[Argument]
    kind: Kind
    node: dict[str, Any]
    strict: bool

    def refuse(self, what: str = "", near: str = "") -> Exception:
        """The error that refuses it."""
        kinds = ", ".join(str(arg.kind) for arg in self.args)
        return refuse(what or f"{self.name}({kinds})", near, self.name)
