"""The engine: it turns a query over named inputs into Parquet files, and reports what it wrote."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Protocol, TypeVar

from backbone.model.names import parquet_table
from backbone.model.relations import Relation
from backbone.model.steps import Extent

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Written:
    """What an engine wrote: one Parquet file or, where several tasks wrote at once, some."""

    paths: tuple[Path, ...]
    rows: int
    bytes: int
    relation: Relation

    @property
    def table(self) -> str:
        """Its rows as an SQL table expression."""
        return parquet_table(self.paths)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files, if there are rows in them; else none, and what was written is gone."""
        if self.rows:
            return self.paths
        self.discard()
        return ()

    def discard(self) -> None:
        """Remove what was written."""
        for path in self.paths:
            path.unlink(missing_ok=True)


def parts_of(path: Path) -> tuple[Path, ...]:
    """All files that may have been written for a path: the file itself, and those beside it if there are several."""
    return (path, *sorted(path.parent.glob(f"{escape(path.stem)}_*.parquet")))


class Rows(Protocol):
    """Rows of a set that stay where an engine has them, numbered in the order of their key from 0."""

    def __len__(self) -> int:
        """How many they are."""

    def take(self, numbers: Any) -> "Rows":
        """Those with these numbers, an array that ascends."""

    def to_pandas(self) -> Any:
        """Their features as a pandas frame in this process, in order: for few."""


class Learning(Protocol):
    """How models of an engine's own kind are made, on rows that stay where the engine has them.

    A pipeline has the methods that analyses call of scikit-learn's: `fit`, `predict`, `predict_proba`. Features are
    named with their kind: `number`, `boolean`, `text`, `time`.
    """

    def rows(self, query: str, count: int) -> Rows:
        """The rows of a SELECT of `__row` (a number from 0 to `count` - 1), `label` and features."""

    def pipeline(self, given: Any, parameters: Mapping[str, object], features: Mapping[str, str], seed: int) -> Any:
        """A pipeline of what a person's function returned, with parameters of its last stage set.

        Raises:
            EngineError: it is no estimator of this kind, or has no such parameter.
        """

    def load(self, folder: Path, features: Mapping[str, str]) -> Any:
        """A fitted pipeline that was saved in a folder.

        Raises:
            EngineError: it can't be read, or would bring other code along.
        """

    def frame(self, query: str) -> Any:
        """The rows of a SELECT, as a pipeline's `answered` takes them."""


class Session(Protocol):
    """One step's view of the data: it sees only what was shown to it. Not to be shared between threads.

    Whatever the engine refuses or fails at raises an `EngineError` with the engine's own words.
    """

    @property
    def learning(self) -> "Learning | None":
        """How models of the engine's own kind are made; None where it has none."""

    def show(self, extent: Extent) -> None:
        """Make a dataset readable as `zone.name`.

        Beside it, if the extent says `since` when, for those who process changes: `__inserted.zone__name` and
        `__deleted.zone__name` hold the rows that came and went since then, system columns included.
        `zone.name` has no system columns unless `show_system(True)` was called before.
        """

    def show_system(self, shown: bool) -> None:
        """Whether datasets shown from now on include system columns (`_file`, `_record`)."""

    def write(self, query: str, path: Path, *, ordered: bool = False, relation: Relation | None = None) -> Written:
        """Run a SELECT and write its rows as a Parquet file, or several whose names begin as that of `path` does.

        Columns are cast to their domains first (`relation`'s, where given, else those nearest to their types): a value
        that doesn't fit is an error. `ordered` keeps the order of rows. On an error nothing is left behind.
        """

    def execute(self, sql: str) -> None:
        """Run statements of our own, such as `CREATE TEMP TABLE`."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a SELECT and return its rows."""

    def describe(self, query: str) -> Relation:
        """The relation that a SELECT would return, without running it."""

    def fetch(self, query: str, form: str) -> Any:
        """The rows of a SELECT as a person's code wants them.

        `form` is one of `pandas`, `polars`, `arrow`, `arrow_batches`, `duckdb`; on Spark also `spark`.
        """

    def register(self, name: str, table: Any) -> None:
        """Make what a person's code returned (any of the forms of `fetch`) readable as the table `name`."""


class Each(Protocol):
    """Does the same work on many things, wherever an engine does it."""

    def __call__(
        self, session: Session, work: Callable[[Session, T, Path], R], items: Sequence[T], folder: Path
    ) -> Iterator[R]:
        """What `work(session, item, folder)` returns for each item, in their order.

        It is done here in `session`, one after the other as results are asked for; or elsewhere all at once, each in a
        session of its own, and again where a try is lost. So a try is given a folder below `folder` that no other has,
        must write there alone, and is to return where it wrote. What is left in `folder` is the caller's to remove,
        and so are results that it doesn't use. `work` must be a function of a module (or a `partial` of one), and it,
        items and results plain values: they may be sent to other machines.

        Raises:
            BackboneError: what the first of them, in order, raised.
            EngineError: one could not be done at all.
        """


def one_by_one(
    session: Session, work: Callable[[Session, T, Path], R], items: Sequence[T], folder: Path
) -> Iterator[R]:
    """Implements `Each` in this very session."""
    for number, item in enumerate(items):
        yield work(session, item, folder / str(number))


class Engine(Protocol):
    """Makes sessions. One engine serves one run.

    `translates` says that it carries out queries in another language than they are written in: what isn't known to
    give the same there is refused by `Session.describe`, so that a project can be checked before it runs.
    """

    translates: bool

    def expect(self, rows: int | None) -> None:
        """Say about how many rows the next work reads (None: nobody knows), so that little work costs little."""

    def session(self) -> AbstractContextManager[Session]:
        """A session in which nothing is shown yet."""

    def local(self) -> AbstractContextManager[Session]:
        """A session that works in this process, beside what raw files are read by and what models are trained by."""

    @property
    def each(self) -> Each:
        """How work on many things is done side by side."""
