"""An analysis carried out step by step, without a run around it: a table of visits, and who leaves."""

from itertools import count
from pathlib import Path
from typing import Any

from backbone.analysis.stage import stage_analysis
from backbone.analysis.steps import analysis_steps
from backbone.engine.protocol import Engine
from backbone.model.project import Analysis, Project, Split
from backbone.model.project import Engine as Settings
from backbone.model.rules import Location
from backbone.model.steps import Extent, Staged, Staging, Table
from backbone.runs.stage import is_local

LOGISTIC = """
from sklearn.linear_model import LogisticRegression

def churn():
    return {"logistic": LogisticRegression()}
"""
VISITS = """
WITH numbers AS (
    SELECT i, ('0x' || substr(md5('a' || i), 1, 8))::BIGINT / 4294967296 AS a,
        ('0x' || substr(md5('b' || i), 1, 8))::BIGINT / 4294967296 AS b,
        ('0x' || substr(md5('c' || i), 1, 8))::BIGINT / 4294967296 AS c
    FROM range(900) AS r(i)
)
SELECT i AS id, TIMESTAMP '2020-01-01' + to_hours(i::INT) AS seen_at, 'p' || (i % 90) AS person,
    CASE WHEN i % 11 > 0 THEN a END AS spent, ['web', 'shop', 'phone'][1 + (b * 3)::INT % 3] AS channel,
    c > 0.5 AS member, a + 0.6 * c + 0.3 * b > 0.95 AS left_us, 10 * a + c AS value
FROM numbers
"""


class Lab:
    """A real engine, tables in Parquet files, and the steps of analyses on them."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        self.extents: dict[str, Extent] = {}
        self.registered: dict[str, Any] | None = None
        self.numbers = count()

    def table(self, dataset: str, query: str, files: dict[str, Path] | None = None) -> None:
        with self.engine.local() as session:
            for name, path in (files or {}).items():
                session.execute(f"CREATE VIEW {name} AS FROM '{path}'")
            written = session.write(query, self.new_file(dataset))
        self.extents[dataset] = Extent(dataset, written.relation, added=written.paths)

    def new_file(self, dataset: str) -> Path:
        return self.folder / "tables" / f"{dataset}-{next(self.numbers)}.parquet"

    def function(self, name: str, code: str) -> None:
        (self.folder / "analysis").mkdir(exist_ok=True)
        (self.folder / "analysis" / f"{name}.py").write_text(code)

    def run(self, analysis: Analysis, *stages: str, run: str = "run1") -> dict[str, Staged]:
        done: dict[str, Staged] = {}
        for step in analysis_steps(self._project(analysis)):
            if stages and step.work.stage not in stages:  # type: ignore[union-attr]
                continue
            staging = Staging(
                step, "full", run, self.folder, self.new_file, 7, {i: self.extents[i] for i in step.inputs}, {},
                artefacts=self.folder / "models" / analysis.name / run, registered=self.registered,
            )  # fmt: skip
            with self.engine.local() if is_local(step) else self.engine.session() as session:
                for one in stage_analysis(staging, session):
                    done[one.dataset] = one
                    self.extents[one.dataset] = Extent(one.dataset, one.relation, added=one.added)
                    self._register(one)
        return done

    def _project(self, analysis: Analysis) -> Project:
        return Project(
            self.folder, "lab", engine=Settings("local[*]" if self.engine.translates else ""), analyses=(analysis,)
        )

    def _register(self, one: Staged) -> None:
        for row in table_of(one.governance, "model_version").rows if one.governance else ():
            self.registered = {**row, "path": str(self.folder / "models" / str(row["path"]))}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.local() as session:
            for extent in self.extents.values():
                session.show(extent)
            return session.rows(query)


def table_of(tables: tuple[Table, ...], name: str) -> Table:
    return next(t for t in tables if t.name == name)


def furnished(folder: Path, engine: Engine) -> Lab:
    made = Lab(folder, engine)
    made.table("exploitation.visits", VISITS)
    made.function("churn", LOGISTIC)
    return made


CHURN = Analysis(
    name="churn",
    kind="classification",
    question="Who leaves?",
    view="SELECT * FROM exploitation.visits",
    view_inputs=("exploitation.visits",),
    key=("id",),
    features=("spent", "channel", "member", "seen_at"),
    function_path="analysis/churn.py",
    normal="c0de",
    target="left_us",
    split=Split("by_time", "seen_at", train_until="2020-01-28"),
    fairness=("channel",),
    at=Location("analysis/churn.py", 3),
)
