"""Where one lake is."""

from dataclasses import dataclass
from pathlib import Path

from backbone.lake.books import Books, FolderBooks


@dataclass(frozen=True, slots=True)
class Site:
    """Where one lake is: everything of it in one folder, unless its books are kept elsewhere.

    `folder` is on this machine, or shared by several: what a run stages, caches, and on a laptop all.
    """

    folder: Path
    elsewhere: Books | None = None

    @property
    def books(self) -> Books:
        """The catalogue, locks, leases and the journal."""
        return self.elsewhere or FolderBooks(self.folder)

    @property
    def tables(self) -> Path:
        """The folder of the data files, by zone and dataset."""
        return self.folder / "tables"
