"""What a shell completes: commands and options are click's doing, names come from the front door.

Where no project is found, nothing is offered: a shell that waits for a completion has no place for an error.
"""

import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping

import click

from backbone.cli.door import Names, door
from backbone.errors import BackboneError
from backbone.model.names import ZONES

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _known(offer: Callable[[Names, click.Context, str], Iterable[str]]) -> Complete:
    """A completion by names of the project; `offer` gives what there may be, whatever is typed already."""

    def complete_name(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        from backbone.cli.settings import Settings  # whose options are completed here too

        settings = context.find_object(Settings) or Settings()
        try:
            offered = offer(door().names(settings.project, settings.env), context, incomplete)
            return [name for name in dict.fromkeys(offered) if name.startswith(incomplete)]
        except (BackboneError, OSError, sqlite3.Error):
            return []

    return complete_name


def _datasets(names: Names, _: click.Context, incomplete: str) -> list[str]:
    """Datasets by their full names; by the bare ones too when one has been begun."""
    full = list(names.datasets())
    return [*full, *(sorted({name.partition(".")[2] for name in full}) if incomplete else ())]


def _with_columns(names: Names, context: click.Context, incomplete: str) -> list[str]:
    dataset = incomplete.rpartition(".")[0]
    columns = names.datasets().get(dataset, ())
    return [f"{dataset}.{column}" for column in columns] or _datasets(names, context, incomplete)


def _keys(names: Names, context: click.Context, _: str) -> list[str]:
    """The columns of the dataset that stands before, but for those that have a value already."""
    known, given = names.datasets(), {word.partition("=")[0] for word in context.params.get("key") or ()}
    dataset = str(context.params.get("dataset"))
    finest = [f"{zone}.{dataset}" for zone in ("exploitation", "trusted", "formatted", "analysis")]
    columns = next((known[name] for name in (dataset, *finest) if name in known), ())
    return [f"{column}=" for column in columns if column not in given and not column.startswith("_")]


def _selection(names: Names, context: click.Context, incomplete: str) -> list[str]:
    """One term of a selection: what stands before it, and its pluses, are kept."""
    from backbone.runs.selection import METHODS, STATES

    before = re.match(r"(?:.*[ ,])?(?:@|\d*\+)?", incomplete)
    begin = before[0] if before else ""
    rest = incomplete[len(begin) :]
    values: Mapping[str, Iterable[str]] = {
        "zone": ZONES,
        "source": names.sources(),
        "state": STATES,
        "path": [str(path) for path in names.files()],
        **names.labels(),
    }
    method = rest.partition(":")[0]
    if ":" in rest:
        return [f"{begin}{method}:{value}" for value in values.get(method, ())]
    return [begin + name for name in (*(f"{method}:" for method in METHODS), *_datasets(names, context, rest))]


def _aside(names: Names, context: click.Context, incomplete: str) -> list[str]:
    verbs = [] if context.params.get("words") else ["list", "show", "fix", "replay", "drop"]
    return [*verbs, *_datasets(names, context, incomplete)]


DATASET = _known(_datasets)
COLUMN = _known(_with_columns)
KEY = _known(_keys)
SELECTION = _known(_selection)
ASIDE = _known(_aside)
RUN = _known(lambda names, _, __: names.runs())
SNAPSHOT = _known(lambda names, _, __: map(str, names.snapshots()))
SOURCE = _known(lambda names, _, __: names.sources())
ENVIRONMENT = _known(lambda names, _, __: names.environments)
