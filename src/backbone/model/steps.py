"""Steps, plans and what a run has staged."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from backbone.model.files import LandedFile
from backbone.model.project import Analysis, Source, Trusted, View
from backbone.model.relations import Relation
from backbone.model.rules import Location, Rule

How = Literal["full", "incremental"]


@dataclass(frozen=True, slots=True)
class Version:
    """A data version: the snapshot in which the present generation began, and that of its last change."""

    generation: int
    snapshot: int


@dataclass(frozen=True, slots=True)
class Format:
    """Work: read the landed files of a source into its formatted dataset."""

    source: Source


@dataclass(frozen=True, slots=True)
class Trust:
    """Work: versions and rules, from formatted to trusted."""

    trusted: Trusted


@dataclass(frozen=True, slots=True)
class Derive:
    """Work: an exploitation view."""

    view: View


@dataclass(frozen=True, slots=True)
class Analyse:
    """Work: one stage of an analysis: its view, its split into sets, its training, its predictions."""

    analysis: Analysis
    stage: Literal["view", "split", "train", "predict"]


Work = Format | Trust | Derive | Analyse


@dataclass(frozen=True, slots=True)
class Step:
    """What makes datasets from others: the arrow between two zones.

    `outputs[0]` names the step. `definition` maps the name of each part that counts (`template`,
    `rule in_range(air_time)`, `query`, …) to a digest, so that a plan can say which part changed.
    `increments` says whether changed rows of its inputs alone can be processed.
    """

    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    work: Work
    definition: Mapping[str, str]
    increments: bool = False
    tags: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The step's name: its first output."""
        return self.outputs[0]


@dataclass(frozen=True, slots=True)
class Published:
    """What the lake holds of one dataset: its definition, its version, and the inputs that made it.

    `files_until` is the newest landed file that a formatted dataset has read (0: none).
    """

    dataset: str
    definition: Mapping[str, str]
    version: Version
    inputs: Mapping[str, Version]
    relation: Relation
    files_until: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step with what a run will do about it, and why."""

    step: Step
    action: Literal["run", "skip"]
    how: How
    reasons: tuple[str, ...]
    files: tuple[LandedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """A published dataset that nothing declares any more, and why."""

    dataset: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a run, inputs before what reads them, and the datasets that it drops.

    `asks` are places that the run will ask whether they have anything new: sources, and where.
    """

    steps: tuple[PlannedStep, ...]
    drops: tuple[Drop, ...] = ()
    asks: tuple[tuple[str, str], ...] = ()

    @property
    def runs(self) -> tuple[PlannedStep, ...]:
        """The steps that a run will do."""
        return tuple(s for s in self.steps if s.action == "run")


@dataclass(frozen=True, slots=True)
class Removal:
    """Parquet files of keys, in `columns`, whose rows are no longer in a dataset (NULL equals NULL).

    `records` are the least and the greatest `_record` among them, where rows are named by file and record: all of them
    are then there to be removed, and other rows needn't be compared with them.
    """

    paths: tuple[Path, ...]
    columns: tuple[str, ...]
    records: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a dataset's rows are at one moment, in terms that every engine understands.

    The rows that the lake holds at `snapshot` (None: none), less those that `removed` names, and those of the
    Parquet files `added`. `since` is the snapshot up to which the reader has seen it (None: it must read all).
    `held` are the columns that the lake holds at `snapshot` (None: all); the others are NULL in those rows.
    `lake` is `lake`, the environment's own, or `upstream`, another project's. `rows` are about as many (None: unknown).
    """

    dataset: str
    relation: Relation
    snapshot: int | None = None
    removed: tuple[Removal, ...] = ()
    added: tuple[Path, ...] = ()
    since: int | None = None
    held: tuple[str, ...] | None = None
    lake: str = "lake"
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Rows in = rows out + quarantined + merged away, over the whole dataset after a row-wise step."""

    rows_in: int
    rows_out: int
    quarantined: int = 0
    merged_away: int = 0

    @property
    def balances(self) -> bool:
        """Whether no row was lost or doubled."""
        return self.rows_in == self.rows_out + self.quarantined + self.merged_away


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: the rows that it tested and those that broke it.

    `broken` counts what this run acted on, `tested` what it looked at. `level` is what came of it.
    `examples` are up to three rows, as text.
    """

    rule: Rule
    tested: int
    broken: int
    level: Literal["passed", "repaired", "warned", "set_aside", "failed"]
    message: str = ""
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of rows that broke the rule, 0 to 1."""
        return self.broken / self.tested if self.tested else 0.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Column lineage: one output column and an input column that it comes from.

    `expression` is the SQL that makes it. `partial` says that some origins could not be resolved.
    `column` and `input_column` are `*` where only the tables are known.
    """

    dataset: str
    column: str
    input_dataset: str
    input_column: str
    expression: str = ""
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for a governance table (`governance.NAME`), as plain values."""

    name: str
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class Staged:
    """One output dataset as a run has staged it: nobody sees it before it is published.

    `replaces` starts a new generation of `added` alone; else `added` and `removed` change the present one.
    `quarantined` and `merged` are Parquet files for `governance.quarantine` and `governance.merged_away`, with those
    tables' columns.
    `unchanged` says that the result equals what is published, so that it needn't be.
    `delta` is the ledger of this run alone where `ledger` counts the whole dataset.
    """

    dataset: str
    relation: Relation
    replaces: bool
    added: tuple[Path, ...] = ()
    removed: tuple[Removal, ...] = ()
    ledger: Ledger | None = None
    delta: Ledger | None = None
    findings: tuple[Finding, ...] = ()
    quarantined: tuple[Path, ...] = ()
    merged: tuple[Path, ...] = ()
    unchanged: bool = False
    rows: int = 0
    note: str = ""
    governance: tuple[Table, ...] = ()
    artefacts: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a dataset could not be made: the rule or error, where it is declared, and what to do next."""

    dataset: str
    message: str
    at: Location | None = None
    source_line: str = ""
    hint: str = ""
    findings: tuple[Finding, ...] = ()
    quarantined: tuple[Path, ...] = ()
    governance: tuple[Table, ...] = field(default=())


OpenLanded = Callable[[Sequence[LandedFile], Path], AbstractContextManager[Sequence[LandedFile]]]


@contextmanager
def as_they_are(files: Sequence[LandedFile], _: Path) -> Iterator[Sequence[LandedFile]]:
    """Implements `OpenLanded` for landed files that are where they say."""
    yield files


@dataclass(frozen=True, slots=True)
class Staging:
    """All that a zone needs to stage one step; it reads nothing else and writes only to `new_file`.

    `inputs` says where the inputs' rows are, `current` where the rows of the step's own outputs are as published
    (missing before the first time). `new_file(dataset)` is the path of a Parquet file yet to be written for it;
    `governance.quarantine` and `governance.merged_away` are datasets in this sense too. `files` are the landed files
    to read now, `all_files` all of the source's (of a trusted dataset's source too). `artefacts` is a folder for plots
    and models. `registered` is the present row of `governance.model_version` of an analysis, if any. `open_landed`
    gives landed files with paths that programs can open for as long as the block lasts; copies are made in the folder
    that it is given. It may be sent to other machines.
    """

    step: Step
    how: How
    run: str
    root: Path
    new_file: Callable[[str], Path]
    snapshot: int
    inputs: Mapping[str, Extent]
    current: Mapping[str, Extent]
    files: tuple[LandedFile, ...] = ()
    all_files: tuple[LandedFile, ...] = ()
    artefacts: Path = Path()
    scratch: Path = Path()
    registered: Mapping[str, object] | None = None
    open_landed: OpenLanded = as_they_are


QUARANTINE = ("run", "dataset", "file", "record", "rule", "reason", "raw")
"""Columns of the Parquet files for `governance.quarantine`. `raw`: the raw line, or the row as a JSON object."""
MERGED_AWAY = ("run", "dataset", "file", "record", "rule", "survivor_file", "survivor_record")
"""Columns of the Parquet files for `governance.merged_away`."""
