"""Columns as NumPy arrays and as tensors: converted as a whole, or not at all; never value by value.

Numbers, truth values and moments keep their memory where both agree on it. Text, bytes, JSON and uneven lists have no
such form: in NumPy they are objects, and there are no tensors of them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, simplefilter

from backbone.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    import torch

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
Tensors = Mapping[str, "torch.Tensor"]


def arrays_of(table: "pa.Table | pa.RecordBatch") -> "dict[str, np.ndarray[Any, Any]]":
    """The columns as arrays; one with missing values is a masked array."""
    return {name: _array(_whole(column)) for name, column in zip(table.schema.names, table.columns, strict=True)}


def tensors_of(
    table: "pa.Table | pa.RecordBatch", dtype: "torch.dtype | None", fill: float | None
) -> "dict[str, torch.Tensor]":
    """The columns as tensors, of one type if `dtype` is given; `fill` stands for missing values.

    Raises:
        UsageError: a column has no tensor, or misses values and there is no `fill`.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("A result as tensors", "torch") from error
    found = {}
    for name, column in zip(table.schema.names, table.columns, strict=True):
        array = _numbers(name, _whole(column), fill)
        with catch_warnings():
            simplefilter("ignore", UserWarning)  # that Arrow's memory is not to be written to: it is nobody else's
            tensor = torch.from_numpy(array)
        found[name] = tensor if dtype is None else tensor.to(dtype)
    return found


def _whole(column: Any) -> Any:
    """A column in one piece."""
    import pyarrow as pa

    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])


def _array(column: Any) -> "np.ndarray[Any, Any]":
    import numpy as np

    values = _values(column)
    if values is None or (values.ndim == 1 and not column.null_count):
        return _objects(column) if values is None else values
    if not column.null_count:
        return values
    mask = column.is_null().to_numpy(zero_copy_only=False)
    return np.ma.MaskedArray(values, mask if values.ndim == 1 else np.broadcast_to(mask[:, None], values.shape))


def _objects(column: Any) -> "np.ndarray[Any, Any]":
    found: np.ndarray[Any, Any] = column.to_numpy(zero_copy_only=False)
    return found


def _numbers(name: str, column: Any, fill: float | None) -> "np.ndarray[Any, Any]":
    """A column as numbers, `fill` in the place of missing ones.

    Raises:
        UsageError: it can't be.
    """
    import numpy as np

    _refuse_no_numbers(name, column.type)
    values = _values(column)
    if values is None:
        raise UsageError(
            f"'{name}' is a column of lists that differ in length or miss entries, and a tensor has no gaps. Make them "
            f"alike in SQL, such as list_resize({name}, 16, 0), or leave it out"
        )
    if not column.null_count:
        return values
    if fill is None:
        raise UsageError(
            f"'{name}' misses {column.null_count:,} of {len(column):,} values, and a tensor has no gaps. Give "
            f"fill=0 (or another number), or say in SQL what they are: coalesce({name}, …) or WHERE {name} IS NOT NULL"
        )
    mask = column.is_null().to_numpy(zero_copy_only=False)
    filled = values.astype(np.result_type(values.dtype, np.min_scalar_type(fill)))
    filled[mask] = fill
    return filled


def _refuse_no_numbers(name: str, kind: Any) -> None:
    """Refuse what has no numbers, and say what to do.

    Raises:
        UsageError: a column of this type has none.
    """
    import pyarrow as pa

    while pa.types.is_list(kind):
        kind = kind.value_type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    ):
        return
    if pa.types.is_temporal(kind):
        what = "a time of day" if pa.types.is_time(kind) else "a date or timestamp"
        raise UsageError(
            f"'{name}' is {what}, which no tensor holds. Make a number of it in SQL: epoch({name}) for seconds, "
            f"dayofweek({name}), hour({name}) …"
        )
    raise UsageError(
        f"'{name}' is {'text' if pa.types.is_string(kind) else kind}, which no tensor holds. Make a number of it in "
        f"SQL, such as dense_rank() OVER (ORDER BY {name}) - 1 or hash({name}) % 1000, or name the columns that are "
        "wanted: .tensors('amount', …)"
    )


def _values(column: Any) -> "np.ndarray[Any, Any] | None":
    """A column's values by one conversion, with anything where they are missing; None if there is no such form."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_list(kind):
        return _matrix(column)
    if pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
    elif pa.types.is_time(kind):
        whole: np.ndarray[Any, Any] = _filled(column.cast(pa.int64()))
        return whole.view("timedelta64[us]")
    elif not (pa.types.is_primitive(kind) or pa.types.is_boolean(kind)):
        return None
    return _filled(column)


def _filled(column: Any) -> "np.ndarray[Any, Any]":
    import pyarrow as pa

    if column.null_count:
        zero = pa.scalar(0, pa.int64()).cast(pa.bool_() if pa.types.is_boolean(column.type) else pa.int64())
        if pa.types.is_date32(column.type):
            zero = zero.cast(pa.int32())
        column = column.fill_null(zero.cast(column.type))
    values: np.ndarray[Any, Any] = column.to_numpy(zero_copy_only=False)
    return values


def _matrix(column: Any) -> "np.ndarray[Any, Any] | None":
    """Lists of equal length without gaps as one array, a row each; None if they aren't."""
    import numpy as np

    if column.null_count or not len(column):
        return None
    lengths = column.value_lengths().to_numpy(zero_copy_only=False)
    flat = column.flatten()
    inner = None if flat.null_count or not (lengths == lengths[0]).all() else _values(flat)
    return None if inner is None else np.reshape(inner, (len(column), lengths[0], *inner.shape[1:]))
