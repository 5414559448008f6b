"""Delimited text. What its files are is told last of all, by `detection`: any text may be one."""

from backbone.formats.delimited.reading import read_csv, scan_csv
from backbone.formats.kinds.kind import Kind

KIND = Kind(
    "csv", "delimited text", read_csv, scan_csv, endings=(".csv", ".tsv", ".tab", ".txt"), keys=frozenset({"lenient"})
)
