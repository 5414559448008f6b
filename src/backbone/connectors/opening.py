"""Opening what has landed, wherever it is kept."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from backbone.errors import LakeError
from backbone.model.files import LandedFile
from backbone.storage.data import Data
from backbone.storage.s3 import side_by_side


@dataclass(frozen=True, slots=True)
class Opener:
    """Gives landed files paths that programs can open. A plain value: it may be sent to other machines.

    `folder` is the landing zone's, `elsewhere` where its files are kept if not there.
    """

    folder: Path
    elsewhere: Data | None = None

    def name_of(self, file: LandedFile) -> str:
        """The name that a landed file has in the data."""
        return os.path.relpath(file.path, self.folder)

    @contextmanager
    def __call__(self, files: Sequence[LandedFile], scratch: Path | None = None) -> Iterator[Sequence[LandedFile]]:
        """Landed files with paths that programs can open: their own, or those of copies for as long as the block lasts.

        Args:
            files: which.
            scratch: a folder in which copies may be made; one of the system's where none is named.

        Raises:
            LakeError: one isn't what has landed any more.
        """
        if self.elsewhere is None:
            yield files
            return
        data = self.elsewhere
        if scratch:
            scratch.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="landed-", dir=scratch) as folder:
            yield side_by_side(lambda file: self._fetched(data, file, Path(folder) / str(file.id)), files)

    def _fetched(self, data: Data, file: LandedFile, folder: Path) -> LandedFile:
        found = data.fetch(self.name_of(file), folder / file.name)
        if found != file.sha256:
            now = "is not there any more" if found is None else "is not what it was when it landed"
            raise LakeError(f"landed file {file.id}, {file.name}, {now}. What to do says backbone doctor")
        return replace(file, path=folder / file.name)
