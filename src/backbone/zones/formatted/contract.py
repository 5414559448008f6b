"""The schema contract of a source: what a file's header and values may change, and what happens if they do. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backbone.formats.headers import match_headers
from backbone.model.domains import SCALAR_DOMAINS
from backbone.model.files import Column, Contract
from backbone.model.names import is_system
from backbone.model.project import Source
from backbone.model.relations import Attribute, Relation


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns that files are read into. `evolved` come from files and not from the project.

    `exact` are floats that are integers in the project: they were widened, and an integer that a float can't hold
    exactly widens them further.
    """

    columns: tuple[Column, ...]
    evolved: tuple[Column, ...] = ()
    exact: frozenset[str] = frozenset()

    @property
    def all(self) -> tuple[Column, ...]:
        """Declared columns, then those that came with files."""
        return self.columns + self.evolved

    def widened(self, domains: dict[str, str]) -> "Schema":
        """The schema with some columns in wider domains."""
        exact = self.exact | {c.name for c in self.all if c.domain == "integer" and domains.get(c.name) == "float"}

        def widen(columns: tuple[Column, ...]) -> tuple[Column, ...]:
            return tuple(replace(c, domain=domains.get(c.name, c.domain)) for c in columns)

        return Schema(widen(self.columns), widen(self.evolved), exact)


@dataclass(frozen=True, slots=True)
class Match:
    """How a file's headers fit a schema: positions by column name, columns that it lacks, headers that are new."""

    positions: dict[str, int]
    missing: tuple[Column, ...]
    new: tuple[int, ...]


def schema_now(source: Source, columns: tuple[Column, ...], published: Relation | None) -> Schema:
    """The declared columns, wider where the published relation is: it has seen files that the project hasn't."""
    if published is None:
        return Schema(columns)
    wider = {c.name: d for c in columns if (d := published.domain(c.name)) and d in widenings(c.domain)}
    known = {c.name for c in columns} | {c.name for c in _file_name_columns(source)}
    evolved = tuple(
        Column(a.name, a.domain) for a in published.attributes if a.name not in known and not is_system(a.name)
    )
    return Schema(columns, evolved).widened(wider)


def relation_of(schema: Schema, source: Source) -> Relation:
    """The relation of the dataset; columns that came with files are last, so that a file adds columns at the end."""
    system = (Attribute("_file", "integer"), Attribute("_record", "integer"))
    columns = (Attribute(c.name, c.domain, c.description) for c in columns_of(schema, source))
    return Relation((*system, *columns))


def columns_of(schema: Schema, source: Source) -> tuple[Column, ...]:
    """The columns of the dataset, in order, those from the name of the file included."""
    return (*schema.columns, *_file_name_columns(source), *schema.evolved)


def match_file(schema: Schema, headers: Sequence[str]) -> Match:
    """Which column is where in a file."""
    positions = match_headers(schema.all, headers)
    missing = tuple(c for c in schema.columns if c.name not in positions)
    used = set(positions.values())
    return Match(positions, missing, tuple(i for i in range(len(headers)) if i not in used))


def contract_of(column: Column | None, source: Source) -> Contract:
    """The column's own contract, or the source's."""
    return (column.contract if column else None) or source.contract


def widenings(domain: str) -> tuple[str, ...]:
    """Wider domains, the narrowest first: integers may become floats, everything may become text.

    Example:
        >>> widenings("integer")
        ('float', 'text')
    """
    if domain.endswith("[]"):
        return () if domain == "text[]" else ("text[]",)
    if domain == "integer":
        return ("float", "text")
    return ("text",) if domain != "text" and (domain in SCALAR_DOMAINS or domain.startswith("decimal")) else ()


def _file_name_columns(source: Source) -> tuple[Column, ...]:
    return source.file_name.into if source.file_name else ()
