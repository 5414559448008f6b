"""Rows as Arrow batches, in the schema that a table format is given."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from backbone.engine.protocol import Session
from backbone.exporting.content import Table

if TYPE_CHECKING:
    import pyarrow as pa


class Batches:
    """A table's rows, batch by batch, for libraries that read a stream and tell in words of their own why it failed.

    The schema says which columns are never null, and what each means. `rows` counts those read so far, `failed` is what
    went wrong while they were.
    """

    def __init__(self, table: Table, session: Session, form: Mapping[str, str]) -> None:
        self.rows = 0
        self.failed: BaseException | None = None
        self._source = session.fetch(table.query(dict(form)), "arrow_batches")
        self._schema = _schema(table, self._source.schema)

    def reader(self) -> "pa.RecordBatchReader":
        """The stream."""
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self._schema, self._batches())

    def _batches(self) -> Iterator[Any]:
        import pyarrow as pa

        try:
            for batch in self._source:
                self.rows += batch.num_rows
                yield pa.RecordBatch.from_arrays(batch.columns, schema=self._schema)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.failed = error
            raise


def _schema(table: Table, found: Any) -> Any:
    import pyarrow as pa

    def metadata(comment: str) -> dict[str, str] | None:
        return {"comment": comment, "doc": comment} if comment else None  # as Delta and as Iceberg look for it

    return pa.schema(
        pa.field(
            column.name,
            field.type,
            nullable=column.name not in table.constraints.required,
            metadata=metadata(column.comment),
        )
        for column, field in zip(table.columns, found, strict=True)
    )
