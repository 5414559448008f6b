"""JSON with one object per line. Told from other text by `detection`."""

from backbone.formats.json_places import with_place
from backbone.formats.json_reading import children_of, read_ndjson, scan_ndjson
from backbone.formats.kinds.kind import Kind

KIND = Kind(
    "ndjson",
    "lines of JSON",
    read_ndjson,
    scan_ndjson,
    endings=(".ndjson", ".jsonl"),
    keys=frozenset({"children"}),
    placed=with_place,
    children=children_of,
)
