"""Which datasets a SELECT reads."""

from typing import TYPE_CHECKING

from backbone.model.names import ZONES
from backbone.project.catalogue import Catalogue
from backbone.project.sql import Parsed

if TYPE_CHECKING:
    from sqlglot import exp

    from backbone.errors import Problem

OWN_VIEW = "view"
"""What the `predict` query of an analysis calls the analysis's own view."""
_HARMLESS = {"generateseries", "unnest", "explode", "values", "generate_series", "range", "repeat", "repeat_row"}
_ABOUT_PEOPLES_DATA = ("governance", "lake", "main", "information_schema", "pg_catalog", "landing")


def read_inputs(
    parsed: Parsed, catalogue: Catalogue, problems: "list[Problem]", *, own: bool = False
) -> tuple[str, ...]:
    """The datasets that a SELECT reads, in order, each once; what is no dataset of the project is a problem.

    With `own`, the name `view` stands for the analysis's own view, and is no input.
    """
    from sqlglot import exp

    inputs: dict[str, None] = {}
    for table in sorted(parsed.all(exp.Table), key=_position):
        if not isinstance(table.this, exp.Identifier):
            _check_function(parsed, table, problems)
        elif not table.db and (table.name.lower() in _ctes_around(table) or (own and table.name == OWN_VIEW)):
            continue
        elif name := _dataset(parsed, table, catalogue, problems):
            inputs[name] = None
    for function in parsed.all(exp.Anonymous):
        inside = not isinstance(function.parent, exp.Table)  # those in FROM are judged above
        if inside and function.name.lower() in {"query", "query_table", "getenv", "read_blob", "read_text", "glob"}:
            problems.append(
                parsed.place(function).problem(f"{function.name}() can't be used here: only datasets are read")
            )
    return tuple(inputs)


def _position(table: "exp.Table") -> int:
    return int(table.this.meta.get("start", 0))


def _dataset(parsed: Parsed, table: "exp.Table", catalogue: Catalogue, problems: "list[Problem]") -> str | None:
    name = ".".join(part.name for part in table.parts)
    if table.name.lower().endswith((".csv", ".json", ".ndjson", ".parquet", ".tsv", ".gz", ".txt", ".xlsx", ".db")):
        message = f"a file can't be read here: add it as a source (backbone add NAME {name}), then read formatted.NAME"
    elif table.catalog or table.db in _ABOUT_PEOPLES_DATA:
        message = f"'{name}' can't be read here: a dataset is written `zone.name`, with one of {', '.join(ZONES)}"
    elif not catalogue.has(name):
        message = catalogue.missing(name)
    else:
        return name
    parts = [part for part in table.parts if "start" in part.meta]
    place = (
        parsed.place(table)
        if not parts
        else parsed.text.within(min(p.meta["start"] for p in parts), max(p.meta["end"] for p in parts) + 1)
    )
    problems.append(place.problem(message))
    return None


def _check_function(parsed: Parsed, table: "exp.Table", problems: "list[Problem]") -> None:
    """Table functions read files, other databases, settings: only those that make rows by themselves are allowed."""
    function = table.this
    name = (function.name if type(function).__name__ == "Anonymous" else type(function).__name__).lower()
    if name in _HARMLESS:
        return
    shown = function.sql(dialect="duckdb").partition("(")[0].lower()
    problems.append(
        parsed.place(function).problem(
            f"{shown}() can't be used here: only datasets are read. Files are added as sources"
        )
    )


def _ctes_around(table: "exp.Table") -> set[str]:
    """The names that WITH gives to queries, where this table stands."""
    from sqlglot import exp

    names: set[str] = set()
    node = table.parent
    while node is not None:
        if isinstance(node, exp.Query):
            names |= {cte.alias.lower() for cte in node.ctes}
        node = node.parent
    return names
