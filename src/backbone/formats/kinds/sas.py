"""SAS's files (`.sas7bdat`, and transport files `.xpt`)."""

from backbone.formats.kinds.statistics import statistics_kind

_TABLE = bytes(12) + b"\xc2\xea\x81\x60"


def _tells(head: bytes) -> str | None:
    if head.startswith(_TABLE):
        return ".sas7bdat"
    return ".xpt" if head.startswith((b"HEADER RECORD*******LIBRARY HEADER", b"HEADER RECORD*******LIBV8")) else None


KIND = statistics_kind("sas", "a SAS file", {".sas7bdat": "read_sas7bdat", ".xpt": "read_xport"}, _tells)
