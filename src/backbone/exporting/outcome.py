"""What writing to a target came to."""

from dataclasses import dataclass

from backbone.model.operations import ExportedTable


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tables written, and their bytes in all. `left_out` are constraints that the target can't have, each with why.

    `kept` are tables of earlier exports that stay there.
    """

    tables: tuple[ExportedTable, ...]
    bytes: int
    replaced: bool = False
    left_out: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
