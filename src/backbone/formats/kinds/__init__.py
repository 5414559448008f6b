"""One small module for each format, and this list of them. To add one: a module with a `KIND`, and a line here.

A module is imported when a file or a template asks for its format, and its libraries when a file is read.
"""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backbone.formats.kinds.kind import Kind

FORMATS = (
    "csv",
    "json",
    "ndjson",
    "parquet",
    "excel",
    "arrow",
    "orc",
    "avro",
    "duckdb",
    "sqlite",
    "stata",
    "spss",
    "sas",
    "html",
    "xml",
    "geojson",
    "object",
    "fixed_width",
)
"""In the order in which files are tried."""
UNBUILT_FORMATS = ("access", "hdf5", "netcdf", "protobuf", "shapefile")
"""What people may look for, refused by name."""


@cache
def kind_named(name: str) -> "Kind":
    """The format of a name, one of `FORMATS`."""
    found: Kind = import_module(f"{__name__}.{name}").KIND
    return found


def kinds() -> "Iterator[Kind]":
    """All formats."""
    return map(kind_named, FORMATS)
