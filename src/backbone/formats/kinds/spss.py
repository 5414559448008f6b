"""SPSS's files (`.sav`, `.zsav`, `.por`)."""

from backbone.formats.kinds.statistics import statistics_kind


def _tells(head: bytes) -> str | None:
    if head.startswith((b"$FL2", b"$FL3")):
        return ".sav"
    return ".por" if b"SPSS PORT" in head[:512] else None


KIND = statistics_kind("spss", "an SPSS file", {".sav": "read_sav", ".zsav": "read_sav", ".por": "read_por"}, _tells)
