"""XML: an element that is repeated is a record. What is in it is flattened: `customer/name` becomes `customer__name`.

The file is read as a stream. DTDs, entities of its own and references to anything outside are not followed. An
element that a record has several times is kept as a list in JSON.
"""

import json
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError, shown_value
from backbone.formats.grids import write_csv
from backbone.formats.kinds.kind import About, Kind, needed
from backbone.formats.kinds.plain import as_csv
from backbone.model.files import Template

_LOOKED_AT = 50_000
_SAFE = {"resolve_entities": False, "load_dtd": False, "no_network": True, "dtd_validation": False}


def _detect(path: Path, head: bytes, _part: str | None) -> Template | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    wide = head.startswith((b"\xff\xfe<\x00?\x00", b"\xfe\xff\x00<\x00?"))
    named = path.suffix.lower() == ".xml"
    if not (start.startswith(b"<?xml") or wide or (named and start.startswith(b"<"))):
        if named:
            raise UsageError(f"{path.name} is no XML, whatever its name says: rename it as what it is")
        return None
    return None if b"<html" in start[:2000].lower() else Template(format="xml", records=_repeated(path))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say where XML is broken."""
    etree = needed("lxml.etree", "XML", "xml")
    try:
        yield
    except etree.XMLSyntaxError as error:
        raise UsageError(f"{path.name} is no well-formed XML: {error}. Mend it, or fetch it again") from error


def _events(path: Path) -> Generator[tuple[str, Any], None, None]:
    etree = needed("lxml.etree", "XML", "xml")
    with path.open("rb") as file:
        yield from etree.iterparse(
            file, events=("start", "end"), huge_tree=True, remove_comments=True, remove_pis=True, **_SAFE
        )


def _name(tag: str) -> str:
    """A tag or attribute without its namespace."""
    return tag.rpartition("}")[2]


def _repeated(path: Path) -> str:
    """The path of the element that is repeated: the outermost, of those the most frequent."""
    counts, parents, stack = Counter[str](), dict[str, str](), list[str]()
    with _told(path), closing(_events(path)) as events:
        for number, (event, element) in enumerate(events):
            if event == "end":
                stack.pop()
                element.clear(keep_tail=True)
                continue
            above = "/".join(stack)
            stack.append(_name(element.tag))
            counts["/".join(stack)] += 1
            parents["/".join(stack)] = above
            if number > _LOOKED_AT:
                break
    several = [one for one, count in counts.items() if count > counts[parents[one]] and parents[one]]
    if several:
        return min(several, key=lambda one: (one.count("/"), -counts[one]))
    return next(iter(counts))


def _records(path: Path, wanted: str) -> Iterator[dict[str, str]]:
    stack: list[str] = []
    for event, element in _events(path):
        if event == "start":
            stack.append(_name(element.tag))
            continue
        if "/".join(stack) == wanted:
            yield _flat(element, path)
        if len(stack) <= wanted.count("/") + 1:
            element.clear(keep_tail=True)
            while element.getprevious() is not None:
                del element.getparent()[0]
        stack.pop()


def _flat(element: Any, path: Path) -> dict[str, str]:
    """The texts of a record by the names of its columns."""
    found: dict[str, list[str]] = {}
    for name, text in _values(element, "", path):
        found.setdefault(name or _name(element.tag), []).append(text)
    return {
        name: texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False) for name, texts in found.items()
    }


def _values(element: Any, prefix: str, path: Path) -> Iterator[tuple[str, str]]:
    for key, value in element.attrib.items():
        yield f"{prefix}__{_name(key)}" if prefix else _name(key), value
    text = element.text or ""
    for child in element:
        if not isinstance(child.tag, str):
            raise UsageError(
                f"{path.name} has entities of its own, such as '{shown_value(child.text)}', which are not followed. "
                "Write them out, as in: xmllint --noent"
            )
        yield from _values(child, f"{prefix}__{_name(child.tag)}" if prefix else _name(child.tag), path)
        text += child.tail or ""
    if text.strip():
        yield prefix, text.strip()


def _convert(path: Path, template: Template, _session: Session, target: Path) -> None:
    wanted = (template.records or _repeated(path)).strip("/")
    with _told(path):
        headers = dict.fromkeys(name for record in _records(path, wanted) for name in record)
        if not headers:
            raise UsageError(
                f"{path.name} has no element {wanted} with anything in it. `records` is a path from the outermost "
                f"element on, such as {_repeated(path)}"
            )
        write_csv(list(headers), ([record.get(name) for name in headers] for record in _records(path, wanted)), target)


def _about(_path: Path, template: Template, _session: Session) -> About:
    return About((f"each element {template.records} is a record",) if template.records else ())


_READ, _SCAN = as_csv(_convert)
KIND = Kind("xml", "XML", _READ, _SCAN, _detect, (".xml",), frozenset({"records"}), "xml", about=_about)
