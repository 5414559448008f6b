"""The rows of a query, in the form that is asked for."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from warnings import catch_warnings, simplefilter

from backbone.errors import MissingExtraError, UsageError
from backbone.lake.sealed import SealedLake

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

T = TypeVar("T")
_BATCH = 10_000
_NAMES_SYSTEM = re.compile(r"(?<!\w)_\w")


def _narrowed(query: str) -> str:
    from backbone.lineage.stars import hide_system_columns

    return hide_system_columns(query)


def _dataframe(cursor: Any) -> Any:
    with catch_warnings():  # DuckDB's conversion uses what newer pandas deprecate
        simplefilter("ignore", DeprecationWarning)
        return cursor.df()


class Result:
    """What a query returns: it runs, sealed, each time that rows are asked for.

    Example:
        >>> workspace.sql("from sales").df()
    """

    def __init__(self, lake: SealedLake, query: str) -> None:
        self._lake = lake
        self._system = _NAMES_SYSTEM.search(query) is not None
        self._query = _narrowed(query) if self._system else query
        self._columns: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names."""
        if self._columns is None:
            self._columns = self._run(lambda cursor: tuple(c[0] for c in cursor.description or ()))
        return self._columns

    def rows(self) -> list[tuple[Any, ...]]:
        """All rows, as tuples of Python values."""

        def collect(cursor: Any) -> list[tuple[Any, ...]]:
            self._columns = tuple(c[0] for c in cursor.description or ())
            return list(cursor.fetchall())

        return self._run(collect)

    def head(self, limit: int = 10) -> tuple[list[tuple[Any, ...]], int]:
        """The first rows, and how many there are in all: the others are counted, not kept."""

        def collect(cursor: Any) -> tuple[list[tuple[Any, ...]], int]:
            self._columns = tuple(c[0] for c in cursor.description or ())
            first = list(cursor.fetchmany(limit))
            total = len(first)
            while more := len(cursor.fetchmany(_BATCH)):
                total += more
            return first, total

        return self._run(collect)

    def df(self) -> "pd.DataFrame":
        """All rows, as a pandas dataframe."""
        frame: pd.DataFrame = self._as("pandas", _dataframe)
        return frame

    def pl(self) -> "pl.DataFrame":
        """All rows, as a polars dataframe."""
        frame: pl.DataFrame = self._as("polars", lambda cursor: cursor.pl())
        return frame

    def arrow(self) -> "pa.Table":
        """All rows, as an Arrow table."""
        return self._as("pyarrow", lambda cursor: cursor.to_arrow_table())

    def _run(self, collect: Callable[[Any], T]) -> T:
        return self._lake.run(self._query, collect, system=self._system)

    def _as(self, what: str, collect: Callable[[Any], Any]) -> Any:
        try:
            return self._run(collect)
        except ImportError as error:
            raise MissingExtraError(f"A result as {what}", "dataframes") from error

    def write(self, path: Path) -> int:
        """Write the rows to a `.csv`, `.json` or `.parquet` file, and return how many there are.

        Raises:
            UsageError: another suffix, or a folder that isn't there.
        """
        kinds = {".csv": "FORMAT csv, HEADER true", ".json": "FORMAT json, ARRAY true", ".parquet": "FORMAT parquet"}
        if path.suffix not in kinds:
            raise UsageError(
                f"'{path.name}' is no kind of file that rows can be written to. One of: {', '.join(kinds)}"
            )
        if not path.parent.is_dir():
            raise UsageError(f"There is no folder '{path.parent}' to write to. Make it: mkdir -p {path.parent}")
        return self._lake.write(self._query, path, kinds[path.suffix], system=self._system)
