"""DuckDB's types as its bound plans spell them, and Spark's types that hold the same values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backbone.engine.spark.refusal import refuse

_SCALARS: Mapping[str, str] = {
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "TINYINT",
    "SMALLINT": "SMALLINT",
    "INTEGER": "INT",
    "BIGINT": "BIGINT",
    "UTINYINT": "SMALLINT",
    "USMALLINT": "INT",
    "UINTEGER": "BIGINT",
    "UBIGINT": "BIGINT",
    "HUGEINT": "DECIMAL(38,0)",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "STRING",
    "BLOB": "BINARY",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "TIMESTAMP_S": "TIMESTAMP_NTZ",
    "TIMESTAMP_MS": "TIMESTAMP_NTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "NULL": "VOID",
}
INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
"""Whole numbers that are one in Spark too: of UBIGINT those that have a sign bit are negative there (see `casts`)."""
HUGE = frozenset({"HUGEINT"})
"""Whole numbers that are decimals in Spark."""
FLOATS = frozenset({"FLOAT", "DOUBLE"})
MOMENTS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP WITH TIME ZONE"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A type: its name in DuckDB, digits of a decimal, and the types that it is made of.

    `parts` are a list's one element type, a map's key and value, a struct's fields. `is_json` is text that holds JSON.
    """

    name: str
    width: int = 0
    scale: int = 0
    parts: tuple[tuple[str, "Kind"], ...] = ()
    is_json: bool = False

    @property
    def element(self) -> "Kind":
        """A list's element type."""
        return self.parts[0][1]

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.name in INTEGERS | HUGE | FLOATS | {"DECIMAL"}

    def __str__(self) -> str:
        return {"DECIMAL": f"DECIMAL({self.width},{self.scale})", "LIST": "list", "STRUCT": "struct"}.get(
            self.name, "JSON" if self.is_json else self.name
        )


BOOLEAN, BIGINT, DOUBLE, VARCHAR = Kind("BOOLEAN"), Kind("BIGINT"), Kind("DOUBLE"), Kind("VARCHAR")


def kind_of(said: Mapping[str, Any]) -> Kind:
    """A type as a bound plan spells it."""
    name, info = str(said["id"]), said.get("type_info") or {}
    match name:
        case "DECIMAL":
            return Kind(name, info["width"], info["scale"])
        case "LIST":
            return Kind(name, parts=(("", kind_of(info["child_type"])),))
        case "MAP":
            fields = info["child_type"]["type_info"]["child_types"]
            return Kind(name, parts=tuple((field["first"], kind_of(field["second"])) for field in fields))
        case "STRUCT":
            fields = info["child_types"]
            return Kind(name, parts=tuple((field_name(field["first"], n), kind_of(field["second"]))
                                          for n, field in enumerate(fields)))  # fmt: skip
        case _:
            return Kind(name, is_json=info.get("alias") == "JSON")


def field_name(name: str, number: int) -> str:
    """The name of a struct's field; Spark has none without."""
    return name or f"v{number}"


def spark_type(kind: Kind) -> str:
    """Spark's type for the same values."""
    match kind.name:
        case "DECIMAL":
            return f"DECIMAL({kind.width},{kind.scale})"
        case "LIST":
            return f"ARRAY<{spark_type(kind.element)}>"
        case "MAP":
            return f"MAP<{spark_type(kind.parts[0][1])}, {spark_type(kind.parts[1][1])}>"
        case "STRUCT":
            return f"STRUCT<{', '.join(f'{name_sql(name)}: {spark_type(part)}' for name, part in kind.parts)}>"
        case name if name in _SCALARS:
            return _SCALARS[name]
    raise refuse(f"the type {kind}")


def name_sql(name: str) -> str:
    """An identifier in Spark's SQL, quoted: the one place where it is done."""
    return "`" + name.replace("`", "``") + "`"


def text_sql(text: str) -> str:
    """A string literal in Spark's SQL: the one place where it is done."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
