"""The rows of a query, in the form that is asked for."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar
from warnings import catch_warnings, simplefilter

from backbone.errors import MissingExtraError, UsageError
from backbone.lake.sealed import SealedLake
from backbone.model.names import quoted
from backbone.model.statements import bare
from backbone.workspace.arrays import arrays_of, tensors_of
from backbone.workspace.batches import Batches

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa
    import torch

T = TypeVar("T")
_BATCH = 10_000
_NAMES_SYSTEM = re.compile(r"(?<!\w)_\w")


def only(query: str, columns: Sequence[str]) -> str:
    """A query for some of another one's columns; for all where none is named."""
    if not columns:
        return query
    return f"SELECT {', '.join(map(quoted, columns))} FROM ({bare(query)}\n)"


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

    def numpy(self) -> "dict[str, np.ndarray[Any, Any]]":
        """All rows, as NumPy arrays by column.

        A column with missing values is a masked array, whatever its type; one without is a plain one. Decimals become
        float64, dates and timestamps datetime64 (in UTC), times timedelta64. Text, bytes and JSON are arrays of Python
        objects; so are lists, unless all are as long as each other: then the array has two dimensions.
        """
        found: dict[str, np.ndarray[Any, Any]] = self._as("NumPy arrays", lambda c: arrays_of(c.to_arrow_table()))
        return found

    def tensors(
        self, *columns: str, dtype: "torch.dtype | None" = None, fill: float | None = None
    ) -> "dict[str, torch.Tensor]":
        """All rows, as tensors by column; no Python object is made for a value.

        Args:
            columns: which; all of the query where none is named.
            dtype: the type of all of them; that of each column where it isn't given (decimals become float64).
            fill: what stands for missing values, which are refused without it.

        Raises:
            UsageError: a column is neither of numbers nor of truth values, or of lists of them that are equally long.
        """
        query = only(self._query, columns)
        lake, system = self._lake, self._system
        return tensors_of(self._arrow(lambda c: lake.run(query, c, system=system)), dtype, fill)

    def batches(self, rows: int = 65_536) -> "Batches[pa.RecordBatch]":
        """The rows as Arrow record batches of so many rows: only those in hand are in memory.

        `.batches(4096).numpy()` and `.batches(4096).tensors("a", "b")` give arrays and tensors. All can be iterated
        again and again, at the same snapshot.
        """
        return Batches(self._lake, self._query, rows, self._system, lambda batch: batch)

    def close(self) -> None:
        """Give the snapshot back now, and not only when nobody refers to this any more; it can't be asked again."""
        self._lake.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the snapshot back."""
        self.close()

    def _arrow(self, run: Callable[[Callable[[Any], Any]], Any]) -> Any:
        try:
            return run(lambda cursor: cursor.to_arrow_table())
        except ImportError as error:
            raise MissingExtraError("A result as tensors", "dataframes") from error

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
