"""Writing exceptions into rules: single rows that a rule leaves alone. Comments and layout are kept."""

from collections.abc import Iterable
from pathlib import Path

from backbone.errors import Problem, ProjectError
from backbone.model.rules import Location
from backbone.project.places import File, read_file
from backbone.project.tree import Items, Mapping, Node, Text
from backbone.project.yaml_tree import read_yaml


def with_exceptions(root: Path, path: str, at: Location, records: Iterable[tuple[int, int]]) -> str:
    """The text of a YAML file in which the rule that stands at a place leaves these `(file, record)` alone, too.

    Raises:
        ProjectError: the file can't be read, or has no rule there.
    """
    problems: list[Problem] = []
    file = read_file(root, path, problems)
    node = read_yaml(file, problems) if file else None
    if file is None or problems:
        raise ProjectError(problems)
    rule = _rule_at(node, at)
    if rule is None:
        raise ProjectError([Problem(at, "the rule has moved since the project was read. Try again")])
    present = rule.get("except")
    held = [t.value for t in (present.items if isinstance(present, Items) else (present,)) if isinstance(t, Text)]
    said = ", ".join(dict.fromkeys([*held, *(f"{number}:{record}" for number, record in records)]))
    if present is not None:
        return _replaced(file, present.place.start, _end_of(present), f"[{said}]")
    last = rule.entries[-1][1]
    if file.text[rule.place.start] == "{":
        return _replaced(file, last.place.end, last.place.end, f", except: [{said}]")
    indent = " " * (rule.entries[0][0].place.at.column - 1)
    end = file.text.find("\n", _end_of(last))
    end = len(file.text) if end < 0 else end
    return _replaced(file, end, end, f"\n{indent}except: [{said}]")


def _rule_at(node: Node | None, at: Location) -> Mapping | None:
    rules = node.get("rules") if isinstance(node, Mapping) else None
    items = rules.items if isinstance(rules, Items) else (rules,)
    return next((r for r in items if isinstance(r, Mapping) and r.place.at == at), None)


def _end_of(node: Node) -> int:
    """Where the last text of a node ends: a block's own end is that of the blank lines after it."""
    if isinstance(node, Items) and node.items and node.place.file.text[node.place.start] != "[":
        return _end_of(node.items[-1])
    if isinstance(node, Mapping) and node.entries and node.place.file.text[node.place.start] != "{":
        return _end_of(node.entries[-1][1])
    return node.place.end


def _replaced(file: File, start: int, end: int, by: str) -> str:
    return file.text[:start] + by + file.text[end:]
