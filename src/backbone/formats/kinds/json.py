"""JSON: an array of objects, or objects one after the other. Told from other text by `detection`."""

from backbone.formats.json_reading import read_json, scan_json
from backbone.formats.kinds.kind import Kind

KIND = Kind("json", "JSON", read_json, scan_json, endings=(".json",))
