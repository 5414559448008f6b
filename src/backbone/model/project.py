"""A project: what people declared, read and checked, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from backbone.model.decisions import Decision
from backbone.model.files import BadValues, Column, Contract, FileNamePattern, Template
from backbone.model.memory import DEFAULT_LIMIT
from backbone.model.rules import NOWHERE, Location, Rule

Versions = Literal["append", "snapshot", "upsert", "history", "parent"]
Mode = Literal["full", "append", "merge"]
Maintenance = Literal["automatic", "by_hand"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where data come from (`sources/NAME.yml`). `origins` are paths or globs, relative to the project.

    They are as they are written: a `${NAME}` in them is filled in only where files are looked for. `children` are the
    relations inside its records, each as a source that reads the same landed files and names its `parent`.
    """

    name: str
    origins: tuple[str, ...] = ()
    template: Template = field(default_factory=Template)
    contract: Contract = "evolve"
    bad_values: BadValues = "quarantine"
    columns: tuple[Column, ...] = ()
    file_name: FileNamePattern | None = None
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    at: Location = field(default=NOWHERE, compare=False)
    contract_at: Location = field(default=NOWHERE, compare=False)
    children: "tuple[Source, ...]" = ()
    parent: str = ""

    @property
    def relations(self) -> "tuple[Source, ...]":
        """The source itself, and all relations inside its records, parents first."""
        return (self, *(one for child in self.children for one in child.relations))


@dataclass(frozen=True, slots=True)
class Trusted:
    """How one source is made trustworthy (`trusted/NAME.yml`, or the defaults).

    `absent` says that a landed file holds all rows: those that it lacks are deleted (only for `history`).
    `versions: parent` is for relations inside records, and for no other: the items of the rows that `parent` holds.
    `decisions` are what people decided about single rows (`trusted/NAME.csv`).
    """

    name: str
    versions: Versions = "append"
    key: tuple[str, ...] = ()
    newest_by: str | None = None
    absent: bool = False
    rules: tuple[Rule, ...] = ()
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    at: Location = field(default=NOWHERE, compare=False)
    key_at: Location = field(default=NOWHERE, compare=False)
    parent: str = ""
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """An exploitation view, in SQL or Python.

    `inputs` are datasets, in the order of a Python function's parameters. `query` is the SELECT as people wrote
    it, without the header comment and starting at `query_at`; `normal` is what counts for its definition (for SQL the
    query as an AST printed back, for Python a digest of the code it uses and of package versions).
    `function_path` is the Python file, relative to the project; the function has the view's name.
    """

    name: str
    inputs: tuple[str, ...]
    query: str = ""
    query_at: Location = field(default=NOWHERE, compare=False)
    normal: str = ""
    function_path: str | None = None
    key: tuple[str, ...] = ()
    mode: Mode = "full"
    driver: str | None = None
    rules: tuple[Rule, ...] = ()
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    at: Location = field(default=NOWHERE, compare=False)
    key_at: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Split:
    """How rows are divided into training and validation sets, before anything is fitted."""

    kind: Literal["by_time", "by_group", "at_random"]
    column: str | None = None
    train_until: str | None = None
    gap: str | None = None
    validate: float | None = None
    stratify: str | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analytical question (`analysis/NAME.py`): its view, features, split, candidates and gate.

    `view_inputs` are the datasets that `view` reads, `predict_inputs` those of `predict` other than `view`.
    `normal` is what counts for its definition: a digest of the function's code and of package versions.
    `library` is whose estimators the candidates are: Spark ML's are trained by Spark, on Spark's rows.
    `places` says where its arguments and the lines of its gate stand.
    """

    name: str
    kind: Literal["classification", "regression", "clustering"]
    question: str
    view: str
    view_inputs: tuple[str, ...]
    key: tuple[str, ...]
    features: tuple[str, ...]
    function_path: str
    normal: str
    target: str | None = None
    split: Split | None = None
    baseline: str | None = None
    gate: tuple[str, ...] = ()
    fairness: tuple[str, ...] = ()
    predict: str | None = None
    predict_inputs: tuple[str, ...] = ()
    entity: str | None = None
    tune: tuple[tuple[str, tuple[tuple[str, tuple[object, ...]], ...]], ...] = ()
    select_by: str = "roc_auc"
    threshold: float | Literal["f1"] = "f1"
    seed: int = 0
    library: Literal["scikit-learn", "spark"] = "scikit-learn"
    owner: str = ""
    tags: tuple[str, ...] = ()
    at: Location = field(default=NOWHERE, compare=False)
    places: Mapping[str, Location] = field(default_factory=dict, compare=False)

    def place_of(self, argument: str) -> Location:
        """Where an argument stands, or a line of the gate; where the analysis does if it isn't given."""
        return self.places.get(argument, self.at)


@dataclass(frozen=True, slots=True)
class Term:
    """A business term (`glossary.yml`) and the columns (`zone.name.column`) that it is bound to."""

    name: str
    means: str
    columns: tuple[str, ...] = ()
    unit: str = ""
    synonyms: tuple[str, ...] = ()
    broader: str = ""
    personal: bool = False
    rules: tuple[Rule, ...] = ()
    at: Location = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Upstream:
    """The project whose exploitation zone an analysis project reads, at a pinned snapshot (None: the newest)."""

    project: str
    environment: str | None = None
    snapshot: int | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """What maintenance must leave alone: snapshots this young (None: all), `at_least` so many, unneeded `files`.

    `maintenance` says whether runs do it by themselves when it is due.
    """

    snapshots: timedelta | None = timedelta(days=30)
    at_least: int = 10
    files: timedelta = timedelta(hours=1)
    maintenance: Maintenance = "automatic"


@dataclass(frozen=True, slots=True)
class Engine:
    """What carries steps out: DuckDB in this process or, where there is a `master`, Spark there, with its settings."""

    master: str = ""
    conf: tuple[tuple[str, str], ...] = ()

    @property
    def is_spark(self) -> bool:
        """Whether it is Spark."""
        return bool(self.master)


@dataclass(frozen=True, slots=True)
class Project:
    """A whole project. `root` is absolute. Every source has a trusted dataset, declared or not."""

    root: Path
    name: str
    environments: tuple[str, ...] = ("dev", "prod")
    storage: str = "lake"
    memory_limit: str = DEFAULT_LIMIT
    engine: Engine = field(default_factory=Engine)
    retention: Retention = field(default_factory=Retention)
    upstream: Upstream | None = None
    sources: tuple[Source, ...] = ()
    trusted: tuple[Trusted, ...] = ()
    views: tuple[View, ...] = ()
    analyses: tuple[Analysis, ...] = ()
    terms: tuple[Term, ...] = ()
