"""Tables in HTML pages, by their number from 1; the largest if nothing is said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.encoding import detect_encoding
from backbone.formats.grids import LOOKED_AT, Grid, Merge, filled_rows, shape_of, write_table
from backbone.formats.kinds.kind import About, Kind, needed
from backbone.formats.kinds.plain import as_csv
from backbone.model.files import Template

_MOST_SPAN = 1000
_NAMES = (".html", ".htm", ".xhtml")


def _detect(path: Path, head: bytes, part: str | None) -> Template | None:
    start = head.replace(b"\0", b"").lower()
    looks = start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")
    if not looks or not any(tag in start for tag in (b"<html", b"<!doctype html", b"<table")):
        if path.suffix.lower() in _NAMES:
            raise UsageError(f"{path.name} is no HTML page, whatever its name says: rename it as what it is")
        return None
    tables = _tables(path, detect_encoding(path))
    number = _number(path, tables, part or str(1 + max(range(len(tables)), key=lambda i: len(tables[i][0]), default=0)))
    rows, merges = tables[number]
    filled = list(filled_rows(rows))
    shape = shape_of(Grid(filled[:LOOKED_AT], merges), [row for _, row in filled[1:][-10:]])
    return Template(
        format="html",
        encoding=detect_encoding(path),
        header_rows=shape.header_rows,
        preamble_rows=shape.preamble_rows,
        footer_rows=shape.footer_rows,
        table=str(number + 1) if len(tables) > 1 else None,
    )


def _tables(path: Path, encoding: str) -> list[tuple[list[list[str]], list[Merge]]]:
    """The tables of a page, those within others too: their rows, and cells that are merged."""
    html, etree = needed("lxml.html", "HTML", "xml"), needed("lxml.etree", "HTML", "xml")
    text = path.read_text(encoding=encoding, errors="replace")
    try:
        page = html.document_fromstring(text.encode(), parser=html.HTMLParser(encoding="utf-8", no_network=True))
    except (etree.ParserError, ValueError) as error:
        raise UsageError(f"{path.name} can't be read as HTML: {error}") from error
    return [_grid(table) for table in page.iter("table")]


def _grid(table: Any) -> tuple[list[list[str]], list[Merge]]:
    cells, merges, height = dict[tuple[int, int], str](), list[Merge](), 0
    for top, row in enumerate(one for one in table.iter("tr") if next(one.iterancestors("table")) is table):
        left, height = 0, top + 1
        for cell in row.iterchildren("td", "th"):
            while (top, left) in cells:
                left += 1
            down, right = _span(cell, "rowspan"), _span(cell, "colspan")
            for i in range(top, top + down):
                for j in range(left, left + right):
                    cells[i, j] = ""
            cells[top, left] = " ".join("".join(_texts(cell)).split())
            if down * right > 1:
                merges.append(((top, left), (top + down - 1, left + right - 1)))
            left += right
    width = 1 + max((column for _, column in cells), default=-1)
    return [[cells.get((i, j), "") for j in range(width)] for i in range(height)], merges


def _texts(cell: Any) -> Iterator[str]:
    yield cell.text or ""
    for child in cell:
        if child.tag == "br":
            yield " "
        elif isinstance(child.tag, str) and child.tag not in {"script", "style", "table"}:
            yield from _texts(child)
        yield child.tail or ""


def _span(cell: Any, name: str) -> int:
    text = cell.get(name, "1").strip()
    return min(max(int(text), 1), _MOST_SPAN) if text.isdecimal() else 1


def _number(path: Path, tables: list[Any], wanted: str | None) -> int:
    """The place of the table that is wanted.

    Raises:
        UsageError: there is none, or no such.
    """
    if not tables:
        raise UsageError(f"{path.name} has no table")
    if wanted is None and len(tables) > 1:
        raise UsageError(f"{path.name} has {len(tables)} tables. Say which by its number: `template: {{table: 1}}`")
    if wanted is not None and not (wanted.isdecimal() and 0 < int(wanted) <= len(tables)):
        raise UsageError(f"{path.name} has no table '{wanted}': they are numbered from 1 to {len(tables)}")
    return int(wanted or 1) - 1


def _parts(path: Path, _session: Session) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, 1 + len(_tables(path, detect_encoding(path)))))


def _convert(path: Path, template: Template, _session: Session, target: Path) -> None:
    tables = _tables(path, template.encoding)
    rows, merges = tables[_number(path, tables, template.table)]
    write_table(lambda: filled_rows(rows), template, merges, target)


def _about(path: Path, template: Template, _session: Session) -> About:
    count = len(_tables(path, template.encoding))
    return About((f"table {template.table} of {count}: --part NUMBER, or --part all",) if count > 1 else ())


_READ, _SCAN = as_csv(_convert)
KIND = Kind(
    "html",
    "an HTML page",
    _READ,
    _SCAN,
    _detect,
    endings=_NAMES,
    keys=frozenset({"table"}),
    extra="xml",
    part="table",
    parts=_parts,
    about=_about,
)
