"""Questions to the lake and its governance, answered without taking any lock."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from backbone.errors import UsageError
from backbone.lake.catalogue import last_snapshot
from backbone.model.names import literal, zone_of
from backbone.model.reports import (
    DatasetStatus,
    HistoryEntry,
    LineageGraph,
    Quarantine,
    QuarantineGroup,
    QuarantineRow,
    Status,
)  # fmt: skip
from backbone.model.steps import Origin
from backbone.runs.environment import Environment
from backbone.runs.run import Backend, read_published
from backbone.wiring import open_reading

_LIVE = """
    SELECT q.*, coalesce(f.name, '') AS name FROM lake.governance.quarantine q
    LEFT JOIN (SELECT DISTINCT file, name FROM lake.governance.landed_file) f USING (file)"""

if TYPE_CHECKING:
    from datetime import datetime

_End = tuple[str, str]


class Reading:
    """A lake as readers see it: at its last snapshot when it was opened."""

    def __init__(self, environment: Environment, backend: Backend) -> None:
        self._environment = environment
        self.engine, self.lake = backend.engine, backend.lake

    def records(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query about governance; none before the first run."""
        if not self.lake.has("governance.run") or not self.lake.has("governance.step"):
            return []
        return cast("list[dict[str, Any]]", self.lake.records(query))

    def history(self, limit: int) -> tuple[HistoryEntry, ...]:
        """The last runs, newest first."""
        made = """
            SELECT run, count(*) FILTER (status = 'done') AS datasets, sum(rows) FILTER (status = 'done') AS rows
            FROM lake.governance.step GROUP BY run"""
        rows = self.records(
            f"SELECT r.*, s.datasets, s.rows FROM lake.governance.run r LEFT JOIN ({made}) s USING (run) "
            f"ORDER BY r.rowid DESC LIMIT {int(limit)}"  # as they were recorded: clocks may jump
        )
        return tuple(
            HistoryEntry(
                row["run"], row["environment"], row["status"], row["started_at"], row["seconds"], row["snapshot"],
                row["datasets"] or 0, int(row["rows"] or 0), row["message"] or "",
            )
            for row in rows
        )  # fmt: skip

    def status(self, project: str, datasets: Sequence[str], *, settled: bool) -> Status:
        """How every dataset stands; `settled` says that all are up to date, whatever failed before."""
        published = read_published(self._environment, self.lake)
        made, last = self._newest("WHERE s.status = 'done'"), self._newest("")
        waiting = {
            row["dataset"]: row["rows"]
            for row in self.records("SELECT dataset, count(*) AS rows FROM lake.governance.quarantine GROUP BY dataset")
        }
        found = []
        for dataset in dict.fromkeys([*datasets, *published]):
            held, row, attempt = published.get(dataset), made.get(dataset), last.get(dataset)
            failing = bool(attempt and attempt["status"] == "failed") and not settled
            found.append(
                DatasetStatus(
                    dataset, zone_of(dataset), held.rows if held else None, held.version.snapshot if held else None,
                    row["run"] if row else None, cast("datetime", row["started_at"]) if row else None, failing,
                    attempt["message"] or "" if attempt and failing else "", waiting.get(dataset, 0),
                )
            )  # fmt: skip
        known = last_snapshot(self._environment.site)
        landed = len(self._environment.landing.registry.files())
        last_run = next(iter(self.history(1)), None)
        name = self._environment.name
        return Status(project, name, known[1] if known else None, tuple(found), last_run, landed)

    def _newest(self, where: str) -> dict[str, dict[str, Any]]:
        """The newest row of each dataset in `governance.step` that an SQL WHERE leaves."""
        rows = self.records(
            "SELECT s.*, started_at FROM lake.governance.step s JOIN lake.governance.run r USING (run) "
            f"{where} QUALIFY row_number() OVER (PARTITION BY dataset ORDER BY committed DESC) = 1"
        )
        return {row["dataset"]: row for row in rows}

    def quarantine(self, datasets: Sequence[str] | None, run: str | None, limit: int) -> Quarantine:
        """The rows set aside: of the last good version of each dataset, and of failed attempts since."""
        conditions = [f"dataset IN ({', '.join(map(literal, datasets))})"] if datasets else []
        conditions += [f"starts_with(run, {literal(run)})"] if run else []
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        groups = self.records(
            f"SELECT dataset, rule, count(*) AS rows, max_by(run, recorded) AS run FROM ({_LIVE}) "
            f"JOIN (SELECT run, rowid AS recorded FROM lake.governance.run) USING (run){where} "
            "GROUP BY dataset, rule ORDER BY dataset, rule"
        )
        rows = self.records(f"FROM ({_LIVE}){where} ORDER BY dataset, file, record, rule LIMIT {int(limit)}")
        return Quarantine(
            tuple(QuarantineGroup(g["dataset"], g["rule"], g["rows"], g["run"]) for g in groups),
            tuple(
                QuarantineRow(
                    r["run"], r["dataset"], r["name"], r["file"], r["record"], r["rule"], r["reason"], r["raw"] or ""
                )
                for r in rows
            ),
            sum(g["rows"] for g in groups),
        )

    def lineage(self, dataset: str, column: str | None) -> LineageGraph:
        """Where a dataset or column comes from and goes, all the way, to the models that use it."""
        mapped = self.records("SELECT * FROM lake.governance.mapping")
        edges = [
            Origin(
                r["dataset"], r["attribute"], r["input_dataset"], r["input_attribute"], r["expression"], r["partial"]
            )
            for r in mapped
        ]
        edges += [
            Origin(f"model.{r['analysis']}", "*", f"analysis.{r['analysis']}__train", r["feature"], r["feature"])
            for r in self.records("SELECT DISTINCT analysis, feature FROM lake.governance.feature")
        ]
        if column is None:
            edges = list(dict.fromkeys(Origin(e.dataset, "*", e.input_dataset, "*", "", e.partial) for e in edges))
        start = (dataset, column or "*")
        up = _walk(edges, start, lambda e: (e.dataset, e.column), lambda e: (e.input_dataset, e.input_column))
        down = _walk(edges, start, lambda e: (e.input_dataset, e.input_column), lambda e: (e.dataset, e.column))
        return LineageGraph(dataset, column, up, down)


def _walk(
    edges: Sequence[Origin], start: _End, near: Callable[[Origin], _End], far: Callable[[Origin], _End]
) -> tuple[Origin, ...]:
    """Edges reachable from a column. An edge to `*` concerns all columns; from there on datasets are followed."""
    tables = tuple(dict.fromkeys(Origin(e.dataset, "*", e.input_dataset, "*", "", e.partial) for e in edges))
    reached: dict[Origin, None] = {}
    seen, frontier = {start}, [start]
    while frontier:
        dataset, column = frontier.pop(0)
        for edge in edges if column != "*" else tables:
            edge_dataset, edge_column = near(edge)
            # `count(*)` comes from rows, not from each column; where columns are unknown, from any of them.
            concerned = edge_column == column or (edge_column == "*" and edge.partial)
            if edge_dataset == dataset and concerned and edge not in reached:
                reached[edge] = None
                if far(edge) not in seen:
                    seen.add(far(edge))
                    frontier.append(far(edge))
    return tuple(reached)


@contextmanager
def open_for_reading(environment: Environment) -> Iterator[Reading]:
    """Open a lake for questions; readers never wait for a run.

    Raises:
        UsageError: nothing has run yet.
    """
    if last_snapshot(environment.site) is None:
        raise UsageError(f"Nothing has run in environment '{environment.name}' yet. Next: backbone run")
    with open_reading(environment) as backend:
        yield Reading(environment, backend)
