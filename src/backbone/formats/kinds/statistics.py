"""Files of statistics programs: Stata, SAS and SPSS. Labels of variables describe columns; values stay as coded.

What such a file calls missing, be it of the system's or of a user's kinds, is missing.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError, shown_value
from backbone.formats.kinds.kind import About, Detect, Kind, needed
from backbone.formats.kinds.plain import as_parquet
from backbone.formats.kinds.tables import write_batches
from backbone.model.files import Template

_ROWS = 100_000
_LABELS = 12


def statistics_kind(name: str, says: str, readers: dict[str, str], tells: Callable[[bytes], str | None]) -> Kind:
    """A format whose files `tells` by their first bytes, to be read by pyreadstat's reader of that ending."""

    def detect(path: Path, head: bytes, _part: str | None) -> Template | None:
        if tells(head):
            return Template(format=name)
        if path.suffix.lower() in readers:
            raise UsageError(f"{path.name} is not {says}, whatever its name says: rename it as what it is")
        return None

    def reader(path: Path) -> Any:
        with path.open("rb") as file:
            ending = tells(file.read(1024))
        if ending is None:
            raise UsageError(f"{path.name} is not {says}")
        return getattr(needed("pyreadstat", says, "statistics"), readers[ending])

    def convert(path: Path, _template: Template, _session: Session, target: Path) -> None:
        pyarrow, read = needed("pyarrow", says, "statistics"), reader(path)
        try:
            first = _batches(path, read, pyarrow)
            schema = _schema(path, read, pyarrow)
            write_batches(schema, (_as(batch, schema, pyarrow) for batch in first), target)
        except Exception as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"{path.name} can't be read as {says}: {error}. Fetch it again") from error

    def about(path: Path, _template: Template, _session: Session) -> About:
        _, meta = reader(path)(str(path), metadataonly=True)
        descriptions = {k: str(v) for k, v in meta.column_names_to_labels.items() if v}
        return About(tuple(_labels(meta)), descriptions)

    read, scan = as_parquet(convert)
    made: Detect = detect
    return Kind(name, says, read, scan, made, tuple(readers), extra="statistics", about=about)


def _batches(path: Path, read: Any, pyarrow: Any) -> Iterator[dict[str, Any]]:
    offset = 0
    while True:
        columns, _ = read(str(path), row_offset=offset, row_limit=_ROWS, output_format="dict")
        rows = len(next(iter(columns.values()), ()))
        if rows:
            yield {name: _array(values, pyarrow) for name, values in columns.items()}
        if rows < _ROWS:
            return
        offset += rows


def _array(values: Any, pyarrow: Any) -> Any:
    """A column of Python's and numpy's values; NaN is nothing there."""
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    plain = [None if value is None or value != value else value for value in plain]  # noqa: PLR0124 - not a number
    return pyarrow.array(plain, from_pandas=True)


def _schema(path: Path, read: Any, pyarrow: Any) -> Any:
    """The types of all columns over all rows: whole numbers where all are, times where the file says so."""
    kinds: dict[str, Any] = {}
    for batch in _batches(path, read, pyarrow):
        for name, array in batch.items():
            kind = _kind(array, pyarrow)
            kinds[name] = _wider(kinds.get(name, pyarrow.null()), kind, pyarrow)
    if not kinds:
        _, meta = read(str(path), metadataonly=True)
        kinds = dict.fromkeys(meta.column_names, pyarrow.string())
    return pyarrow.schema(list(kinds.items()))


def _kind(array: Any, pyarrow: Any) -> Any:
    if pyarrow.types.is_floating(array.type):
        compute = needed("pyarrow.compute", "statistics", "statistics")
        whole = compute.all(compute.equal(compute.floor(array), array)).as_py()
        large = compute.any(compute.greater(compute.abs(array), 2**53)).as_py()
        return pyarrow.int64() if whole and not large else pyarrow.float64()
    return array.type


def _wider(one: Any, other: Any, pyarrow: Any) -> Any:
    if one == other or pyarrow.types.is_null(other):
        return one
    if pyarrow.types.is_null(one):
        return other
    numbers = {pyarrow.int64(), pyarrow.float64()}
    return pyarrow.float64() if {one, other} <= numbers else pyarrow.string()


def _as(batch: dict[str, Any], schema: Any, pyarrow: Any) -> Any:
    return pyarrow.RecordBatch.from_arrays([batch[f.name].cast(f.type) for f in schema], schema=schema)


def _labels(meta: Any) -> Iterator[str]:
    """What the codes of columns mean, as far as the file says."""
    for column, labels in meta.variable_value_labels.items():
        said = [f"{shown_value(code)} = {shown_value(label)}" for code, label in list(labels.items())[:_LABELS]]
        more = f" and {len(labels) - _LABELS} more" if len(labels) > _LABELS else ""
        yield f"{column}: {', '.join(said)}{more}"
