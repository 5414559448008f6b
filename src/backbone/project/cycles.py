"""Datasets that are made from themselves."""

from typing import TYPE_CHECKING

from backbone.errors import Problem
from backbone.model.project import Analysis, View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from backbone.model.rules import Location


def check_cycles(
    views: "Sequence[View]", analyses: "Sequence[tuple[Analysis, Sequence[str]]]", problems: list[Problem]
) -> None:
    """Note each cycle among views and analyses once, with its path. Foreign-key targets are inputs too."""
    owners = {f"exploitation.{view.name}": f"exploitation.{view.name}" for view in views}
    reads: dict[str, tuple[str, ...]] = {f"exploitation.{view.name}": _read_by(view) for view in views}
    places = {f"exploitation.{view.name}": view.query_at for view in views}
    for analysis, outputs in analyses:
        name = f"analysis.{analysis.name}"
        owners |= dict.fromkeys(outputs, name)
        reads[name] = (*analysis.view_inputs, *analysis.predict_inputs)
        places[name] = analysis.at
    graph = {name: [owners[read] for read in found if read in owners] for name, found in reads.items()}
    problems += [_problem(cycle, places) for cycle in _cycles(graph)]


def _read_by(view: View) -> tuple[str, ...]:
    targets = [str(rule.param("to")) for rule in view.rules if rule.kind == "references"]
    return (*view.inputs, *(target for target in targets if target != f"exploitation.{view.name}"))


def _cycles(graph: "Mapping[str, list[str]]") -> list[list[str]]:
    """Depth-first, without recursion: chains of datasets may be long."""
    done: set[str] = set()
    cycles = []
    for start in graph:
        stack = [(start, iter(graph[start]))] if start not in done else []
        path = [start] if stack else []
        while stack:
            name, following = stack[-1]
            child = next(following, None)
            if child is None:
                stack.pop()
                path.pop()
                done.add(name)
            elif child in path:
                cycles.append([*path[path.index(child) :], child])
            elif child not in done:
                path.append(child)
                stack.append((child, iter(graph[child])))
    return cycles


def _problem(cycle: list[str], places: "Mapping[str, Location]") -> Problem:
    # The reading direction: each dataset is made from the next.
    return Problem(places[cycle[0]], f"{cycle[0]} is made from itself: {' ← '.join(cycle)}")
