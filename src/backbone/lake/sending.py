"""Sending what was staged to where all find it, before a transaction makes it visible."""

from collections.abc import Sequence
from pathlib import Path

from backbone.lake.attaching import INLINED_ROWS
from backbone.lake.store import Lake
from backbone.model.names import literal
from backbone.storage.waiting import side_by_side


def send(lake: Lake, files: Sequence[Path], few: Sequence[Path] = ()) -> None:
    """Put staged files into the lake's data, a few at a time. Where the data is local they are there already.

    Nobody sees them until they are registered. Those that never are begin with the id of a run that has died: the next
    one removes them.

    Args:
        lake: where they go.
        files: data files and models.
        few: files whose rows go into the catalogue if they are few, and are registered if they are many.
    """
    site = lake.site
    if site.data.is_local:
        return
    paths = {site.name_of(path): path for path in (*files, *_many(lake, few))}
    side_by_side(lambda name: site.data.put(name, paths[name]), list(paths))


def _many(lake: Lake, files: Sequence[Path]) -> list[Path]:
    if not files:
        return []
    names = ", ".join(literal(str(path)) for path in files)
    rows = lake.records(f"SELECT file_name, num_rows FROM parquet_file_metadata([{names}])")
    return [Path(str(row["file_name"])) for row in rows if int(str(row["num_rows"])) > INLINED_ROWS]
