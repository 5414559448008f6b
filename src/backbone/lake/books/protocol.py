"""What a lake's books do, wherever they are kept."""

import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OnWait = Callable[[str], None]
"""Called with who holds a lock, when one must wait for it."""

Entry = dict[str, object]
"""What the journal says of a run: its `run`, when it `started_at`, why it `failed`."""


class Answer(Protocol):
    """The rows that a query found."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows."""

    def __iter__(self) -> Iterator[Any]: ...


class Rows(Protocol):
    """A catalogue as it is at one moment."""

    def execute(self, query: str, values: Mapping[str, object] | Sequence[object] = (), /) -> Answer:
        """Ask a query of our own; values stand for `:name` or `?`."""


class Hold(Protocol):
    """Locks that are held."""

    def check(self) -> None:
        """Make sure that they still are.

        Raises:
            LakeError: they were lost, so that somebody else may have them.
        """


class Lease:
    """A snapshot that stays readable until the lease is closed, or nobody refers to it any more.

    Readers hold it, so that maintenance leaves it alone. It counts for as long as its process lives; a project that
    reads another one's lake leaves a pin there instead, which counts until it is replaced.

    Where nothing can be written to the books it does nothing: what is read then is only safe for as long as
    maintenance leaves unneeded files alone anyway.
    """

    def __init__(self, snapshot: int, give_back: Callable[[], None] = lambda: None) -> None:
        self.snapshot = snapshot
        self._end = weakref.finalize(self, give_back)

    def close(self) -> None:
        """Give the snapshot back."""
        self._end()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a snapshot. `process` is False for another project's pin.

    `last` was the lake's last snapshot when it began to: a process may read the catalogue as it was then.
    """

    snapshot: int
    last: int
    who: str
    since: datetime
    process: bool


class Books(Protocol):
    """The catalogue, locks, leases, the journal of runs, and notes. Threads may share them."""

    @property
    def place(self) -> str:
        """Where they are, as people are told."""

    @property
    def name(self) -> str:
        """What the catalogue is called there."""

    @property
    def shared(self) -> bool:
        """Whether several may write to the lake at once, each to its own datasets."""

    @property
    def schema(self) -> str:
        """The schema that has the catalogue's tables."""

    @property
    def extension(self) -> str:
        """The extension with which DuckDB reads them."""

    def target(self, *, read_only: bool) -> tuple[str, list[str]]:
        """What DuckLake attaches, after `ducklake:`, and options of ATTACH."""

    def told(self, text: str) -> str:
        """A text of DuckDB's as people may see it."""

    def reading(self) -> AbstractContextManager[Rows]:
        """The catalogue, to be read as it is at one moment."""

    def last_snapshot(self) -> tuple[str, int] | None:
        """The lake's identity and its last snapshot, or None where there is no lake yet."""

    def damage(self) -> str | None:
        """What is wrong with the catalogue, whatever it says; None if it is sound."""

    def has_catalogue(self) -> bool:
        """Whether there is one, sound or not."""

    def bytes(self) -> int:
        """How much room the catalogue takes."""

    def copy_to(self, connection: "DuckDBPyConnection", path: Path) -> None:
        """Copy the catalogue, as it is at one moment, into the database `frozen` of a connection.

        Args:
            connection: has loaded `extension`.
            path: whatever is made on the way lies beside it.

        Raises:
            duckdb.Error: it can't be read, or written; what it says is for `told`.
        """

    def export(self, path: Path) -> None:
        """Write the catalogue, as it is at one moment, to a new SQLite file.

        Raises:
            LakeError: it is damaged.
        """

    def take_over(self, path: Path) -> None:
        """Put the catalogue of an SQLite file in the place of the present one, in one step. Pins stay.

        Only to be called where nobody else writes or reads.
        """

    def keep(self, name: str) -> str:
        """Keep a copy of the catalogue under a name; returns where it is. Only to be called where nobody writes."""

    def put_back(self, name: str) -> None:
        """Put the copy of that name in the catalogue's place. Only to be called where nobody writes or reads."""

    def retire(self, name: str) -> str:
        """Set the catalogue aside under a name, since another one counts from now on; returns where it is."""

    def prepare(self) -> None:
        """Make what must be there before a lake is made."""

    def writing(
        self, datasets: Collection[str] | None, *, on_wait: OnWait | None = None, wait: bool = True
    ) -> AbstractContextManager[None]:
        """Be the only one who writes these datasets, or any (None).

        Raises:
            BusyError: somebody else is, and `wait` is False.
        """

    def writer(self) -> str:
        """Who writes now; empty where nobody does."""

    def publishing(self) -> AbstractContextManager[Hold]:
        """Be the only one who publishes: held for seconds, from before BEGIN to after COMMIT."""

    def take_lease(self, choose: Callable[[], int]) -> Lease:
        """Hold the snapshot that `choose` returns; nothing expires between its choice and the lease."""

    def pin(self, reader: str, snapshot: int) -> None:
        """Hold a snapshot for a project elsewhere, in place of the one that it held before.

        Where its role may only read, nothing is held.

        Args:
            reader: the project's folder and environment.
            snapshot: which one it reads.

        Raises:
            LakeError: it can't be held.
        """

    def without_new_leases(self) -> AbstractContextManager[list[Holder]]:
        """Who holds what, while nobody can take a lease: what they don't hold may go during the block."""

    def holders(self) -> list[Holder]:
        """All leases that count."""

    def entering(self, run: str, entry: Entry) -> AbstractContextManager[None]:
        """Have an entry in the journal, as one who lives. It stays where the block fails."""

    def note_failure(self, run: str, failed: str) -> None:
        """Write down why a run failed."""

    def ended(self, also: Collection[str] = ()) -> AbstractContextManager[list[Entry]]:
        """The entries of runs that ended and still have one, those of `also` among them, for us alone to deal with."""

    def has_ended(self) -> bool:
        """Whether there are such entries."""

    def entries(self) -> list[tuple[Entry, bool]]:
        """All entries, each with whether its run still lives."""

    def forget(self, runs: Collection[str]) -> None:
        """Remove entries."""

    def noted(self, name: str) -> dict[str, int]:
        """What was noted under a name; nothing, if that was lost."""

    def note(self, name: str, numbers: Mapping[str, int]) -> None:
        """Note numbers under a name."""
