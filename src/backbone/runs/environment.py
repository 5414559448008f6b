"""One environment of a project: its lake, and the landing zone that all environments share."""

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from backbone.connectors.landing import LandingZone
from backbone.lake.books import OnWait
from backbone.lake.lock import locked
from backbone.lake.site import Site
from backbone.model.memory import DEFAULT_LIMIT
from backbone.storage.data import Data


@dataclass(frozen=True, slots=True)
class Environment:
    """Where an environment's things are, and what work on them may take.

    `storage` is the folder of all lakes, absolute; `memory_limit` an amount such as `4GB`. `data` is where the files of
    all lakes and what has landed are kept, if that isn't the folder.
    """

    root: Path
    name: str
    storage: Path
    memory_limit: str = DEFAULT_LIMIT
    data: Data | None = None

    @property
    def folder(self) -> Path:
        """The folder of this environment's lake: catalogue, tables, models, state."""
        return self.storage / self.name

    @property
    def site(self) -> Site:
        """Where this environment's lake is."""
        return Site(self.folder, data_at=self.data and self.data.inside(self.name))

    @property
    def state_path(self) -> Path:
        """The cached state."""
        return self.folder / "state.json"

    @property
    def landing(self) -> LandingZone:
        """The landing zone."""
        return LandingZone(self.storage / "landing", self.root, self.data and self.data.inside("landing"))

    def landing_locked(self, on_wait: OnWait | None = None) -> AbstractContextManager[None]:
        """Be the only one whose files land, in any environment."""
        return locked(self.storage / "landing" / "landing.lock", on_wait=on_wait)


def new_run_id() -> str:
    """An id for a run: eight hexadecimal digits."""
    return secrets.token_hex(4)
