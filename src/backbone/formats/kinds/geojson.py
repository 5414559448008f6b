"""GeoJSON: each feature is a record of its id, its properties and its geometry as well-known text (WKT).

Features are read one by one, however large the file is. What is nested in properties is kept as JSON.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.grids import write_csv
from backbone.formats.kinds.kind import Kind
from backbone.formats.kinds.plain import as_csv
from backbone.model.files import Template

_COLLECTION = re.compile(rb'"type"\s*:\s*"FeatureCollection"')
_FEATURES = re.compile(r'"features"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_CHUNK = 1 << 20
_DEPTHS = {"Point": 0, "LineString": 1, "MultiPoint": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}


def _detect(_path: Path, head: bytes, _part: str | None) -> Template | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return Template(format="geojson") if start.startswith(b"{") and _COLLECTION.search(start) else None


def _features(path: Path) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(parse_float=Decimal)
    with path.open(encoding="utf-8-sig") as file:
        text = file.read(_CHUNK)
        while not (found := _FEATURES.search(text)):
            more = file.read(_CHUNK)
            if not more:
                raise UsageError(f"{path.name} has no features, and so is no GeoJSON")
            text += more
        text, size = text[found.end() :], _CHUNK
        while True:
            begin = _BETWEEN.match(text)
            text = text[begin.end() :] if begin else text
            if text.startswith("]"):
                return
            try:
                feature, end = decoder.raw_decode(text)
            except ValueError as error:
                more = file.read(size)
                if not more:
                    raise UsageError(
                        f"{path.name} ends within a feature, or is no JSON: {error}. Fetch it again"
                    ) from error
                text, size = text + more, size * 2  # twice as much each time: a long feature is tried a few times only
                continue
            if not isinstance(feature, dict):
                raise UsageError(f"{path.name} has a feature that is no object")
            yield feature
            text, size = text[end:], _CHUNK


def _record(feature: dict[str, Any]) -> dict[str, str | None]:
    record: dict[str, str | None] = {}
    if "id" in feature:
        record["id"] = _text(feature["id"])
    for name, value in (feature.get("properties") or {}).items():
        record[f"properties_{name}" if name in {"id", "geometry"} and name in {*record, "geometry"} else name] = _text(
            value
        )
    record["geometry"] = _wkt(feature.get("geometry"))
    return record


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (dict, list, bool)):
        return json.dumps(value, ensure_ascii=False, default=float)
    return str(value)


def _wkt(geometry: dict[str, Any] | None) -> str | None:
    """A geometry as well-known text (OGC 06-103r4)."""
    if not geometry:
        return None
    kind = str(geometry.get("type"))
    if kind == "GeometryCollection":
        return f"GEOMETRYCOLLECTION ({', '.join(_wkt(one) or 'POINT EMPTY' for one in geometry['geometries'])})"
    if kind not in _DEPTHS:
        raise UsageError(f"'{kind}' is no geometry of GeoJSON")
    places = geometry.get("coordinates")
    if not places:
        return f"{kind.upper()} EMPTY"
    first = places
    for _ in range(_DEPTHS[kind]):
        first = first[0]
    three = " Z" if len(first) > 2 else ""  # noqa: PLR2004 - a height besides
    listed = _places(places, _DEPTHS[kind])
    return f"{kind.upper()}{three} {listed if _DEPTHS[kind] else f'({listed})'}"


def _places(places: Any, depth: int) -> str:
    if depth == 0:
        return " ".join(str(one) for one in places[:3])
    return f"({', '.join(_places(one, depth - 1) for one in places)})"


def _convert(path: Path, _template: Template, _session: Session, target: Path) -> None:
    try:
        headers = dict.fromkeys(name for feature in _features(path) for name in _record(feature))
        ordered = [*(name for name in headers if name != "geometry"), "geometry"]
        rows = ([record.get(name) for name in ordered] for record in map(_record, _features(path)))
        write_csv(ordered, rows, target)
    except (KeyError, IndexError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} has a feature that is no GeoJSON: {error}") from error


_READ, _SCAN = as_csv(_convert)
KIND = Kind("geojson", "GeoJSON", _READ, _SCAN, _detect, (".geojson",))
