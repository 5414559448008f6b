"""What people decided about single rows of a source: a value that they put right, a row that they left out for good."""

from dataclasses import dataclass, field
from typing import Literal

from backbone.model.rules import NOWHERE, Location

Verdict = Literal["set", "clear", "drop"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about a row, by the landed file and record that it came from.

    `set` gives `column` a value, `clear` takes it away, `drop` (of no column) leaves the whole row out. `was` is what
    the cell held then, `by` and `at_time` say who decided and when: they are kept, and change nothing.
    """

    file: int
    record: int
    verdict: Verdict
    column: str = ""
    value: str = ""
    was: str = ""
    because: str = ""
    by: str = ""
    at_time: str = ""
    at: Location = field(default=NOWHERE, compare=False)

    @property
    def place(self) -> str:
        """The row, as people name it: `12:640`."""
        return f"{self.file}:{self.record}"
