"""What is published, as the planner needs it: from the lake, which is authoritative, or from a cache of it.

The cache (`state.json`) is valid only for the lake and the snapshot that it names, so that nothing can go stale. It
makes doing nothing cost next to nothing: no engine, no SQL parser, no project file parsed.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Published, Version

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class State:
    """The published datasets of a lake at a snapshot.

    `fingerprint` is that of the project's files with which everything was up to date ("": it wasn't), `origins` the
    locations of each source then, and `newest_files` the newest landed file of each. `upstream` is the snapshot of the
    project that this one reads, if it reads one. `labels` are the tags and owners that the project declares.
    """

    lake: str
    snapshot: int
    published: Mapping[str, Published]
    fingerprint: str = ""
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    newest_files: Mapping[str, int] = field(default_factory=dict)
    upstream: int | None = None
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_state(path: Path) -> State | None:
    """The cached state, or None where there is none that can be read: it is only a cache."""
    try:
        raw = json.loads(path.read_text())
        if raw["format"] != _FORMAT:
            return None
        return State(
            raw["lake"],
            raw["snapshot"],
            {row["dataset"]: published_from(row) for row in raw["published"]},
            raw["fingerprint"],
            {source: tuple(origins) for source, origins in raw["origins"].items()},
            raw["newest_files"],
            raw["upstream"],
            {kind: tuple(values) for kind, values in raw["labels"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_state(path: Path, state: State) -> None:
    """Replace the cached state, in one atomic step."""
    raw = {
        "format": _FORMAT,
        "lake": state.lake,
        "snapshot": state.snapshot,
        "fingerprint": state.fingerprint,
        "origins": state.origins,
        "newest_files": state.newest_files,
        "upstream": state.upstream,
        "labels": state.labels,
        "published": [published_row(one) for one in state.published.values()],
    }
    # A name of its own: where a lake is shared, another run on this machine may write, too.
    part = path.with_suffix(f".{secrets.token_hex(4)}.part")
    try:
        part.write_text(json.dumps(raw))
        part.replace(path)
    except OSError:  # no space: what is published is published, and the next run reads it from the lake
        part.unlink(missing_ok=True)


def published_row(one: Published) -> dict[str, object]:
    """A published dataset as plain values: those that `governance.step` keeps of it."""
    return {
        "dataset": one.dataset,
        "definition": dict(one.definition),
        "generation": one.version.generation,
        "snapshot": one.version.snapshot,
        "inputs": {name: [v.generation, v.snapshot] for name, v in one.inputs.items()},
        "relation": [[a.name, a.domain] for a in one.relation.attributes],
        "files_until": one.files_until,
        "rows": one.rows,
    }


def published_from(row: Mapping[str, Any]) -> Published:
    """The inverse of `published_row`."""
    return Published(
        row["dataset"],
        row["definition"],
        Version(row["generation"], row["snapshot"]),
        {name: Version(*version) for name, version in row["inputs"].items()},
        Relation(tuple(Attribute(name, domain) for name, domain in row["relation"])),
        row["files_until"],
        row["rows"],
    )


def published_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Published]:
    """Published datasets from rows of `governance.step`, whose structures are JSON text."""
    structures = ("definition", "inputs", "relation")
    plain = ({**row, **{name: json.loads(row[name]) for name in structures}} for row in rows)
    return {row["dataset"]: published_from(row) for row in plain}
