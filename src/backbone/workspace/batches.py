"""The rows of a query, so many at once: for data that are larger than memory."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from backbone.errors import MissingExtraError, UsageError
from backbone.workspace.arrays import Arrays, Tensors, arrays_of, tensors_of

if TYPE_CHECKING:
    import pyarrow as pa
    import torch

    from backbone.lake.sealed import SealedLake

Batch_co = TypeVar("Batch_co", covariant=True)
"""What one batch is: an Arrow record batch, arrays or tensors by column."""


class Batches(Generic[Batch_co]):
    """Batches of a query's rows: each has as many as wanted but for the last.

    It can be iterated again and again, as for each epoch of a training: the query runs anew, on the same snapshot. That
    stays readable until this is closed or nobody refers to it. Only the batches in hand are in memory.

    Example:
        >>> for batch in workspace.table("flights").batches(rows=4096).tensors("distance", "air_time", fill=0):
        ...     batch["distance"]
    """

    def __init__(
        self, lake: "SealedLake", query: str, rows: int, system: bool, form: "Callable[[Any], Batch_co]"
    ) -> None:
        if rows < 1:
            raise UsageError(f"A batch has at least one row, not {rows}. For example: .batches(rows=4096)")
        self._lake, self._query, self._rows, self._system, self._form = lake, query, rows, system, form

    def __iter__(self) -> Iterator[Batch_co]:
        try:
            import pyarrow  # noqa: ICN001, F401 - only whether it is there
        except ImportError as error:
            raise MissingExtraError("A result in batches", "dataframes") from error
        found = self._lake.batches(self._query, self._rows, system=self._system)
        return map(self._form, _exactly(found, self._rows))

    def numpy(self) -> "Batches[Arrays]":
        """The same batches as NumPy arrays by column; see `Result.numpy`."""
        return Batches(self._lake, self._query, self._rows, self._system, lambda batch: arrays_of(self._form(batch)))

    def tensors(
        self, *columns: str, dtype: "torch.dtype | None" = None, fill: float | None = None
    ) -> "Batches[Tensors]":
        """The same batches as tensors by column; see `Result.tensors`."""
        from backbone.workspace.results import only

        def form(batch: Any) -> Tensors:
            return tensors_of(self._form(batch), dtype, fill)

        return Batches(self._lake, only(self._query, columns), self._rows, self._system, form)

    def close(self) -> None:
        """Give the snapshot back: neither this nor the result that it came from can be asked again."""
        self._lake.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give the snapshot back."""
        self.close()


def _exactly(found: "Iterator[pa.RecordBatch]", rows: int) -> "Iterator[pa.RecordBatch]":
    """The same rows in batches of as many as wanted; what DuckDB gives comes in blocks of its own size."""
    waiting: list[pa.RecordBatch] = []
    missing = rows
    for batch in found:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, missing)
            waiting.append(part)
            start, missing = start + part.num_rows, missing - part.num_rows
            if not missing:
                yield _joined(waiting)
                waiting, missing = [], rows
    if waiting:
        yield _joined(waiting)


def _joined(parts: "list[pa.RecordBatch]") -> "pa.RecordBatch":
    import pyarrow as pa

    return parts[0] if len(parts) == 1 else pa.concat_batches(parts)
