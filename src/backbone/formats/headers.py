"""Headers in files and the names of columns: how one becomes the other, and how they are matched."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from backbone.model.files import Column

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_NAME = 100
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
    text = text.lower().lstrip("_")[:_LONGEST_NAME].rstrip("_")
    return f"c_{text}" if text[:1].isdigit() else text


def spelling(header: str, name: str) -> tuple[str, ...]:
    """What `Column.headers` keeps: the file's header, unless it is the name but for case and blanks."""
    return () if normal_header(header) in {normal_header(name), ""} else (" ".join(header.split()),)


def match_headers(columns: Sequence[Column], headers: Sequence[str]) -> dict[str, int]:
    """For each column found in a file, the position of its header. A header is used once.

    A column's own spellings come first, then its name, then the name that a header would be given by itself. Columns
    that were named after equal headers (`a`, `a_2`, each under `a`) take them in their order.
    """
    shared = {h for c in columns for h in c.headers if _is_numbered(c.name, identifier(h))}
    firsts = {normal_header(h) for h in shared}
    found: dict[str, int] = {}
    free = _places(enumerate(normal_header(h) for h in headers))
    for column in columns:
        name = normal_header(column.name)
        _take(found, column.name, (*map(normal_header, column.headers), *([name] if name in firsts else ())), free)
    for column in columns:
        _take(found, column.name, (normal_header(column.name),), free)
    taken = set(found.values())
    made = _places((i, name) for i, name in enumerate(column_names(headers)) if i not in taken)
    for column in columns:
        _take(found, column.name, (column.name,), made)
    return found


def _is_numbered(name: str, first: str) -> bool:
    """Whether a name was made of another by a number, since that was taken."""
    return name.startswith(f"{first}_") and name.removeprefix(f"{first}_").isdecimal()


def _places(headers: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """Where each header is, the last place first."""
    places: dict[str, list[int]] = {}
    for position, header in headers:
        places.setdefault(header, []).insert(0, position)
    return places


def _take(found: dict[str, int], name: str, wanted: Iterable[str], free: dict[str, list[int]]) -> None:
    for header in wanted:
        if name not in found and free.get(header):
            found[name] = free[header].pop()


def _unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
