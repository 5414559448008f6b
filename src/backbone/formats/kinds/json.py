"""JSON: an array of objects, or objects one after the other. Told from other text by `detection`."""

from pathlib import Path

from backbone.engine.protocol import Session
from backbone.formats.json_places import places_of, with_place
from backbone.formats.json_reading import children_of, read_json, scan_json
from backbone.formats.kinds.kind import About, Kind
from backbone.model.files import Template


def _parts(path: Path, _session: Session) -> tuple[str, ...]:
    return tuple(places_of(path, Template(format="json")))


def _about(path: Path, template: Template, session: Session) -> About:
    if not template.records:
        return About()
    others = [one for one in _parts(path, session) if one != template.records]
    more = f"; others are under {', '.join(others)}: --part {others[0]}" if others else ""
    return About((f"records are under {template.records}{more}",))


KIND = Kind(
    "json",
    "JSON",
    read_json,
    scan_json,
    endings=(".json",),
    keys=frozenset({"records", "children"}),
    part="records",
    parts=_parts,
    about=_about,
    placed=with_place,
    children=children_of,
)
