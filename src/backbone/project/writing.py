"""What Backbone writes into a project: new files, and single lines on request. Comments and layout are kept."""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as PairMapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import Problem, ProjectError
from backbone.formats.headers import column_names
from backbone.model.files import Column, Template
from backbone.project.places import File, read_file
from backbone.project.tree import Items, Mapping, Node, Text
from backbone.project.yaml_tree import read_yaml

if TYPE_CHECKING:
    from backbone.formats.peek import Peeked

_IGNORED = ("lake/", "secrets.env")
_PLAIN = re.compile(r"[A-Za-z0-9_./~][A-Za-z0-9_./~+*()-]*(?: [A-Za-z0-9_./~+*()-]+)*")
"""Texts that YAML reads as they stand, also within braces."""
_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def source_text(
    name: str,
    origins: Sequence[str],
    peeked: "Peeked",
    evidence: Sequence[str],
    command: str,
) -> str:
    """The text of `sources/NAME.yml`: what differs from the defaults, and in comments why it is believed."""
    lines = [_comment(f"Written by `{command}`. Yours to edit.")]
    lines += [_comment(sentence) for sentence in evidence]
    lines += _origins(name, origins)
    lines.append(f"template: {_flow(_template_pairs(peeked.template))}")
    lines.append("contract: evolve                     # header or type drift: evolve | freeze | quarantine")
    return "\n".join([*lines, *_columns(peeked)]) + "\n"


def _columns(peeked: "Peeked") -> list[str]:
    """The columns of a relation, and those of the relations inside its records."""
    lines = ["columns:"] if peeked.columns else []
    lines += [f"  {scalar(column.name)}: {_column(column)}" for column in peeked.columns]
    lines += ["children:"] if peeked.children else []
    names = column_names([header for header, _ in peeked.children])
    for name, (header, child) in zip(names, peeked.children, strict=True):
        spelt = [f"header: {scalar(header)}"] if name != header else []
        lines += [f"  {scalar(name)}:", *(f"    {line}" for line in (*spelt, *_columns(child)))]
    return lines


def _origins(name: str, origins: Sequence[str]) -> list[str]:
    if not origins:
        return [f"# No `from`: what is put into the drop folder lake/landing/temporal/{name}/ is landed."]
    if len(origins) == 1:
        return [f"from: {scalar(origins[0])}"]
    return ["from:", *(f"  - {scalar(origin)}" for origin in origins)]


def _template_pairs(template: Template) -> list[tuple[str, str]]:
    default = Template()
    pairs = [("format", scalar(template.format))]
    for part in fields(template):
        value = getattr(template, part.name)
        if part.name not in {"format", "children", "inside"} and value != getattr(default, part.name):
            pairs.append((part.name, _value(value)))
    return pairs


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return _sequence([str(one) for one in value])
    return scalar(str(value).lower() if isinstance(value, bool) else str(value))


def _column(column: Column) -> str:
    """The column's type, or all that is said of it, in braces."""
    pairs = [("type", scalar(column.domain))]
    if column.headers:
        pairs.append(("header", scalar(column.headers[0]) if len(column.headers) == 1 else _sequence(column.headers)))
    if column.null_tokens is not None:
        pairs.append(("null_tokens", _sequence(column.null_tokens)))
    others = {name: getattr(column, name) for name in ("format", "decimal", "thousands", "contract", "description")}
    pairs += [(name, scalar(value)) for name, value in others.items() if value]
    if column.unit:
        pairs.append(("unit", scalar(column.unit[0]) if len(column.unit) == 1 else _sequence(column.unit)))
    return pairs[0][1] if len(pairs) == 1 else _flow(pairs)


def _flow(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"


def _sequence(values: Sequence[str]) -> str:
    return "[" + ", ".join(scalar(value) for value in values) + "]"


def scalar(text: str) -> str:
    """A text as YAML that reads back as the same text, quoted only where it must be."""
    if _PLAIN.fullmatch(text) and text.strip("."):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004  the widths of YAML's escapes


def _comment(text: str) -> str:
    return "# " + "".join(c if c.isprintable() else " " for c in text)


def add_origins(path: Path, origins: Sequence[str]) -> None:
    """Add locations to the `from` of a source that is there already; those that it has are left.

    Raises:
        ProjectError: the file can't be read.
    """
    problems: list[Problem] = []
    file = read_file(path.parent.parent, f"{path.parent.name}/{path.name}", problems)
    node = read_yaml(file, problems) if file else None
    if file is None or problems:
        raise ProjectError(problems)
    text = _with_origins(file, node if isinstance(node, Mapping) else None, origins)
    if text != file.text:
        write_whole(path, text)


def _with_origins(file: File, node: Mapping | None, origins: Sequence[str]) -> str:
    present = node.get("from") if node else None
    items = present.items if isinstance(present, Items) else (present,) if isinstance(present, Text) else ()
    known = [item.value for item in items if isinstance(item, Text)]
    new = [origin for origin in dict.fromkeys(origins) if origin not in known]
    if not new:
        return file.text
    if isinstance(present, Text):
        return _replaced(file.text, present.place.start, present.place.end, _sequence([*known, *new]))
    if isinstance(present, Items) and items:
        return _lengthened(file, present, new)
    first = node.entries[0][0].place.start if node and node.entries else len(file.text)
    return _replaced(file.text, first, first, "\n".join(_origins("", new)) + "\n")


def _lengthened(file: File, items: Items, new: Sequence[str]) -> str:
    """The file with more entries in a list, each written as the list's last one is."""
    last = items.items[-1].place
    if file.text[items.place.start] == "[":
        return _replaced(file.text, last.end, last.end, "".join(f", {scalar(origin)}" for origin in new))
    line = file.starts[last.at.line - 1]
    dash = file.text[line : last.start]
    end = file.starts[last.at.line] - 1
    return _replaced(file.text, end, end, "".join(f"\n{dash}{scalar(origin)}" for origin in new))


def with_storage(file: File, changes: PairMapping[str, str]) -> str:
    """The text of `backbone.yml` with other values under `storage`; what stands there besides is kept."""
    node = read_yaml(file, [])
    entries = node.entries if isinstance(node, Mapping) else ()
    key, value = next(((key, value) for key, value in entries if key.value == "storage"), (None, None))
    held = {k.value: v.value for k, v in value.entries if isinstance(v, Text)} if isinstance(value, Mapping) else {}
    pairs = {name: text for name, text in {**held, **changes}.items() if (name, text) != ("catalogue", "sqlite")}
    line = f"storage: {_flow((name, scalar(text)) for name, text in pairs.items())}"
    if key is None or value is None:
        return f"{file.text.rstrip()}\n{line}\n" if pairs else file.text
    return _replaced(file.text, key.place.start, _end_of(value), line)


def _end_of(node: Node) -> int:
    """Where the last text of a node ends: a block's own end is that of the blank lines after it."""
    if isinstance(node, Mapping) and node.entries and node.place.file.text[node.place.start] != "{":
        return _end_of(node.entries[-1][1])
    return node.place.end


def _replaced(text: str, start: int, end: int, by: str) -> str:
    return text[:start] + by + text[end:]


def write_whole(path: Path, text: str) -> None:
    """Write a file all at once: whatever interrupts it, people's file is as it was or as it shall be."""
    path = path.resolve()
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def init_project(root: Path, name: str) -> list[str]:
    """Make a project in a folder; returns the files written, by their path in it."""
    root.mkdir(parents=True, exist_ok=True)
    settings = (
        f"name: {scalar(name)}\n# Everything else has a default: environments, storage, memory_limit, defaults …\n"
    )
    write_whole(root / "backbone.yml", settings)
    ignore = root / ".gitignore"
    lines = ignore.read_text(encoding="utf-8").splitlines() if ignore.exists() else []
    missing = [line for line in _IGNORED if line not in lines]
    if missing:
        write_whole(ignore, "\n".join([*lines, *missing]) + "\n")
    return ["backbone.yml", *([".gitignore"] if missing else [])]
