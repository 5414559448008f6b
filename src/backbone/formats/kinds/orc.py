"""ORC files. Stripes go over one at a time."""

from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.kinds.kind import Kind, needed
from backbone.formats.kinds.plain import as_parquet
from backbone.formats.kinds.tables import write_batches
from backbone.model.files import Template


def _detect(path: Path, head: bytes, _part: str | None) -> Template | None:
    if head.startswith(b"ORC"):
        return Template(format="orc")
    if path.suffix.lower() == ".orc":
        raise UsageError(f"{path.name} is no ORC file, whatever its name says: rename it as what it is")
    return None


def _convert(path: Path, _template: Template, _session: Session, target: Path) -> None:
    pyarrow, orc = needed("pyarrow", "ORC", "arrow"), needed("pyarrow.orc", "ORC", "arrow")
    try:
        file = orc.ORCFile(str(path))
        write_batches(file.schema, (file.read_stripe(number) for number in range(file.nstripes)), target)
    except (pyarrow.ArrowException, OSError) as error:
        raise UsageError(f"{path.name} can't be read as ORC: {error}. Fetch it again") from error


_READ, _SCAN = as_parquet(_convert)
KIND = Kind("orc", "ORC", _READ, _SCAN, _detect, (".orc",), extra="arrow")
