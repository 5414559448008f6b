"""Spreadsheets: Excel's workbooks, old and new, and those of OpenDocument. A sheet's cells become exact, stable text.

Hidden rows, columns and sheets are read like others: what is hidden is there. Of formulas, the values count that the
workbook was saved with.
"""

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError, did_you_mean, shown_value
from backbone.formats.grids import LOOKED_AT, Grid, Merge, Row, filled_rows, shape_of, write_table
from backbone.formats.kinds.kind import About, Kind, needed
from backbone.formats.kinds.plain import as_csv
from backbone.model.files import Template

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xltx", ".xls", ".ods")
_WHOLE = 2**53
"""The first whole number that a cell, a float of 64 bits, can't tell from its neighbour."""
_NOISE_FREE, _KEPT = 15, 12
_LISTED = 10


def _detect(path: Path, head: bytes, part: str | None) -> Template | None:
    if not _is_workbook(path, head):
        if path.suffix.lower() in _ENDINGS and not head.lstrip()[:1] == b"<":
            raise UsageError(f"{path.name} is no workbook, whatever its name says. Rename it as what it is")
        return None
    with _opened(path) as book:
        sheets = _sheets(book)
        sheet = _sheet(book, Template(sheet=part), path) if part else _best(book, path)
        shape = _shape(book, sheet)
    return Template(
        format="excel",
        sheet=sheet if len(sheets) > 1 else None,
        header_rows=shape.header_rows,
        preamble_rows=shape.preamble_rows,
        footer_rows=shape.footer_rows,
    )


def _is_workbook(path: Path, head: bytes) -> bool:
    if head.startswith(_OLD):
        return True
    if not head.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError):
        return path.suffix.lower() in _ENDINGS
    return any(name.startswith("xl/") for name in names) or kind.startswith(
        b"application/vnd.oasis.opendocument.spreadsheet"
    )


def _opened(path: Path) -> Any:
    """The workbook.

    Raises:
        MissingExtraError: the library for it isn't there.
        UsageError: it is encrypted, damaged, or another document.
    """
    calamine = needed("python_calamine", "a workbook", "excel")
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except (calamine.PasswordError, calamine.CalamineError, OSError) as error:
        if isinstance(error, calamine.PasswordError) or _is_encrypted(path):
            raise UsageError(f"{path.name} is protected by a password. Save it without one") from error
        raise UsageError(
            f"{path.name} is a damaged workbook, or none: {error}. Fetch it again, or save it as .xlsx"
        ) from error


def _is_encrypted(path: Path) -> bool:
    """Whether an old container holds an encrypted workbook: the names of its streams are in UTF-16."""
    with path.open("rb") as file:
        if file.read(8) != _OLD:
            return False
        file.seek(0)
        return "EncryptedPackage".encode("utf-16-le") in file.read(16 << 20)


def _sheets(book: Any) -> list[str]:
    """The names of sheets with cells, charts apart, in order."""
    return [one.name for one in book.sheets_metadata if str(one.typ).endswith("WorkSheet")]


def _parts(path: Path, _session: Session) -> tuple[str, ...]:
    with _opened(path) as book:
        return tuple(name for name in _sheets(book) if _height(book, name))


def _height(book: Any, name: str) -> int:
    sheet = book.get_sheet_by_name(name)
    return int(sheet.height) if sheet.start is not None else 0


def _best(book: Any, path: Path) -> str:
    """The sheet with most cells, hidden ones last; the first of equals."""
    hidden = {one.name for one in book.sheets_metadata if not str(one.visible).endswith("Visible")}
    sizes = {}
    for name in _sheets(book):
        sheet = book.get_sheet_by_name(name)
        sizes[name] = sheet.height * sheet.width if sheet.start is not None else 0
    if not any(sizes.values()):
        raise UsageError(f"{path.name} has no cells with values in any sheet. Add it when it has some")
    return max((name for name in sizes if sizes[name]), key=lambda name: (name not in hidden, sizes[name]))


def _sheet(book: Any, template: Template, path: Path) -> str:
    """The sheet that a template names, or the only one with values.

    Raises:
        UsageError: there is no such sheet, or there are several.
    """
    names = _sheets(book)
    if template.sheet is not None:
        if template.sheet not in names:
            near = did_you_mean(template.sheet, names)
            raise UsageError(f"{path.name} has no sheet '{shown_value(template.sheet)}'.{near} It has {_listed(names)}")
        return template.sheet
    full = [name for name in names if _height(book, name)] or names
    if len(full) != 1:
        raise UsageError(
            f"{path.name} has {len(full)} sheets: {_listed(full)}. A source reads one: write "
            f"`template: {{format: excel, sheet: {full[0] if full else 'NAME'}}}`"
        )
    return full[0]


def _listed(names: Sequence[str]) -> str:
    shown = [f"'{shown_value(name)}'" for name in names[:_LISTED]]
    return ", ".join(shown) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "") or "none"


def _rows(book: Any, name: str) -> Iterator[tuple[int, Row]]:
    return filled_rows([_text(value) for value in row] for row in book.get_sheet_by_name(name).iter_rows())


def _merges(book: Any, name: str) -> Sequence[Merge]:
    return book.get_sheet_by_name(name).merged_cell_ranges or ()


def _shape(book: Any, name: str) -> Any:
    rows = list(islice(_rows(book, name), LOOKED_AT))
    last = list(_rows(book, name)) if len(rows) == LOOKED_AT else rows
    return shape_of(Grid(rows, _merges(book, name)), [row for _, row in last[1:][-10:]])


def _text(value: Any) -> str:
    """A cell's value as text: whole numbers without a point, times in ISO form, durations in hours."""
    if isinstance(value, str):
        return "" if not value.strip() else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, timedelta):
        return _duration(value)
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def number_text(value: float) -> str:
    """A number as a sheet shows it: `1`, not `1.0`; `0.3`, not `0.30000000000000004`, of which 15 digits count.

    A number whose digits go on is written in full, so that it is read as the very same.
    """
    if value.is_integer() and abs(value) < _WHOLE:
        return str(int(value))
    text, shown = repr(value), f"{value:.{_NOISE_FREE}g}"
    digits = len(shown.partition("e")[0].lstrip("-0.").replace(".", ""))
    return (repr(float(shown)) if digits <= _KEPT else text).removesuffix(".0")


def _duration(value: timedelta) -> str:
    """Hours, which may be many, minutes and seconds."""
    sign, whole = ("-", -value) if value < timedelta(0) else ("", value)
    seconds = whole.days * 86400 + whole.seconds
    fraction = f".{whole.microseconds:06d}".rstrip("0") if whole.microseconds else ""
    return f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"


def _convert(path: Path, template: Template, _session: Session, target: Path) -> None:
    with _opened(path) as book:
        name = _sheet(book, template, path)
        write_table(lambda: _rows(book, name), template, _merges(book, name), target)


def _about(path: Path, template: Template, _session: Session) -> About:
    with _opened(path) as book:
        name, names = _sheet(book, template, path), [n for n in _sheets(book) if _height(book, n)]
    others = [other for other in names if other != name]
    if not others:
        return About()
    listed = _listed(others)
    sentence = f"sheet '{shown_value(name)}' of {len(names)}; the others are {listed}: --part NAME, or --part all"
    return About((sentence,))


def _place(path: Path, template: Template, record: int) -> str | None:
    with _opened(path) as book:
        name = _sheet(book, template, path)
        wanted = template.preamble_rows + template.header_rows + record - 1
        place = next(islice(_rows(book, name), wanted, None), None)
    return f"row {place[0] + 1} of sheet '{shown_value(name)}'" if place else None


_READ, _SCAN = as_csv(_convert)
KIND = Kind(
    "excel",
    "a workbook",
    _READ,
    _SCAN,
    _detect,
    endings=_ENDINGS,
    keys=frozenset({"sheet", "header_rows", "preamble_rows", "footer_rows"}),
    extra="excel",
    part="sheet",
    parts=_parts,
    about=_about,
    place=_place,
)
