"""Where one lake is."""

from dataclasses import dataclass
from pathlib import Path

from backbone.lake.books import Books, FolderBooks
from backbone.storage.data import Data
from backbone.storage.folder import FolderData


@dataclass(frozen=True, slots=True)
class Site:
    """Where one lake is: what this machine keeps of it in `folder`, its data files and models there or elsewhere.

    A step writes its files below `staging`. Where the data is local, that is where they stay; else they are put into
    the data before they are published. Names of files are relative to `staging`, and to the data alike. The books are
    in the folder too, unless several share them (`common`).
    """

    folder: Path
    elsewhere: Data | None = None
    common: Books | None = None

    @property
    def books(self) -> Books:
        """The catalogue, locks, leases and the journal."""
        return self.common or FolderBooks(self.folder)

    @property
    def data(self) -> Data:
        """The data files and models: names such as `tables/trusted/orders/1f2e3d4c-0.parquet`."""
        return self.elsewhere or FolderData(self.folder)

    @property
    def staging(self) -> Path:
        """The folder in which files are written before they are published."""
        return self.folder / "staged" if self.elsewhere else self.folder

    @property
    def tables(self) -> Path:
        """The folder in which data files are written, by zone and dataset."""
        return self.staging / "tables"

    @property
    def models(self) -> Path:
        """The folder in which models are written, by analysis and run."""
        return self.staging / "models"

    def name_of(self, path: Path) -> str:
        """The name that a file in `staging` has in the data."""
        return str(path.relative_to(self.staging))
