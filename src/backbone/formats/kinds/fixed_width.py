"""Text in columns of fixed widths. Where nobody says them, columns are divided where all lines are blank."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.encoding import detect_encoding, sample_text
from backbone.formats.grids import Grid, filled_rows, shape_of, write_table
from backbone.formats.kinds.kind import Kind
from backbone.formats.kinds.plain import as_csv
from backbone.model.files import Template

_SAMPLE = 64 << 10
_FEW, _MOST = 3, 2000
_DELIMITERS = ",;\t|"


def _detect(path: Path, head: bytes, _part: str | None) -> Template | None:
    if b"\0" in head or not head or head.lstrip()[:1] in {b"{", b"[", b"<"}:
        return None
    encoding = detect_encoding(path)
    lines = [line for line in sample_text(path, encoding, _SAMPLE)[0].splitlines() if line.strip()][:_MOST]
    if len(lines) < _FEW or any(one in line for line in lines for one in _DELIMITERS):
        return None
    widths = _widths(lines)
    if len(widths) < 2 or not all("  " in line.strip() for line in lines):  # noqa: PLR2004 - else it is one column
        return None
    rows = list(filled_rows(_cut(line, widths) for line in lines))
    shape = shape_of(Grid(rows))
    if shape.preamble_rows:
        return None
    return Template(format="fixed_width", encoding=encoding, widths=widths, header_rows=shape.header_rows)


def _widths(lines: Sequence[str]) -> tuple[int, ...]:
    """The widths of columns, each with the blanks after it; the last is as wide as the longest line has it."""
    longest = max(map(len, lines))
    used = [any(i < len(line) and line[i] != " " for line in lines) for i in range(longest)]
    starts = [i for i in range(longest) if used[i] and (i == 0 or not used[i - 1])]
    return tuple(end - begin for begin, end in zip([0, *starts[1:]], [*starts[1:], longest], strict=True))


def _cut(line: str, widths: Sequence[int]) -> list[str]:
    """The values of a line without the blanks around them; the last one goes on to the line's end."""
    values, begin = [], 0
    for width in widths[:-1]:
        values.append(line[begin : begin + width].strip())
        begin += width
    return [*values, line[begin:].strip()]


def _rows(path: Path, template: Template, widths: Sequence[int]) -> Iterator[list[str]]:
    encoding = "utf-8-sig" if template.encoding == "utf-8" else template.encoding
    with path.open(encoding=encoding, errors="surrogateescape") as file:
        for line in file:
            yield _cut(line.rstrip("\n"), widths)


def _convert(path: Path, template: Template, _session: Session, target: Path) -> None:
    widths = template.widths
    if not widths:
        raise UsageError(f"{path.name}: fixed-width text needs `widths` of its columns, as in `widths: [10, 4, 12]`")
    write_table(lambda: filled_rows(_rows(path, template, widths)), template, (), target)


_READ, _SCAN = as_csv(_convert)
KIND = Kind("fixed_width", "fixed-width text", _READ, _SCAN, _detect, keys=frozenset({"widths"}))
