"""Looking at a file, before anything is done with it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from backbone.connectors.fetching import fetch_to
from backbone.connectors.origins import is_asked
from backbone.errors import UsageError, did_you_mean
from backbone.formats.clean import write_clean
from backbone.formats.headers import column_names
from backbone.formats.peek import NO_WISH, Peeked, Wanted, clean_file, parts_of, peek_file
from backbone.formats.reading import read_records
from backbone.model.files import LandedFile, Template
from backbone.model.memory import DEFAULT_LIMIT
from backbone.model.project import Source
from backbone.model.relations import Attribute
from backbone.model.reports import ChildSummary, CleanSummary, PeekSummary, Sample
from backbone.model.steps import Extent, Format, Staged, Staging, Step
from backbone.wiring import open_engine
from backbone.zones.formatted import stage_formatted

if TYPE_CHECKING:
    import duckdb  # noqa: TID251 - only the type's name: the API returns DuckDB's own relation

_DIALECT = ("encoding", "delimiter", "quotechar", "escapechar", "header_rows", "preamble_rows", "footer_rows")
_SAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file is written; what the format doesn't have is as in `Template`."""

    delimiter: str
    quotechar: str
    escapechar: str
    encoding: str
    header_rows: int
    preamble_rows: int
    footer_rows: int


class Peek:
    """A file that was looked at. Nothing was written, but for scratch files that go with this object.

    Attributes:
        template: how it is read.
        columns: its columns with the domains inferred.
        evidence: what was concluded from what, as short sentences.
        confidence: how sure the domain of each column is, between 0 and 1.
    """

    def __init__(self, path: Path, memory_limit: str = DEFAULT_LIMIT, wanted: Wanted = NO_WISH) -> None:
        self._path = path
        self._stack = ExitStack()
        self._scratch = Path(tempfile.mkdtemp(prefix="backbone-peek-"))
        self._stack.callback(shutil.rmtree, self._scratch, ignore_errors=True)
        engine = self._stack.enter_context(open_engine(memory_limit, self._scratch))
        self._session = self._stack.enter_context(engine.session())
        self.peeked: Peeked = peek_file(path, self._session, scratch=self._scratch, wanted=wanted)
        self.template: Template = self.peeked.template
        self.columns = self.peeked.columns
        self.evidence = self.peeked.evidence
        self.confidence = self.peeked.confidence

    @property
    def dialect(self) -> Dialect:
        """How the file is written."""
        return Dialect(**{name: getattr(self.template, name) for name in Dialect.__slots__})

    @cached_property
    def _staged(self) -> Staged:
        source = Source("peek", template=self.template, columns=self.columns)
        size = self._path.stat().st_size
        file = LandedFile(1, "peek", self._path.name, self._path, "", size, str(self._path), datetime.now(UTC))
        staging = Staging(
            step=Step(("formatted.peek",), (), Format(source), {}),
            how="full",
            run="peek",
            root=self._scratch,
            new_file=self._new_file,
            snapshot=0,
            inputs={},
            current={},
            files=(file,),
            all_files=(file,),
            scratch=self._scratch,
        )
        return stage_formatted(staging, self._session)[0]

    def _new_file(self, dataset: str) -> Path:
        number = len(list(self._scratch.iterdir()))
        return self._scratch / f"{dataset}-{number}.parquet"

    @property
    def relation(self) -> "duckdb.DuckDBPyRelation":
        """The rows that can be read, typed, in the order of the file, without system columns."""
        relation: duckdb.DuckDBPyRelation = self._session.fetch(self._query(), "duckdb")
        return relation

    def _query(self) -> str:
        extent = Extent("formatted.peek", self._staged.relation, added=self._staged.added)
        self._session.show_system(True)
        self._session.show(extent)
        return "SELECT * EXCLUDE (_file, _record) FROM formatted.peek ORDER BY _record"

    @property
    def summary(self) -> PeekSummary:
        """What the file looks like, as people see it."""
        rows: list[tuple[Any, ...]] = self._session.rows(f"{self._query()} LIMIT {_SAMPLE_ROWS}")
        names = tuple(a.name for a in self._staged.relation.visible)
        return PeekSummary(
            str(self._path),
            self.template.format,
            self._path.stat().st_size,
            _dialect(self.template),
            tuple(Attribute(c.name, c.domain) for c in self.columns),
            Sample(names, tuple(rows), self.peeked.records),
            self.evidence,
            self.peeked.confidence,
            tuple(_summaries(self.peeked)),
        )

    def write_csv(self, to: str | Path) -> None:
        """Write the file's exact texts as plain CSV: UTF-8, commas, its own headers; what can't be read is left out."""
        records = read_records(self._path, self.template, self._session, scratch=self._scratch)
        try:
            write_clean(records, Path(to).absolute(), self._session)
        finally:
            records.drop(self._session)

    def keep_until_closed(self, folder: tempfile.TemporaryDirectory[str]) -> None:
        """Let a folder go with this object."""
        self._stack.callback(folder.cleanup)

    def close(self) -> None:
        """Release scratch files; also done when the object goes away."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_stack"):
            self._stack.close()


def _summaries(peeked: Peeked, within: str = "") -> Iterator[ChildSummary]:
    """The relations inside records, by the names that `add` gives them, each after its parent."""
    names = column_names([header for header, _ in peeked.children])
    for name, (_, child) in zip(names, peeked.children, strict=True):
        full = f"{within}__{name}" if within else name
        columns = tuple(Attribute(c.name, c.domain) for c in child.columns)
        yield ChildSummary(full, within, child.records, columns, child.confidence)
        yield from _summaries(child, full)


def parts(path: Path, memory_limit: str) -> tuple[str, ...]:
    """The tables in a file, where it may have several."""
    with tempfile.TemporaryDirectory(prefix="backbone-peek-") as folder:
        scratch = Path(folder)
        with open_engine(memory_limit, scratch) as engine, engine.session() as session:
            return parts_of(path, session, scratch=scratch)


def _peek_url(url: str, memory_limit: str, wanted: Wanted) -> Peek:
    """Look at what is at a URL, fetched for as long as it is looked at."""
    folder = tempfile.TemporaryDirectory(prefix="backbone-peek-")
    try:
        found = Peek(fetch_to(url, Path().absolute(), Path(folder.name), lambda _: None), memory_limit, wanted)
    except BaseException:
        folder.cleanup()
        raise
    found.keep_until_closed(folder)
    return found


def clean(path: str, to: Path, *, lenient: bool, part: str | None, member: str | None) -> CleanSummary:
    """Write a file's exact texts as plain CSV.

    Raises:
        UsageError: there is no such file, it can't be read, or `to` is the file itself.
    """
    file = _there(path)
    if to.exists() and to.samefile(file):
        raise UsageError(f"'{to}' is the file itself, which is never changed: name another")
    if not to.absolute().parent.is_dir():
        raise UsageError(f"There is no folder '{to.parent}' to write '{to.name}' to: make it first")
    with tempfile.TemporaryDirectory(prefix="backbone-peek-") as folder:
        scratch = Path(folder)
        with open_engine(DEFAULT_LIMIT, scratch) as engine, engine.session() as session:
            found = clean_file(file, session, to, scratch=scratch, wanted=Wanted(part, member, lenient))
    return CleanSummary(path, str(to), found.columns, found.records, found.unreadable, _dialect(found.template))


def _there(path: str | Path) -> Path:
    """The file that somebody names.

    Raises:
        UsageError: there is none.
    """
    file = Path(path).absolute()
    if not file.is_file():
        near = did_you_mean(file.name, [p.name for p in file.parent.glob("*")] if file.parent.is_dir() else [])
        raise UsageError(f"There is no file '{path}'.{near or ' Name one that is there: backbone peek FILE'}")
    if any("\ud800" <= character <= "\udfff" for character in str(file)):  # a byte that Python couldn't read as UTF-8
        raise UsageError(f"'{file.name}' can't be read: its name, or a folder's, is no UTF-8. Rename it")
    return file


def _dialect(template: Template) -> dict[str, object]:
    return {name: getattr(template, name) for name in _DIALECT} if template.format == "csv" else {}


def peek(
    path: str | Path,
    *,
    memory_limit: str = DEFAULT_LIMIT,
    part: str | None = None,
    member: str | None = None,
    lenient: bool = False,
) -> Peek:
    """Look at a file: its dialect, columns and types, and the evidence for them.

    Args:
        path: the file, or the URL of one.
        memory_limit: how much memory that may take; what is more is put aside in the system's folder for such.
        part: a sheet, or a table, of those in the file; the largest if nothing is said.
        member: a file in an archive, or several by a pattern; all if nothing is said.
        lenient: whether rows of delimited text that aren't as wide as the others are mended, not set aside.

    Raises:
        UsageError: there is no such file, or it can't be read.

    Example:
        >>> backbone.peek("sales.csv").relation.df()
    """
    if is_asked(str(path)):
        return _peek_url(str(path), memory_limit, Wanted(part, member, lenient))
    return Peek(_there(path), memory_limit, Wanted(part, member, lenient))
