"""Arrow's files, Feather of version 2 among them, and its streams. Batches go over one at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.kinds.kind import Kind, needed
from backbone.formats.kinds.plain import as_parquet
from backbone.formats.kinds.tables import write_batches
from backbone.model.files import Template

_FILE = b"ARROW1"
_STREAM = b"\xff\xff\xff\xff"
_OLD_FEATHER = b"FEA1"
_ENDINGS = (".arrow", ".feather", ".ipc", ".arrows")


def _detect(path: Path, head: bytes, _part: str | None) -> Template | None:
    if head.startswith(_OLD_FEATHER):
        raise UsageError(
            f"{path.name} is Feather of version 1, which is read no more. Write it as version 2 or Parquet"
        )
    if head.startswith(_FILE) or (head.startswith(_STREAM) and path.suffix.lower() in _ENDINGS):
        return Template(format="arrow")
    if path.suffix.lower() in _ENDINGS:
        raise UsageError(f"{path.name} is no Arrow file, whatever its name says: rename it as what it is")
    return None


def _convert(path: Path, _template: Template, _session: Session, target: Path) -> None:
    pyarrow, ipc = needed("pyarrow", "an Arrow file", "arrow"), needed("pyarrow.ipc", "an Arrow file", "arrow")
    try:
        with pyarrow.memory_map(str(path)) as file:
            is_file = file.read(len(_FILE)) == _FILE
            file.seek(0)
            reader = ipc.open_file(file) if is_file else ipc.open_stream(file)
            write_batches(reader.schema, _batches(reader, is_file=is_file), target)
    except (pyarrow.ArrowException, OSError) as error:
        raise UsageError(f"{path.name} can't be read as Arrow: {error}. Fetch it again") from error


def _batches(reader: Any, *, is_file: bool) -> Iterator[Any]:
    if is_file:
        return (reader.get_batch(number) for number in range(reader.num_record_batches))
    return iter(reader)


_READ, _SCAN = as_parquet(_convert)
KIND = Kind("arrow", "an Arrow file", _READ, _SCAN, _detect, _ENDINGS, extra="arrow")
