"""A stand-in for a lake around one trusted dataset: deliveries in, staged with the real engine, published by hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.model.domains import sql_type
from backbone.model.files import LandedFile
from backbone.model.names import parquet_table
from backbone.model.project import Trusted
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.model.steps import Extent, Staged, Staging, Step, Trust
from backbone.quality.vocabulary import DEFAULT_TOLERANCE
from backbone.zones.trusted import stage_trusted

SYSTEM = (Attribute("_file", "integer"), Attribute("_record", "integer"))
ENGINE = DuckDBEngine()


@dataclass
class Lake:
    """A stand-in for the lake's bookkeeping: the formatted rows by delivery, and the trusted rows as Parquet files."""

    folder: Path
    trusted: Trusted
    domains: dict[str, str]
    deliveries: list[Path] = field(default_factory=list)
    published: Staged | None = None
    quarantined: list[tuple[Any, ...]] = field(default_factory=list)
    merged: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def relation(self) -> Relation:
        return Relation((*(Attribute(n, d) for n, d in self.domains.items()), *SYSTEM))

    @property
    def landed(self) -> tuple[LandedFile, ...]:
        """The landed files: one a day, each of another content."""
        days = (datetime(2026, 1, n, tzinfo=UTC) for n in range(1, len(self.deliveries) + 1))
        return tuple(
            LandedFile(n, self.trusted.name, f"{n}.csv", Path(), f"content {n}", 0, "", day)
            for n, day in enumerate(days, 1)
        )

    def deliver(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write the rows of one landed file; each is numbered from 1."""
        number = len(self.deliveries) + 1
        path = self.folder / f"formatted-{number}.parquet"
        values = ["(" + ", ".join([*(sql(v) for v in row), str(number), str(i)]) + ")" for i, row in enumerate(rows, 1)]
        casts = ", ".join(f"CAST({a.name} AS {sql_type(a.domain)}) AS {a.name}" for a in self.relation.attributes)
        names = ", ".join(self.relation.names)
        blank = "(" + ", ".join("NULL" for _ in self.relation.names) + ")"
        query = f"SELECT {casts} FROM (VALUES {', '.join([*values, blank])}) AS v({names}) WHERE _file IS NOT NULL"
        with ENGINE.session() as session:
            session.write(query, path, ordered=True, relation=self.relation)
        self.deliveries.append(path)

    def stage(self, how: str = "full", new: int = 1) -> Staged:
        """Stage the trusted dataset: all of it, or what the last `new` deliveries change."""
        name = f"formatted.{self.trusted.name}"
        added = tuple(self.deliveries[-new:] if how == "incremental" else self.deliveries)
        step = Step((f"trusted.{self.trusted.name}",), (name,), Trust(self.trusted), {})
        staging = Staging(
            step, how, "run1", self.folder, self.new_file, 0, {name: Extent(name, self.relation, added=added)},
            self.current() if how == "incremental" else {}, all_files=self.landed, scratch=self.folder,
        )  # fmt: skip
        with ENGINE.session() as session:
            (staged,) = stage_trusted(staging, session)
        return staged

    def publish(self, staged: Staged) -> None:
        """Keep what was staged as the lake would."""
        if staged.replaces:
            self.quarantined, self.merged = [], []
            files = list(staged.added)
        else:
            files = list(staged.added)
            if self.published:
                files.append(self.kept(staged))
        self.quarantined += [row for path in staged.quarantined for row in read(path, "file, record, rule")]
        self.merged += [row for path in staged.merged for row in read(path, "file, record")]
        self.published = Staged(staged.dataset, staged.relation, replaces=True, added=tuple(files))

    def kept(self, staged: Staged) -> Path:
        path = self.new_file("kept")
        with ENGINE.session() as session:
            session.show_system(True)
            session.show(self.current()[staged.dataset])
            lost = "".join(
                f" ANTI JOIN {parquet_table(r.paths)} r ON r._file = t._file AND r._record = t._record"
                for r in staged.removed
            )
            session.write(f"SELECT t.* FROM {staged.dataset} t{lost}", path, relation=staged.relation)
        return path

    def current(self) -> dict[str, Extent]:
        one = self.published
        return {one.dataset: Extent(one.dataset, one.relation, added=one.added)} if one else {}

    def new_file(self, dataset: str) -> Path:
        return self.folder / f"{dataset}-{next(self.numbers)}.parquet"

    def rows(self) -> list[tuple[Any, ...]]:
        assert self.published
        return sorted((row for path in self.published.added for row in read(path, "*")), key=repr)


def sql(value: Any) -> str:
    if value is None:
        return "NULL"
    return "'" + str(value).replace("'", "''") + "'"


def read(path: Path, columns: str) -> list[tuple[Any, ...]]:
    with ENGINE.session() as session:
        return session.rows(f"SELECT {columns} FROM read_parquet('{path}')")


def rule(kind: str, *columns: str, action: str | None = None, **more: Any) -> Rule:
    """A rule as the project's loader makes it."""
    own = {k: more.pop(k) for k in ("where", "tolerate", "may_vanish", "exceptions", "sql", "because") if k in more}
    params = tuple((name.rstrip("_"), value) for name, value in more.items())
    tolerate = own.pop("tolerate", DEFAULT_TOLERANCE[action] if action else 0.0)
    name = f"{kind}({own.get('sql') or ', '.join(columns)})"
    return Rule(kind, name, columns=columns, action=action, params=params, tolerate=tolerate, **own)  # type: ignore[arg-type]
