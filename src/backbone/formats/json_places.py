"""Where the records of a JSON file are that is one object: in its longest list, or each value of an object is one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from backbone.errors import UsageError, did_you_mean
from backbone.formats.json_relations import EACH
from backbone.formats.json_values import Pairs, Values
from backbone.model.files import Template

_LOOKED_AT = 1_000
_DEEPEST = 4
_FEWEST = 3
"""Values of an object that must be alike for each to be a record."""
_IDENTITIES = ("id", "uuid", "guid", "key", "_id")


@dataclass(slots=True)
class _Seen:
    """A value as far as it was looked at: the objects in a list, or the values of an object; `cut` if there are more.

    `fields` are the keys of the object, or of the objects in the list.
    """

    kind: str = "scalar"
    fields: frozenset[str] = frozenset()
    objects: int = 0
    below: dict[str, "_Seen"] = field(default_factory=dict)
    cut: bool = False


def with_place(path: Path, template: Template, part: str | None) -> Template:
    """A template that says where the records are: at `part`, else in the largest place; as it is if that isn't needed.

    Raises:
        UsageError: there are no records at `part`.
    """
    places = places_of(path, template)
    if part is not None and part not in places:
        there = f"Places are: {', '.join(places)}" if places else "Its records are its own: leave --part out"
        raise UsageError(f"{path.name} has no records under '{part}'.{did_you_mean(part, places)} {there}")
    if not places:
        return template
    return replace(template, format="json", records=part or max(places, key=lambda one: places[one]))


def places_of(path: Path, template: Template) -> dict[str, int]:
    """Where a file's records may be, as paths of keys, with how many were seen; nothing where they are its own."""
    with path.open(encoding=template.encoding, errors="surrogateescape") as file:
        values = Values(file)
        values.skip("\ufeff")
        if values.first() != "{":
            return {}
        try:
            seen = _look(values, 0)
            if not seen.cut and values.first():  # objects one after the other
                return {}
        except (ValueError, UnicodeError):  # reading it says what is wrong
            return {}
    if any(_is_identity(key) and one.kind == "scalar" for key, one in seen.below.items()):
        return {}
    return {"/".join(keys): count for keys, count in _places(seen, ()) if not any("/" in key for key in keys)}


def _look(values: Values, depth: int) -> _Seen:
    start, seen = values.first(), _Seen()
    if start == "[":
        fields = Counter[str]()
        for _ in values.items():
            value = values.value()
            if isinstance(value, Pairs):
                seen.objects += 1
                fields.update({key for key, _ in value})
            if seen.objects >= _LOOKED_AT:
                seen.cut = True
                break
        seen.kind, seen.fields = "list", frozenset(fields)
    elif start == "{":
        seen.kind = "object"
        for key in values.entries():
            seen.below[key] = _look(values, depth + 1) if depth < _DEEPEST else _leaf(values)
            if seen.below[key].cut or len(seen.below) >= _LOOKED_AT:
                seen.cut = True
                break
        seen.fields = frozenset(seen.below)
    else:
        values.value()
    return seen


def _leaf(values: Values) -> _Seen:
    values.value()
    return _Seen()


def _places(seen: _Seen, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    if seen.kind == "list":
        if seen.objects > 1 or (seen.objects and len(above) == 1):
            yield above, seen.objects
    elif _are_alike(seen):
        yield (*above, EACH), sum(max(one.objects, 1) for one in seen.below.values())
    else:
        for key, one in seen.below.items():
            yield from _places(one, (*above, key))


def _are_alike(seen: _Seen) -> bool:
    """Whether the values of an object are records: all objects, or all lists of such, with the same keys in most."""
    values = list(seen.below.values())
    if len(values) < _FEWEST or len({one.kind for one in values}) > 1 or not all(one.fields for one in values):
        return False
    counts = Counter(key for one in values for key in one.fields)
    usual = {key for key, count in counts.items() if count * 2 > len(values)}
    return sum(len(one.fields & usual) * 2 >= len(one.fields) for one in values) * 2 > len(values)


def _is_identity(key: str) -> bool:
    return key.lower() in _IDENTITIES or key.lower().endswith("_id") or key.endswith("Id")
