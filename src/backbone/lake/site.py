"""Where one lake is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Site:
    """Where one lake is: everything of it in one folder."""

    folder: Path

    @property
    def tables(self) -> Path:
        """The folder of the data files, by zone and dataset."""
        return self.folder / "tables"
