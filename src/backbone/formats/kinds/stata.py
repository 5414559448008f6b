"""Stata's files (`.dta`)."""

from backbone.formats.kinds.statistics import statistics_kind

_OLD_RELEASES = bytes(range(104, 116))


def _tells(head: bytes) -> str | None:
    old = len(head) > 3 and head[0] in _OLD_RELEASES and head[1] in (1, 2) and head[2] == 1  # noqa: PLR2004 - the header's bytes
    return ".dta" if head.startswith(b"<stata_dta>") or old else None


KIND = statistics_kind("stata", "a Stata file", {".dta": "read_dta"}, _tells)
