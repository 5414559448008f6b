"""Relations: what a dataset looks like."""

from dataclasses import dataclass

from backbone.model.names import is_system


@dataclass(frozen=True, slots=True)
class Attribute:
    """One column: its name and its domain."""

    name: str
    domain: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """The attributes of a dataset in their order, system columns included."""

    attributes: tuple[Attribute, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, system columns included."""
        return tuple(a.name for a in self.attributes)

    @property
    def visible(self) -> tuple[Attribute, ...]:
        """The columns that `select *` shows."""
        return tuple(a for a in self.attributes if not is_system(a.name))

    def domain(self, column: str) -> str | None:
        """The domain of a column, or None where there is no such column."""
        return next((a.domain for a in self.attributes if a.name == column), None)
