"""The ways of data: where rows and columns come from and go, and where rows were set aside."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from backbone.cli.drawing.cells import Part, pairs
from backbone.cli.phrases import count
from backbone.model.reports import LineageGraph, Quarantine, QuarantineRow, TraceNode
from backbone.model.steps import Origin

if TYPE_CHECKING:
    from backbone.cli.drawing.screen import Screen


def draw_trace(node: TraceNode, screen: "Screen", depth: int = 0) -> None:
    """A row's way back to landed files, as a tree."""
    branch = "  " * (depth - 1) + "└ " if depth else ""
    certain = "" if node.exact else ", not exact: any of these may have made it"
    head: list[Part] = [branch, (node.dataset, "bold"), f"  {node.label}"]
    detail = f"{node.detail}{certain}".removeprefix(", ")
    screen.line(*head, ("  " + detail if detail else "", "dim"), hang=2 * depth + 2)
    for child in node.children:
        draw_trace(child, screen, depth + 1)
    if node.more:
        screen.line("  " * (depth + 1), (f"({node.more:,} more: --all)", "dim"))


def draw_lineage(graph: LineageGraph, screen: "Screen") -> None:
    """Where a dataset or column comes from and where it goes, as two trees."""
    name = graph.dataset if graph.column is None else f"{graph.dataset}.{graph.column}"
    screen.line((name, "bold"))
    screen.line(("comes from" if graph.up else "comes from nothing that is known", "dim"))
    _up(graph.up, graph.dataset, graph.column or "*", screen, ())
    screen.line(("goes to" if graph.down else "goes to nothing", "dim"))
    _down(graph.down, graph.dataset, graph.column or "*", screen, ())
    if any(edge.partial for edge in (*graph.up, *graph.down)):
        screen.line(("partial: some of its origins could not be resolved", "yellow"))


def _up(edges: Sequence[Origin], dataset: str, column: str, screen: "Screen", way: tuple[str, ...]) -> None:
    for edge in _distinct(e for e in edges if e.dataset == dataset and _same(e.column, column)):
        end = _end(edge.input_dataset, edge.input_column)
        _branch(end, edge, screen, len(way))
        if end not in way:
            _up(edges, edge.input_dataset, edge.input_column, screen, (*way, end))


def _down(edges: Sequence[Origin], dataset: str, column: str, screen: "Screen", way: tuple[str, ...]) -> None:
    for edge in _distinct(e for e in edges if e.input_dataset == dataset and _same(e.input_column, column)):
        end = _end(edge.dataset, edge.column)
        _branch(end, edge, screen, len(way))
        if end not in way:
            _down(edges, edge.dataset, edge.column, screen, (*way, end))


def _distinct(edges: Iterable[Origin]) -> list[Origin]:
    return list(dict.fromkeys(edges))


def _same(column: str, wanted: str) -> bool:
    return "*" in (column, wanted) or column == wanted


def _end(dataset: str, column: str) -> str:
    return dataset if column == "*" else f"{dataset}.{column}"


def _branch(end: str, edge: Origin, screen: "Screen", depth: int) -> None:
    expression = "" if edge.expression in ("", edge.input_column) else f"  {edge.expression}"
    partial = "  partial" if edge.partial else ""
    screen.line("  " * depth + "└ ", end, (expression, "dim"), (partial, "yellow"), hang=4)


def draw_quarantine_groups(quarantine: Quarantine, screen: "Screen") -> None:
    """How many rows each rule has set aside."""
    if not quarantine.groups:
        screen.line("quarantine is empty")
        return
    rows = [[group.dataset, group.rule, f"{group.rows:,}", group.run] for group in quarantine.groups]
    screen.table(("dataset", "rule", "rows", "last run"), rows, right=(2,))
    screen.line(
        f"{count(quarantine.total, 'row')}. look: ", (f"backbone quarantine {quarantine.groups[0].dataset}", "cyan")
    )


def draw_quarantine_rows(quarantine: Quarantine, dataset: str | None, screen: "Screen") -> None:
    """The rows set aside, with where they came from."""
    if not quarantine.rows:
        screen.line(f"quarantine has no rows of {dataset}" if dataset else "quarantine is empty")
        return
    draw_quarantine_table(quarantine.rows, screen)
    if (more := quarantine.total - len(quarantine.rows)) > 0:
        screen.line((f"({more:,} more: --limit {quarantine.total})", "dim"))


def draw_quarantine_table(aside: Sequence[QuarantineRow], screen: "Screen") -> None:
    """Rows set aside, one a line; where values are suggested that would mend them, these too."""
    several = len({row.dataset for row in aside}) > 1
    suggests = any(row.suggested for row in aside)
    header = (*(("dataset",) if several else ()), "run", "file", "record", "rule", "values")
    header = (*header, "suggested") if suggests else header
    rows = [_row(row, several=several) for row in aside]
    if suggests:
        rows = [[*cells, pairs(dict(row.suggested))] for cells, row in zip(rows, aside, strict=True)]
    screen.table(header, rows, right=(header.index("record"),))


def _row(row: QuarantineRow, *, several: bool) -> list[Part]:
    record = "" if row.record is None else f"{row.file_id}:{row.record}"
    reason = row.rule or row.reason
    return [*([row.dataset] if several else []), row.run, row.file, record, reason, values(row.raw)]


def values(raw: str) -> str:
    """A row set aside: its values, or the raw line where it could not even be parsed."""
    try:
        parsed = json.loads(raw)
    except ValueError:
        return raw
    return pairs(parsed) if isinstance(parsed, dict) else raw
