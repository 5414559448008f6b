"""What an export holds: tables with their columns and constraints, all of one snapshot."""

from dataclasses import dataclass

from backbone.model.names import quoted, quoted_dataset

MARK = "backbone_export"
"""The table, or the JSON file, that says in a target what it holds, of which snapshot. No dataset may be called so."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its domain, what the project says of it, and whether it is never NULL."""

    name: str
    domain: str
    comment: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: `columns` are those of a row of `table`, another table of the same export, in its columns `by`."""

    name: str
    columns: tuple[str, ...]
    table: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on each row, in DuckDB's SQL: FALSE where a row breaks it, else TRUE or NULL."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Constraints:
    """What is known to be true of a dataset's rows. `unique` are lists of columns that no two rows share."""

    key: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset as a target has it: under its bare name."""

    dataset: str
    name: str
    columns: tuple[Column, ...]
    comment: str = ""
    constraints: Constraints = Constraints()

    def query(self, form: "dict[str, str] | None" = None) -> str:
        """A SELECT of the table's rows, in DuckDB's SQL; `form` has the SQL of columns that a target can't hold."""
        given = form or {}
        names = (f"{given[c.name]} AS {quoted(c.name)}" if c.name in given else quoted(c.name) for c in self.columns)
        return f"SELECT {', '.join(names)} FROM {quoted_dataset(self.dataset)}"


@dataclass(frozen=True, slots=True)
class Content:
    """All that one export writes. A table stands after those that its foreign keys refer to."""

    project: str
    environment: str
    snapshot: int
    tables: tuple[Table, ...]

    @property
    def title(self) -> str:
        """Whose it is, and as of when: `shop (dev), snapshot 12`."""
        return f"{self.project} ({self.environment}), snapshot {self.snapshot}"
