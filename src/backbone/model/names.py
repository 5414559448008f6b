"""How datasets are named: `zone.name`, everywhere alike."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

Zone = Literal["formatted", "trusted", "exploitation", "analysis"]
ZONES: tuple[Zone, ...] = ("formatted", "trusted", "exploitation", "analysis")
"""The zones that hold datasets, in the order in which data flow (landing holds files)."""

PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
"""What a dataset may be called. `__` means *inside* and is never chosen by people."""

FILE, RECORD = "_file", "_record"
"""System columns of formatted and trusted datasets: landed file id and record number in it, from 1."""

PARENT, ITEM = "_parent", "_item"
"""System columns of relations inside records: the `_record` of the parent in the same file, and the place in
its list."""

VALID_FROM, VALID_TO = "_valid_from", "_valid_to"
"""System columns of datasets with `versions: history`: from when until when a state holds (null: it still does)."""


def zone_of(dataset: str) -> str:
    """The zone of `zone.name`."""
    return dataset.partition(".")[0]


def stem_of(dataset: str) -> str:
    """The name of `zone.name` within its zone."""
    return dataset.partition(".")[2]


def is_system(column: str) -> bool:
    """Whether a column is Backbone's own: hidden from `select *`, available by name."""
    return column.startswith("_")


def quoted(identifier: str) -> str:
    """An SQL identifier, quoted: the one place where it is done."""
    return '"' + identifier.replace('"', '""') + '"'


def quoted_dataset(dataset: str) -> str:
    """`zone.name` as a quoted SQL table name."""
    return f"{quoted(zone_of(dataset))}.{quoted(stem_of(dataset))}"


def literal(text: str) -> str:
    """An SQL string literal, quoted: the one place where it is done."""
    return "'" + text.replace("'", "''") + "'"


def parquet_table(paths: Iterable[Path]) -> str:
    """The rows of Parquet files as an SQL table expression.

    Example:
        >>> parquet_table([Path("a.parquet"), Path("b.parquet")])
        "read_parquet(['a.parquet', 'b.parquet'], union_by_name => true)"
    """
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}], union_by_name => true)"


def path_literal(path: Path) -> str:
    """A file's path as an SQL string literal for `read_…`, in which `*`, `?` and `[` stand for themselves.

    Example:
        >>> path_literal(Path("data/a[1].csv"))
        "'data/a[[]1].csv'"
    """
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))
