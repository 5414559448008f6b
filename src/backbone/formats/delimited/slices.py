"""A delimited file cut at ends of records into slices, so that they are read side by side and yet numbered.

Records are counted as line ends outside of quotes, which is right where quotes are in order. Nobody needs to trust it:
a slice that ends inside quotes has an unreadable record, and whoever reads a slice finds how many records it has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backbone.formats.encoding import CHUNK_BYTES
from backbone.model.files import Template

_SLICE_BYTES = 32 << 20
_WAVE = 32
_TAIL_BYTES = 1 << 16
NUMBER = "row_number() OVER ()"
"""The number of a row as rows come: an order that threads would lose, so that each slice is read by one."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a file, in a file: the records before it, and its own. The first has preamble and header too."""

    path: Path
    before: int
    records: int
    first: bool = True


def numbered(one: Slice) -> str:
    """SQL: the number of a record in a slice; an error where there are more than there should be."""
    return f"CASE WHEN {NUMBER} <= {one.records} THEN {NUMBER} + {one.before} ELSE error('miscounted') END"


def can_be_cut(template: Template) -> bool:
    """Whether a quote inside of quotes is doubled, so that an even number of them is before every end of a record."""
    return template.quotechar in {"", template.escapechar}


def waves(file: Path, template: Template, scratch: Path, *, width: int) -> Iterator[tuple[Slice, ...]]:
    """The slices of a file, up to 1 GB at a time, in order; they are gone when the next are asked for.

    A small file is its own only slice. `width` is how many fields its records have: a blank line is a record of one.
    """
    size, before, slices = file.stat().st_size, 0, list[Slice]()
    for start, end, lines in _cuts(file, template, size):
        records = lines - (0 if start else template.header_rows) + (_odd_lines(file, width) if end == size else 0)
        path = file if end - start == size else _copied(file, start, end, scratch)
        slices.append(Slice(path, before, max(records, 0), not start))
        before += slices[-1].records
        if end == size or len(slices) == _WAVE:
            try:
                yield tuple(slices)
            finally:
                for one in slices:
                    if one.path != file:
                        one.path.unlink()
            slices = []


def _cuts(file: Path, template: Template, size: int) -> Iterator[tuple[int, int, int]]:
    """Where each slice begins and ends, and how many records end in it."""
    quote, start, lines, inside = template.quotechar.encode(), 0, 0, False
    with file.open("rb") as text:
        for _ in range(template.preamble_rows):
            text.readline()
        at = text.tell()
        while chunk := text.read(CHUNK_BYTES):
            found, last, inside = _line_ends(chunk, quote, inside=inside)
            lines += found
            if last and min(at + last - start, size - at - last) >= _SLICE_BYTES:
                yield start, at + last, lines
                start, lines = at + last, 0
            at += len(chunk)
    yield start, size, lines


def _line_ends(chunk: bytes, quote: bytes, *, inside: bool) -> tuple[int, int, bool]:
    """Line ends outside of quotes, the end of the last of them (0: none), and whether quotes are open after all."""
    if not quote or quote not in chunk:
        return (0, 0, True) if inside else (chunk.count(b"\n"), chunk.rfind(b"\n") + 1, False)
    parts = chunk.split(quote)
    outside = range(int(inside), len(parts), 2)
    lines = b"".join(parts[i] for i in outside).count(b"\n")
    last = next((i for i in reversed(outside) if b"\n" in parts[i]), None)
    after = 0 if last is None else len(chunk) - sum(len(part) + len(quote) for part in parts[last + 1 :])
    end = 0 if last is None else after - len(parts[last]) + parts[last].rfind(b"\n") + 1
    return lines, end, inside != (len(parts) % 2 == 0)


def _odd_lines(file: Path, width: int) -> int:
    """What counting line ends misses at the end of a file: a last line without one, blank lines that aren't records."""
    with file.open("rb") as text:
        text.seek(max(0, text.seek(0, 2) - _TAIL_BYTES))
        tail = text.read()
    if not tail.endswith(b"\n"):
        return 1 if tail else 0
    return 1 - tail[len(tail.rstrip(b"\r\n")) :].count(b"\n") if width > 1 else 0


def _copied(file: Path, start: int, end: int, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{start}.slice"
    with file.open("rb") as text, path.open("wb") as copy:
        text.seek(start)
        while start < end:
            start += copy.write(text.read(min(CHUNK_BYTES, end - start)))
    return path
