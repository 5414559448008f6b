"""Tables in memory, batch by batch, as one Parquet file whose types are those of the batches."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backbone.formats.kinds.kind import needed


def write_batches(schema: Any, batches: Iterable[Any], target: Path) -> None:
    """Write Arrow's record batches as Parquet; types that Parquet lacks become those that hold their values.

    A dictionary's values are written themselves.
    """
    pyarrow, parquet = needed("pyarrow", "typed files", "arrow"), needed("pyarrow.parquet", "typed files", "arrow")
    wanted = pyarrow.schema([pyarrow.field(f.name, _kept(f.type, pyarrow)) for f in schema])
    with parquet.ParquetWriter(str(target), wanted, compression="snappy") as writer:
        for batch in batches:
            columns = [batch.column(i).cast(field.type) for i, field in enumerate(wanted)]
            writer.write_table(pyarrow.Table.from_arrays(columns, schema=wanted))


def _kept(kind: Any, pyarrow: Any) -> Any:
    """The type in Parquet, and in DuckDB, that holds all values of a type."""
    types = pyarrow.types
    if types.is_dictionary(kind):
        return _kept(kind.value_type, pyarrow)
    others = (
        (types.is_null, pyarrow.string()),
        (types.is_date64, pyarrow.date32()),
        (types.is_duration, pyarrow.int64()),
        (types.is_float16, pyarrow.float32()),
    )
    if types.is_timestamp(kind) and kind.unit == "s":
        return pyarrow.timestamp("ms", kind.tz)
    return next((other for test, other in others if test(kind)), kind)
