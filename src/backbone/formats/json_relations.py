"""Nested JSON as relations: the records of a file, and the items of lists in them, as lines of flat texts.

An object in a record becomes columns (`address__city`), a list of scalars stays one, and the items of a list that is
declared as a relation of its own go there, with the number of their parent. What is neither stays JSON, in a text.
"""

import hashlib
import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from backbone.errors import UsageError
from backbone.formats.json_values import Number, Pairs, Values, escaped, json_text, value_of
from backbone.model.files import ITEM_COLUMNS, Inside, Template

PARENT, ITEM = (column.headers[0] for column in ITEM_COLUMNS)
KEY, VALUE = "key", "value"
"""The headers of the key under which a record stands, and of an item that is no object."""
EACH = "*"
"""In the path of records: each value of an object."""
_DEEPEST = 32
_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}")
_LONGEST_FLOAT = 16


@dataclass(slots=True)
class _Lines:
    """The lines of one relation as they are written."""

    file: IO[str]
    children: Mapping[str, "_Lines"] = field(default_factory=dict)
    number: int = 0

    def add(self, pairs: Pairs, before: Mapping[str, str]) -> None:
        """Write an object as a line, and the items in it as lines of their relations."""
        self.number += 1
        number, texts = self.number, [(header, escaped(text)) for header, text in before.items()]
        items: dict[str, int] = {}
        for header, value in fields_of(pairs, self.children):
            if header not in self.children or not isinstance(value, (list, Pairs)):
                texts.append((header, _text(value)))
                continue
            for item in value if isinstance(value, list) else [value]:
                items[header] = items.get(header, 0) + 1
                above = {PARENT: str(number), ITEM: str(items[header])}
                self.children[header].add(as_pairs(item), above)
        self.file.write("{" + ", ".join([f"{escaped(header)}: {text}" for header, text in texts]) + "}\n")

    def add_unreadable(self, text: str) -> None:
        """Write what is no record as it is, so that it is numbered and set aside."""
        self.number += 1
        self.file.write(f"{text}\n")


def as_pairs(item: Any) -> Pairs:
    """An item as an object: what is none is its `value`."""
    return item if isinstance(item, Pairs) else Pairs([(VALUE, item)])


def fields_of(pairs: Pairs, apart: Mapping[str, object], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    """The values of an object by their headers, those in objects in it included but for those of relations `apart`."""
    for key, value in pairs:
        header = f"{prefix}{key}"
        if isinstance(value, Pairs) and header not in apart and depth < _DEEPEST:
            yield from fields_of(value, apart, f"{header}__", depth + 1)
        else:
            yield header, value


def is_relation(value: Any) -> bool:
    """Whether a value is a list that no column of scalars can hold."""
    return isinstance(value, list) and any(isinstance(item, (list, Pairs)) for item in value)


def _text(value: Any) -> str:
    """A value as JSON of a text; a list of scalars as a list in which DuckDB's reader finds the same texts."""
    kind = type(value)
    if kind is str:
        return escaped(value)
    if kind is Number:
        return f'"{value}"'
    if value is None:
        return "null"
    if kind is list and not is_relation(value):
        return json_text([str(one) if isinstance(one, Number) and not _is_usual(one) else one for one in value])
    return escaped(json_text(value))


def _is_usual(number: Number) -> bool:
    """Whether DuckDB writes a number as it is written."""
    return _INTEGER.fullmatch(number) is not None or (len(number) < _LONGEST_FLOAT and repr(float(number)) == number)


def records_of(path: Path, template: Template) -> Generator[tuple[Any, tuple[str, ...]], None, None]:
    """The records of a file in UTF-8, each with the keys under which it stands; of broken lines, the text as `bytes`.

    Raises:
        UsageError: the file is no JSON, which lines of JSON may be in part.
    """
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        if template.format == "ndjson":
            for line in file:
                yield _line(line.strip("\ufeff \t\r\n")), ()
            return
        values = Values(file)
        values.skip("\ufeff")
        try:
            while values.first():
                yield from _under(values, tuple((template.records or "").split("/")) if template.records else (), ())
        except ValueError as error:
            raise UsageError(f"{path.name} can't be read as json: {error}") from error


def _line(text: str) -> Any:
    try:
        return value_of(text)
    except ValueError:
        return text.encode("utf-8", "surrogateescape")
    except RecursionError:
        return text  # a text, and so no record


def _under(values: Values, path: tuple[str, ...], keys: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The records under a path from where a file is being read."""
    start = values.first()
    if start == "[":
        for _ in values.items():
            if path:
                yield from _under(values, path, keys)
            else:
                yield values.value(), keys
    elif not path:
        yield values.value(), keys
    elif start == "{":
        for key in values.entries():
            if path[0] == EACH:
                yield from _under(values, path[1:], (*keys, key))
            elif path[0] == key:
                yield from _under(values, path[1:], keys)
            else:
                values.value()
    else:
        values.value()


def write_lines(path: Path, template: Template, scratch: Path) -> Path:
    """The lines of the relation that a template is about; all relations of the file are written at once.

    The number of a line is that of the record.
    """
    said = [path, template.format, template.records, template.children]
    folder = scratch / "lines" / hashlib.sha256(repr(said).encode()).hexdigest()[:16]
    target = folder / _file_name(template.inside)
    if not folder.exists():
        part = folder.with_suffix(".part")
        part.mkdir(parents=True)
        with ExitStack() as stack, closing(records_of(path, template)) as records:
            lines = _opened(template.children, (), part, stack)
            for record, keys in records:
                _add(lines, record, keys)
        part.rename(folder)
    return target


def _add(lines: _Lines, record: Any, keys: tuple[str, ...]) -> None:
    if isinstance(record, Pairs):
        numbered = {f"{KEY}_{number}" if number > 1 else KEY: key for number, key in enumerate(keys, 1)}
        lines.add(record, numbered)
    elif isinstance(record, bytes):
        lines.add_unreadable(record.decode("utf-8", "surrogateescape"))
    else:
        lines.add_unreadable(json_text(record))


def _opened(children: tuple[Inside, ...], above: tuple[str, ...], folder: Path, stack: ExitStack) -> _Lines:
    # What is no Unicode becomes an escape that no reader takes, so that its record is set aside.
    path = folder / _file_name(above)
    file = stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace", newline=""))
    below = {child.header: _opened(child.children, (*above, child.header), folder, stack) for child in children}
    return _Lines(file, below)


def _file_name(inside: tuple[str, ...]) -> str:
    return f"{hashlib.sha256(json.dumps(inside).encode()).hexdigest()[:16]}.ndjson"


def found_children(path: Path, template: Template) -> tuple[Inside, ...]:
    """The lists in a file's records that need relations of their own, all the way down."""
    found: dict[str, Any] = {}
    with closing(records_of(path, template)) as records:
        for record, _ in records:
            if isinstance(record, Pairs):
                _find(record, found)
    return _insides(found)


def _find(pairs: Pairs, found: dict[str, Any]) -> None:
    for header, value in fields_of(pairs, found):
        if header in found or is_relation(value):
            below = found.setdefault(header, {})
            for item in value if isinstance(value, list) else [value] if isinstance(value, Pairs) else []:
                _find(as_pairs(item), below)


def _merge(found: dict[str, Any], more: Mapping[str, Any]) -> None:
    for header, below in more.items():
        _merge(found.setdefault(header, {}), below)


def _insides(found: dict[str, Any]) -> tuple[Inside, ...]:
    for header in list(found):  # seen in an object before others showed that it stands for a list of one
        outer = next((one for one in found if header.startswith(f"{one}__")), None)
        if outer is not None:
            _merge(found[outer], {header.removeprefix(f"{outer}__"): found.pop(header)})
    return tuple(Inside(header, _insides(below)) for header, below in found.items())
