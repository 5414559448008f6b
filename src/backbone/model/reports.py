"""Reports: what the front door returns, and what terminal, Python and web show alike.

Values from the data are plain Python objects (None, bool, int, float, Decimal, str, bytes, date, time, datetime,
list, dict). Times are aware, in UTC. Paths shown to people are relative to the project, as text. How each call of
the front door uses these values is written down in `cli/door.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from backbone.model.operations import Maintained
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.model.steps import Failure, Finding, How, Ledger, Origin


@dataclass(frozen=True, slots=True)
class Sample:
    """A few rows of a relation, without system columns. `total` counts all its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    total: int


@dataclass(frozen=True, slots=True)
class Landed:
    """One file that has just landed. `records` is None where it hasn't been read yet.

    `repeat` says that the same content had landed before: recorded as an arrival, not as data.
    """

    source: str
    name: str
    sha256: str
    size: int
    origin: str
    arrived_at: datetime
    records: int | None = None
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class StepReport:
    """What a run did about one dataset.

    `done`: staged and published. `unchanged`: made again, and equal to what was published, or skipped by the plan.
    `failed`: see `failure`. `kept`: not tried, since `because` (a dataset) failed. Failed and kept datasets stay as
    they were in snapshot `last_good` (None: never published yet). `dropped`: nothing declares it any more.
    `ledger` counts the whole dataset, `delta` this run alone. `note` is a short phrase instead of the ledger where
    there is none, such as `31 of 5,432 keys recomputed`.
    """

    dataset: str
    zone: str
    status: Literal["done", "failed", "kept", "unchanged", "dropped"]
    how: How = "full"
    rows: int = 0
    ledger: Ledger | None = None
    delta: Ledger | None = None
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    note: str = ""
    failure: Failure | None = None
    because: str = ""
    last_good: int | None = None


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did. `steps` are in the order of the plan, unchanged ones included.

    `published`: a snapshot was published (even if some datasets failed). `nothing`: nothing had to be done.
    `failed`: nothing could be published. `quarantined` counts the rows that this run set aside.
    `maintained` is the maintenance that came after it, if it was due. `warnings` say what went wrong after it had
    published.
    """

    run: str
    environment: str
    status: Literal["published", "nothing", "failed"]
    snapshot: int | None = None
    steps: tuple[StepReport, ...] = ()
    landed: tuple[Landed, ...] = ()
    seconds: float = 0.0
    quarantined: int = 0
    maintained: Maintained | None = None
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[StepReport, ...]:
        """The steps that failed."""
        return tuple(s for s in self.steps if s.status == "failed")

    @property
    def kept(self) -> Mapping[str, str]:
        """Datasets that were not tried, each with the dataset whose failure is why."""
        return {s.dataset: s.because for s in self.steps if s.status == "kept"}


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Progress of a run, as it happens.

    `waiting`: another run holds the writer lock (`text` says which). `landing`: `text` names the file.
    `planned`: `total` steps will run. `step_started`, `step_done`: `dataset`, with `done` of `total` steps finished.
    `publishing`: the transaction. `checking`: `doctor` looks at what `text` says.
    `copying`: `migrate` copies it.
    Events may come from any thread, one at a time.
    """

    kind: Literal["waiting", "landing", "planned", "step_started", "step_done", "publishing", "checking", "copying"]
    dataset: str = ""
    done: int = 0
    total: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """What `add` did: files landed, a template written, and the source taken through to trusted.

    `template_path` is the source's file and `written` whether it was (False: it stood already). `summary` is one
    phrase (`csv, utf-8, comma, 8 columns`), `evidence` what was inferred from what (`tzone: NA means missing (3)`).
    `project` is the folder of a project that was made for it ("" where there was one). `remarks` say what was
    repaired or set aside, with line numbers. `sample` and `run` are there if the source was taken through to trusted.
    """

    source: str
    landed: tuple[Landed, ...]
    template_path: str
    written: bool
    summary: str
    evidence: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    sample: Sample | None = None
    run: RunReport | None = None
    project: str = ""
    next_command: str = "backbone run"


@dataclass(frozen=True, slots=True)
class ChildSummary:
    """A relation inside the records of a file, such as `items`, or `items__parts` inside the items (the `parent`).

    `columns` are those of the items; `_parent` and `_item`, which lead to the parent, come before them.
    """

    name: str
    parent: str
    records: int
    columns: tuple[Attribute, ...]
    confidence: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class PeekSummary:
    """What a file looks like, before anything is done with it. Nothing was written.

    `dialect` has the template's names (`delimiter`, `encoding`, `header_rows`, …) where the format has them;
    `confidence` is that of each column's type, between 0 and 1. `children` are the relations inside its records.
    """

    path: str
    format: str
    size: int
    dialect: Mapping[str, object]
    columns: tuple[Attribute, ...]
    sample: Sample
    evidence: tuple[str, ...] = ()
    confidence: tuple[float, ...] = ()
    children: tuple[ChildSummary, ...] = ()


@dataclass(frozen=True, slots=True)
class CleanSummary:
    """What of a file was written as plain CSV, and how it was read: `dialect` as in `PeekSummary`."""

    path: str
    written: str
    columns: int
    records: int
    unreadable: int
    dialect: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """How one dataset stands. `rows`, `snapshot`, `run` and `changed_at` are None before it is first published.

    `message` says why it is failing. `quarantined` counts its rows in quarantine that are not settled.
    """

    dataset: str
    zone: str
    rows: int | None = None
    snapshot: int | None = None
    run: str | None = None
    changed_at: datetime | None = None
    failing: bool = False
    message: str = ""
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One run as it is recorded: failed and killed ones too. `datasets` and `rows` count what was published."""

    run: str
    environment: str
    status: Literal["published", "nothing", "failed", "killed", "running", "maintained", "rolled back", "restored"]
    started_at: datetime
    seconds: float | None = None
    snapshot: int | None = None
    datasets: int = 0
    rows: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """How a project stands in one environment."""

    project: str
    environment: str
    snapshot: int | None
    datasets: tuple[DatasetStatus, ...]
    last_run: HistoryEntry | None = None
    landed_files: int = 0


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One row set aside. `file` is the landed file's name; a row of a view comes from none (`file` "", `record` None).

    `raw` is the line as it landed, or the row as a JSON object. `suggested` are columns with values that would mend it.
    """

    run: str
    dataset: str
    file: str
    file_id: int | None
    record: int | None
    rule: str
    reason: str
    raw: str
    suggested: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows set aside that people decided about, as `file:record`, and the file of the project that says so."""

    dataset: str
    records: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of fixed rows when they were put through their zone again: those that `passed`, and those set aside."""

    dataset: str
    report: "RunReport"
    passed: int
    again: tuple[QuarantineRow, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """One cell that a trusted dataset changed. `record` is its row, as `file:record`; `old` and `new` are texts.

    `rules` changed it, one after the other, `evidence` says why, and `confidence` is how sure that is, from 0 to 1:
    1 where the project says what is right, the share of the group where a majority does, None where it isn't known.
    """

    record: str
    column: str
    old: str | None
    new: str | None
    rules: tuple[str, ...]
    evidence: str
    confidence: float | None


@dataclass(frozen=True, slots=True)
class RepairGroup:
    """How many cells one rule has changed."""

    rule: str
    cells: int


@dataclass(frozen=True, slots=True)
class Repairs:
    """The cells that a trusted dataset changed: counts by rule, and the first of the `total` that were asked for."""

    dataset: str
    groups: tuple[RepairGroup, ...]
    rows: tuple[Repair, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Undone:
    """How many changes of cells are taken back from the next run on, and the files of the project that say so."""

    dataset: str
    cells: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuarantineGroup:
    """How many rows one rule has set aside from one dataset, and the latest run that did."""

    dataset: str
    rule: str
    rows: int
    run: str


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The rows set aside: counts for all that was asked for, and the first rows of it. `total` is the groups' sum."""

    groups: tuple[QuarantineGroup, ...]
    rows: tuple[QuarantineRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class TraceNode:
    """One place on the way back from a row to landed files.

    `dataset` is `zone.name`, or the name of a landed file. `label` says which row it is (`carrier=UA flights=165`,
    `record 1, line 2`), `detail` how it relates (`no repairs, 1:1`, `arrived …, sha256 …`). `exact` is False where the
    children may have made it, but can't be told apart. `more` counts children that are not listed.
    """

    dataset: str
    label: str
    detail: str = ""
    exact: bool = True
    children: tuple["TraceNode", ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """Where a dataset or column comes from (`up`) and where it goes (`down`), all the way.

    Beside datasets, an end can be the landing zone of a source (`landing.flights`) or a model (`model.late_arrivals`).
    Without a column, edges are between datasets: `column` and `input_column` are `*`.
    """

    dataset: str
    column: str | None
    up: tuple[Origin, ...]
    down: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column in numbers. What isn't known for its domain is None; `approximate` concerns `distinct` and `top`."""

    column: str
    domain: str
    nulls: int
    distinct: int | None = None
    approximate: bool = False
    minimum: object = None
    maximum: object = None
    mean: float | None = None
    deviation: float | None = None
    top: tuple[tuple[object, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetProfile:
    """The columns of a dataset in numbers, system columns left out. `note` says what it was measured on."""

    dataset: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `doctor` looked at. `hint` says how to repair it where it isn't `ok`.

    `mended` says what was done about it.
    """

    name: str
    ok: bool
    detail: str = ""
    hint: str = ""
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule of a dataset, with what it found in the last run that evaluated it (None: not yet)."""

    rule: Rule
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class DatasetDescription:
    """All there is to say about one dataset. `made_by` is the file that declares it ("" where defaults do).

    `terms` gives the glossary's term and its meaning for columns that are bound to one.
    """

    dataset: str
    relation: Relation
    key: tuple[str, ...] = ()
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    made_by: str = ""
    inputs: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    rules: tuple[RuleState, ...] = ()
    rows: int | None = None
    snapshot: int | None = None
    run: str | None = None
    changed_at: datetime | None = None
    ledger: Ledger | None = None
    sample: Sample | None = None
    terms: Mapping[str, tuple[str, str]] = field(default_factory=dict)
