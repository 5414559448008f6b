"""One environment of a project: its lake, and the landing zone that all environments share."""

import re
import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.connectors.landing import LandingZone
from backbone.lake.books import OnWait
from backbone.lake.lock import locked
from backbone.lake.site import Site
from backbone.model.memory import DEFAULT_LIMIT
from backbone.storage.data import Data

if TYPE_CHECKING:
    from backbone.engine.postgres import Database

_LANDING = "landing"
_PLAIN = re.compile(r"(?!p_|pg(_|$))[a-z][a-z0-9_]*")
"""Names of projects that need nothing else in the name of a schema: `pg_` is PostgreSQL's, `p_` ours."""
_ONE_WORD = re.compile(r"[a-z0-9]+")
_LONGEST = 48
"""PostgreSQL cuts names after 63 bytes, and there are names for what is beside a schema."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The database of a project's lakes: a schema for each environment, and one for what they share."""

    conninfo: str = field(repr=False)
    project: str = ""

    def of(self, name: str) -> "Database":
        """The schema of an environment, or of the landing zone."""
        from backbone.engine.postgres import Database

        return Database(self.conninfo, schema_of(self.project, name))


def schema_of(project: str, name: str) -> str:
    """The schema of one part of a project: letters, digits and `_`, so that it needs no quotes.

    Example:
        >>> schema_of("our_shop", "dev")
        'our_shop_dev'
    """
    if _PLAIN.fullmatch(project) and _ONE_WORD.fullmatch(name) and len(project) + len(name) < _LONGEST:
        return f"{project}_{name}"  # its last `_` tells the two apart
    near = "_".join(re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:19] for text in (project, name))
    return f"p_{near}_{blake2b(f'{project}/{name}'.encode(), digest_size=4).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Environment:
    """Where an environment's things are, and what work on them may take.

    `storage` is the folder of all lakes, absolute; `memory_limit` an amount such as `4GB`. `data` is where the files of
    all lakes and what has landed are kept, `catalogue` the database that has the books, if that isn't the folder.
    """

    root: Path
    name: str
    storage: Path
    memory_limit: str = DEFAULT_LIMIT
    data: Data | None = None
    catalogue: Catalogue | None = None

    @property
    def folder(self) -> Path:
        """The folder of this environment's lake: catalogue, tables, models, state."""
        return self.storage / self.name

    @property
    def site(self) -> Site:
        """Where this environment's lake is."""
        data = self.data and self.data.inside(self.name)
        if self.catalogue is None:
            return Site(self.folder, data)
        from backbone.lake.books.postgres import PostgresBooks

        return Site(self.folder, data, PostgresBooks(self.catalogue.of(self.name)))

    @property
    def state_path(self) -> Path:
        """The cached state."""
        return self.folder / "state.json"

    @property
    def landing(self) -> LandingZone:
        """The landing zone."""
        database = self.catalogue.of(_LANDING) if self.catalogue else None
        data = self.data and self.data.inside(_LANDING)
        return LandingZone(self.storage / "landing", self.root, data, database)

    def landing_locked(self, on_wait: OnWait | None = None) -> AbstractContextManager[object]:
        """Be the only one whose files land, in any environment."""
        if self.catalogue is None:
            return locked(self.storage / "landing" / "landing.lock", on_wait=on_wait)
        from backbone.engine.postgres_locks import Wanted, held

        return held(self.catalogue.of(_LANDING), [Wanted("landing")], on_wait=on_wait)


def new_run_id() -> str:
    """An id for a run: eight hexadecimal digits."""
    return secrets.token_hex(4)
