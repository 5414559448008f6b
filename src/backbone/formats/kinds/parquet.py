"""Parquet files."""

from pathlib import Path

from backbone.errors import UsageError
from backbone.formats.kinds.kind import Kind
from backbone.formats.parquet_reading import read_parquet, scan_parquet
from backbone.model.files import Template


def _detect(path: Path, head: bytes, _part: str | None) -> Template | None:
    if head.startswith(b"PARE"):
        raise UsageError(f"{path.name} is encrypted Parquet, whose key nobody can give here. Decrypt it first")
    return Template(format="parquet") if head.startswith(b"PAR1") else None


KIND = Kind("parquet", "Parquet", read_parquet, scan_parquet, _detect, (".parquet",))
