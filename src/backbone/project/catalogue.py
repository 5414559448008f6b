"""What datasets there are, and what is known of their columns, before anything has run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from backbone.errors import Problem, did_you_mean
from backbone.model.names import FILE, ITEM, PARENT, RECORD, ZONES
from backbone.project.sql import Parsed
from backbone.project.tree import Text

Domains = Mapping[str, str]
"""Columns and their domains; an empty domain is not known."""
SYSTEM_COLUMNS = (FILE, RECORD, PARENT, ITEM)
_SHOWN = 12
_MOST_REFINED = ("exploitation", "trusted", "formatted", "analysis")


@dataclass(slots=True)
class Catalogue:
    """The datasets of a project. `tables` holds those whose columns people listed, `queries` those that SQL makes.

    `keys` are primary keys. With `upstream`, exploitation datasets that aren't here are another project's.
    """

    names: set[str] = field(default_factory=set)
    tables: dict[str, Domains] = field(default_factory=dict)
    queries: dict[str, Parsed] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    upstream: bool = False
    _known: dict[str, Domains | None] = field(default_factory=dict)

    def columns(self, dataset: str) -> Domains | None:
        """The columns of a dataset, or None where they can't be known before it is made."""
        if dataset in self.tables:
            return self.tables[dataset]
        if dataset not in self._known:
            self._known[dataset] = None  # while it is being worked out: a cycle ends here
            query = self.queries.get(dataset)
            if query is not None:
                from backbone.project.columns import output_columns

                self._known[dataset] = output_columns(query.tree, self)
        return self._known[dataset]

    def has(self, dataset: str) -> bool:
        """Whether there is such a dataset."""
        return dataset in self.names or (
            self.upstream and dataset.startswith("exploitation.") and dataset.count(".") == 1
        )

    def missing(self, dataset: str) -> str:
        """What to say about a dataset that isn't there."""
        zone, _, stem = dataset.rpartition(".")
        if not zone:
            better = next((f"{z}.{stem}" for z in _MOST_REFINED if f"{z}.{stem}" in self.names), None)
            if better:
                return f"'{dataset}' is no dataset: write `zone.name`. Did you mean '{better}'?"
            near = did_you_mean(dataset, self.names)
            return f"'{dataset}' is no dataset: write `zone.name`, as in trusted.orders.{near}"
        if zone not in ZONES:
            zones = ", ".join(ZONES)
            return f"there is no dataset '{dataset}': the zones are {zones}.{did_you_mean(dataset, self.names)}"
        return f"there is no dataset '{dataset}'.{did_you_mean(dataset, self.names) or self._all_of(zone)}"

    def _all_of(self, zone: str) -> str:
        there = sorted(name for name in self.names if name.startswith(f"{zone}."))
        if not there:
            return f" There is nothing in {zone} yet"
        return f" In {zone} there are: {', '.join(there[:8])}{', …' if len(there) > 8 else ''}"  # noqa: PLR2004  a line


def check_columns(texts: tuple[Text, ...], columns: Domains | None, where: str, problems: list[Problem]) -> None:
    """Note each text that is no column of `where`."""
    if columns is None:
        return
    problems += [
        text.place.problem(missing_column(text.value, columns, where))
        for text in texts
        if text.value not in columns and text.value not in SYSTEM_COLUMNS
    ]


def missing_column(name: str, columns: Domains, where: str) -> str:
    """What to say about a column that isn't there."""
    near = did_you_mean(name, columns) or did_you_mean(name.lower(), columns)
    more = ", …" if len(columns) > _SHOWN else ""
    return f"column '{name}' is not in {where}.{near or ' Columns: ' + ', '.join(list(columns)[:_SHOWN]) + more}"
