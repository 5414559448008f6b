"""From a row back to the landed files and records that made it."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from backbone.engine.protocol import Session
from backbone.errors import EngineError, UsageError, did_you_mean, shown_value
from backbone.formats.lines import line_of
from backbone.lineage.trace import Contribution, provenance_queries
from backbone.model.domains import sql_type
from backbone.model.files import LandedFile, Template
from backbone.model.names import (
    FILE,
    ITEM,
    PARENT,
    RECORD,
    is_system,
    literal,
    quoted,
    quoted_dataset,
    stem_of,
    zone_of,
)
from backbone.model.project import Analysis, Source
from backbone.model.reports import TraceNode
from backbone.model.steps import Analyse, Derive, Extent, Format, Published, Step
from backbone.runs.run import read_published
from backbone.workspace.querying import find_dataset
from backbone.workspace.reading import Reading, open_for_reading

if TYPE_CHECKING:
    from backbone.workspace.workspace import Workspace

Row = Mapping[str, object]
_LABELLED = 6


def trace(workspace: "Workspace", dataset: str, key: Mapping[str, str], limit: int | None) -> TraceNode:
    """The way back from the row that `key` names.

    Raises:
        UsageError: there is no such dataset, column or row.
    """
    with open_for_reading(workspace.environment) as reading, reading.engine.session() as session:
        tracer = _Tracer(workspace, reading, session, limit)
        name = find_dataset(dataset, tracer.known)
        rows = tracer.matching(name, key)
        if not rows:
            words = " ".join(f"{column}={value}" for column, value in key.items())
            raise UsageError(f'{name} has no row with {words}. Which it has: backbone sql "from {name}"')
        return tracer.node(name, rows[0], detail=f"the first of {len(rows):,} such rows" if len(rows) > 1 else "")


class _Tracer:
    """Follows rows through the datasets of a lake at its last snapshot."""

    def __init__(self, workspace: "Workspace", reading: Reading, session: Session, limit: int | None) -> None:
        self._workspace, self._reading, self._session, self._limit = workspace, reading, session, limit
        self._snapshot = reading.lake.snapshot[1]
        self._shown: set[str] = set()
        session.show_system(True)

    @cached_property
    def known(self) -> dict[str, Published]:
        return read_published(self._workspace.environment, self._reading.lake)

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {output: step for step in self._workspace.steps for output in step.outputs}

    @cached_property
    def _files(self) -> dict[int, LandedFile]:
        return {file.id: file for file in self._workspace.environment.landing.registry.files()}

    def _show(self, dataset: str) -> None:
        if dataset not in self._shown:
            self._session.show(Extent(dataset, self.known[dataset].relation, self._snapshot))
            self._shown.add(dataset)

    def _rows(self, dataset: str, where: str) -> list[Row]:
        self._show(dataset)
        names = self.known[dataset].relation.names
        columns = ", ".join(quoted(name) for name in names)
        rows = self._session.rows(f"SELECT {columns} FROM {quoted_dataset(dataset)} WHERE {where}")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def matching(self, dataset: str, key: Mapping[str, str]) -> list[Row]:
        relation = self.known[dataset].relation
        for column in key:
            if column not in relation.names:
                near = did_you_mean(column, relation.names) or f" Which there are: backbone show {dataset}"
                raise UsageError(f"There is no column '{column}' in {dataset}.{near}")
        try:
            return self._rows(dataset, " AND ".join(self._is(dataset, c, v) for c, v in key.items()))
        except EngineError as error:
            raise UsageError(f"These values don't fit the columns of {dataset}: {error}") from error

    def _is(self, dataset: str, column: str, value: object) -> str:
        return f"{quoted(column)} IS NOT DISTINCT FROM {self._literal(dataset, column, value)}"

    def _literal(self, dataset: str, column: str, value: object) -> str:
        domain = self.known[dataset].relation.domain(column) or "text"
        return "NULL" if value is None else f"CAST({literal(str(value))} AS {sql_type(domain)})"

    def node(self, dataset: str, row: Row, detail: str = "") -> TraceNode:
        """A row of a dataset, with where it comes from."""
        if {FILE, RECORD} <= row.keys():
            return self._landed_row(dataset, row, detail)
        step = self._steps.get(dataset)
        match step.work if step else None:
            case Derive(view) if view.function_path is None:
                return self._queried_row(dataset, row, (view.query, view.key, view.inputs), detail)
            case Analyse(analysis, "view"):
                return self._queried_row(dataset, row, (analysis.view, analysis.key, analysis.view_inputs), detail)
            case Analyse(analysis, _) if set(analysis.key) <= row.keys():
                return self._analysed_row(dataset, row, analysis, detail)
        return self._approximate(dataset, row, step, detail)

    def _analysed_row(self, dataset: str, row: Row, analysis: Analysis, detail: str) -> TraceNode:
        """A row of a set or of predictions is one of the analysis's view, by its key."""
        view = f"analysis.{analysis.name}__view"
        rows = self._rows(view, " AND ".join(self._is(view, c, row[c]) for c in analysis.key))
        children = tuple(self.node(view, one) for one in rows[: self._limit])
        return TraceNode(dataset, self._label(dataset, row), detail, True, children, len(rows) - len(children))

    def _key(self, dataset: str) -> tuple[str, ...]:
        step = self._steps.get(dataset)
        match step.work if step else None:
            case Derive(view):
                return view.key
            case Analyse(analysis, _):
                return analysis.key
            case _:
                return ()

    def _label(self, dataset: str, row: Row) -> str:
        plain = [name for name in row if not is_system(name)]
        key = [name for name in self._key(dataset) if name in row]
        chosen = list(dict.fromkeys([*key, *plain]))[: max(_LABELLED, len(key))]
        more = " …" if len(plain) > len(chosen) else ""
        return " ".join(f"{name}={shown_value(row[name])}" for name in chosen) + more

    def _landed_row(self, dataset: str, row: Row, detail: str) -> TraceNode:
        file_id, record = int(str(row[FILE])), int(str(row[RECORD]))
        words = [detail] if detail else []
        if zone_of(dataset) == "trusted":
            words.append(self._repairs(dataset, row))
            words += self._merged(dataset, file_id, record)
        origin = self._parent(dataset, row) if PARENT in row else self._file(file_id, record)
        return TraceNode(dataset, self._label(dataset, row), ", ".join(words), children=(origin,))

    def _parent(self, dataset: str, row: Row) -> TraceNode:
        """The row in whose list an item is, in the same zone; in formatted where it isn't in trusted any more."""
        source = next(one for one in self._relations if one.name == stem_of(dataset))
        place = f"{FILE} = {row[FILE]} AND {RECORD} = {row[PARENT]}"
        for parent in dict.fromkeys((f"{zone_of(dataset)}.{source.parent}", f"formatted.{source.parent}")):
            if parent in self.known and (rows := self._rows(parent, place)):
                return self.node(parent, rows[0], f"item {row[ITEM]} of {source.template.inside[-1]}")
        return TraceNode(f"formatted.{source.parent}", "its parent was set aside", f"record {row[PARENT]}")

    def _repairs(self, dataset: str, row: Row) -> str:
        """How a trusted row differs from its original in formatted, under the same file and record."""
        formatted = f"formatted.{stem_of(dataset)}"
        originals = self._rows(formatted, f"{FILE} = {row[FILE]} AND {RECORD} = {row[RECORD]}")
        if not originals:
            return "its original isn't in formatted any more"
        was = originals[0]
        decided = self._decided(dataset, row)
        changed = [name for name in was if name in row and not self._same(dataset, formatted, name, was, row)]
        if not changed:
            return "no repairs, 1:1"
        how = {c: f"fixed{decided[c]} to" if c in decided else "repaired to" for c in changed}
        return ", ".join(f"{c} was {shown_value(was[c])}, {how[c]} {shown_value(row[c])}" for c in changed)

    def _decided(self, dataset: str, row: Row) -> dict[str, str]:
        """Columns of a row that people fixed, with who did and why."""
        if not self._reading.lake.has("governance.decision"):
            return {}
        rows = self._reading.records(
            f"SELECT * FROM lake.governance.decision WHERE dataset = {literal(dataset)} AND attribute IS NOT NULL "
            f"AND file = {row[FILE]} AND record = {row[RECORD]}"
        )
        why = {d["attribute"]: f" ({d['because']})" if d["because"] else "" for d in rows}
        return {d["attribute"]: f" by {d['decided_by'] or 'hand'}{why[d['attribute']]}" for d in rows}

    def _same(self, dataset: str, formatted: str, column: str, was: Row, now: Row) -> bool:
        """Whether a value is as it was: a type that converts `8` to 8 has repaired nothing."""
        if was[column] == now[column] or was[column] is None or now[column] is None:
            return was[column] == now[column]
        if self.known[dataset].relation.domain(column) == self.known[formatted].relation.domain(column):
            return False
        return str(was[column]) == str(now[column])

    def _merged(self, dataset: str, file_id: int, record: int) -> Iterator[str]:
        rows = self._reading.records(
            f"SELECT count(*) AS rows FROM lake.governance.merged_away WHERE dataset = {literal(dataset)} "
            f"AND survivor_file = {file_id} AND survivor_record = {record}"
        )
        if rows and rows[0]["rows"]:
            yield f"{rows[0]['rows']:,} rows merged into it"

    def _file(self, file_id: int, record: int) -> TraceNode:
        file = self._files[file_id]
        with self._workspace.environment.landing.opened([file]) as (opened,):
            line = line_of(opened.path, self._template(file.source), record)
        place = f"record {record}" + (f", line {line}" if line else "")
        return TraceNode(file.name, place, f"arrived {file.arrived_at:%Y-%m-%d %H:%M}, sha256 {file.sha256[:8]}…")

    @cached_property
    def _relations(self) -> tuple[Source, ...]:
        works = (step.work for step in self._workspace.steps)
        return tuple(one for work in works if isinstance(work, Format) for one in work.source.relations)

    def _template(self, source: str) -> Template:
        step = self._steps.get(f"formatted.{source}")
        return step.work.source.template if step and isinstance(step.work, Format) else Template()

    def _queried_row(
        self, dataset: str, row: Row, query: tuple[str, Sequence[str], Sequence[str]], detail: str
    ) -> TraceNode:
        text, declared_key, reads = query
        key = {name: self._literal(dataset, name, row[name]) for name in declared_key or row}
        inputs = {name: self.known[name].relation for name in reads if name in self.known}
        found = provenance_queries(text, key, inputs) if len(inputs) == len(reads) else None
        if found is None:
            return self._approximate(dataset, row, self._steps[dataset], detail)
        for name in reads:
            self._show(name)
        followed = [self._contribution(one) for one in found.contributions]
        total = sum(count for _, count in followed)
        words = [detail] if detail else []
        words.append(f"group of {total:,} rows" if found.grouped else f"{total:,} rows")
        words.append("exact" if found.exact else found.why)
        children = tuple(child for nodes, _ in followed for child in nodes)
        return TraceNode(
            dataset, self._label(dataset, row), ", ".join(words), found.exact, children, total - len(children)
        )

    def _contribution(self, one: Contribution) -> tuple[list[TraceNode], int]:
        rows = [dict(zip(one.columns, row, strict=True)) for row in self._session.rows(one.sql)]
        return [self._follow(one.dataset, row) for row in rows[: self._limit]], len(rows)

    def _follow(self, dataset: str, found: Row) -> TraceNode:
        rows = self._rows(dataset, " AND ".join(self._is(dataset, c, v) for c, v in found.items()))
        return self.node(dataset, rows[0])

    def _approximate(self, dataset: str, row: Row, step: Step | None, detail: str) -> TraceNode:
        """Rows of the inputs that agree with a row on the columns that both have."""
        children: list[TraceNode] = []
        total = 0
        for name in step.inputs if step else ():
            if rows := self._agreeing(dataset, row, name):
                total += len(rows)
                children += [self.node(name, one) for one in rows[: self._limit]]
        words = [detail] if detail else []
        elsewhere = [name for name in (step.inputs if step else ()) if name not in self.known]
        words.append(f"from {', '.join(elsewhere)} of another project" if elsewhere else "agrees with these rows")
        label = self._label(dataset, row)
        return TraceNode(dataset, label, ", ".join(words), False, tuple(children), total - len(children))

    def _agreeing(self, dataset: str, row: Row, name: str) -> Sequence[Row]:
        if name not in self.known:
            return ()
        names = self.known[name].relation.names
        shared = [c for c in self._key(dataset) or row if c in names and not is_system(c)]
        return self._rows(name, " AND ".join(self._is(name, c, row[c]) for c in shared)) if shared else ()
