r"""Values as JSON and CSV, exactly.

JSON: integers and decimals are numbers with all their digits (`12.50` stays `12.50`; read them with a decimal parser
where 53 bits aren't enough); NaN and infinities are null; dates, times and timestamps are ISO 8601 text
(`2013-01-01T05:00:00`, with `+00:00` where there is a time zone); intervals and UUIDs are text; binary is base64;
lists are arrays, structures and maps objects. Two columns of one name become `a` and `a_1`.

CSV: UTF-8, comma, one header line, `\n`. Null is an empty field and the empty text is `""`; nested values are JSON.
"""

import json
import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal

Write = Callable[[str], object]


def json_text(value: object) -> str:  # noqa: PLR0911 - one return a type
    """A value as compact JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return float.__repr__(value) if math.isfinite(value) else "null"
        case Decimal():
            return format(value, "f") if value.is_finite() else "null"
        case str():
            return _text(value)
        case Mapping():
            return "{" + ", ".join(f"{_text(str(k))}: {json_text(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(json_text(v) for v in value) + "]"
    return _text(plain_text(value))


def _text(text: str) -> str:
    """A JSON string; halves of characters, which UTF-8 can't hold, are escaped."""
    return json.dumps(text, ensure_ascii=not text.isprintable())


def plain_text(value: object) -> str:  # noqa: PLR0911 - one return a type
    """One value as people read it, without quotes; null is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case bytes() | bytearray() | memoryview():
            return b64encode(value).decode()
        case list() | tuple() | Mapping():
            return json_text(value)
    return str(value)


def write_json(document: Mapping[str, object], write: Write) -> None:
    """Write an object: each of its values on a line, and each item of its lists."""
    lines = (f"  {_text(key)}: {_block(value)}" for key, value in document.items())
    write("{\n" + ",\n".join(lines) + "\n}\n")


def _block(value: object) -> str:
    if not isinstance(value, list | tuple) or not value or not isinstance(value[0], Mapping):
        return json_text(value)
    return "[\n" + ",\n".join(f"    {json_text(item)}" for item in value) + "\n  ]"


def write_json_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], write: Write) -> None:
    """Write rows as an array of objects, one a line."""
    keys = [_text(name) for name in distinct_names(columns)]
    before = "[\n"
    for row in rows:
        write(before + "{" + ", ".join(f"{k}: {json_text(v)}" for k, v in zip(keys, row, strict=True)) + "}")
        before = ",\n"
    write("[]\n" if before == "[\n" else "\n]\n")


def write_csv_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], write: Write) -> None:
    """Write rows as CSV with a header."""
    write(",".join(_field(name) for name in distinct_names(columns)) + "\n")
    for row in rows:
        write(",".join(_field(value) for value in row) + "\n")


def _field(value: object) -> str:
    if value is None:
        return ""
    text = plain_text(value)
    if text == "" or any(c in text for c in ',"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text


def distinct_names(columns: Sequence[str]) -> list[str]:
    """The columns' names, each once: a second `a` becomes `a_1`."""
    seen: set[str] = set()

    def fresh() -> Iterator[str]:
        for column in columns:
            name, number = column, 0
            while name in seen or (number and name in columns):
                number += 1
                name = f"{column}_{number}"
            seen.add(name)
            yield name

    return list(fresh())
