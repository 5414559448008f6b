"""Headers in files and the names of columns: how one becomes the other, and how they are matched."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from backbone.model.files import Column

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SIGNS = {"%": " percent ", "€": " eur ", "$": " usd ", "£": " gbp ", "#": " number ", "&": " and ", "ß": "ss"}


def normal_header(text: str) -> str:
    """A header as it is compared: trimmed, NFC, case folded, blanks squeezed."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def column_names(headers: Sequence[str]) -> tuple[str, ...]:
    """One plain, unique identifier per header, in order.

    Example:
        >>> column_names(["year", "Temp (°F)", "1.1_TOTAL", "", "Year"])
        ('year', 'temp_f', 'c_1_1_total', 'column_4', 'year_2')
    """
    reserved = {identifier(h) for h in headers if _IDENTIFIER.fullmatch(h.strip())}
    names: list[str] = []
    for number, header in enumerate(headers, 1):
        name = identifier(header) or f"column_{number}"
        exact = _IDENTIFIER.fullmatch(header.strip()) is not None
        names.append(_unique(name, set(names) if exact else set(names) | reserved))
    return tuple(names)


def identifier(header: str) -> str:
    """The plain identifier that a header becomes, or nothing if no letter or digit is left of it."""
    text = header.strip()
    if not _IDENTIFIER.fullmatch(text):
        for sign, word in _SIGNS.items():
            text = text.replace(sign, word)
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        text = re.sub(r"[^A-Za-z0-9]+", "_", text).rstrip("_")
    text = text.lower().lstrip("_")
    return f"c_{text}" if text[:1].isdigit() else text


def spelling(header: str, name: str) -> tuple[str, ...]:
    """What `Column.headers` keeps: the file's header, unless it is the name but for case and blanks."""
    return () if normal_header(header) in {normal_header(name), ""} else (" ".join(header.split()),)


def match_headers(columns: Sequence[Column], headers: Sequence[str]) -> dict[str, int]:
    """For each column found in a file, the position of its header. A header is used once.

    A column's own spellings come first, then its name, then the name that a header would be given by itself.
    """
    normal = [normal_header(h) for h in headers]
    found: dict[str, int] = {}
    for spellings in (_declared, _named):
        for column in columns:
            if column.name not in found:
                _take(found, column.name, spellings(column), normal)
    made = column_names(headers)
    for column in columns:
        if column.name not in found:
            _take(found, column.name, (column.name,), made)
    return found


def _declared(column: Column) -> tuple[str, ...]:
    return tuple(normal_header(h) for h in column.headers)


def _named(column: Column) -> tuple[str, ...]:
    return (normal_header(column.name),)


def _take(found: dict[str, int], name: str, wanted: Iterable[str], headers: Sequence[str]) -> None:
    for header in wanted:
        for position, present in enumerate(headers):
            if present == header and position not in found.values():
                found[name] = position
                return


def _unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
