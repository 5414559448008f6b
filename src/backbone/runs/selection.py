"""Selecting datasets: what `--select` and `--exclude` say, in dbt's grammar. Pure.

selection    = words, apart by blanks or given one by one: what any of them chooses
word         = terms, apart by commas: what all of them choose
term         = [@] [N]+ what +[N]: with N steps (all, without N) of what it is made from, and of what depends on it;
@ takes in what depends on it, and all that those are made from
what         = NAME, zone.NAME or METHOD:VALUE; `*`, `?` and `[…]` stand for other characters
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from backbone.errors import UsageError, did_you_mean
from backbone.governance.declared import about
from backbone.model.names import ZONES, stem_of, zone_of
from backbone.model.steps import Format, Published, Step, Trust

METHODS: Mapping[str, str] = {
    "zone": "the datasets of a zone",
    "tag": "those with a tag",
    "owner": "those of an owner",
    "source": "the formatted and the trusted dataset of a source",
    "path": "those declared in a file, or in the files of a folder",
    "state": "`changed`: declared otherwise than what is published was, or not published yet; `new`: not published yet",
}
"""The ways to select other than by name, each with what it selects."""
STATES = ("changed", "new")

_TERM = re.compile(r"(?P<around>@)?(?:(?P<up>\d*)\+)?(?P<what>[^+@]+)(?:\+(?P<down>\d*))?")
_GLOB = re.compile(r"[*?\[]")
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Selection:
    """The words that limit a plan: datasets to take (none: all), and of those the ones to leave out."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.include or self.exclude)


def selection_of(include: str | Iterable[str] = (), exclude: str | Iterable[str] = ()) -> Selection:
    """A selection from what people write: one text, or several, of one or more words each.

    Example:
        >>> selection_of("+orders tag:daily", ["trusted.*"])
        Selection(include=('+orders', 'tag:daily'), exclude=('trusted.*',))
    """
    return Selection(_words(include), _words(exclude))


def _words(texts: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(word for text in ([texts] if isinstance(texts, str) else texts) for word in text.split())


def select_datasets(
    steps: Sequence[Step], selection: Selection, published: Mapping[str, Published] | None = None
) -> frozenset[str] | None:
    """The steps (by their first dataset) that a selection chooses; None stands for all.

    `published` is what the lake holds, for `state:…`.

    Raises:
        UsageError: a word says nothing, or nothing is called so.
    """
    if not selection:
        return None
    graph = _Graph(steps, published or {})
    chosen = graph.union(selection.include) if selection.include else frozenset(s.dataset for s in steps)
    return chosen - graph.union(selection.exclude)


class _Graph:
    """The steps of a project with what each is made from and what depends on it."""

    def __init__(self, steps: Sequence[Step], published: Mapping[str, Published]) -> None:
        self._steps = {step.dataset: step for step in steps}
        self._published = published
        makers = {output: step.dataset for step in steps for output in step.outputs}
        self._up = {step.dataset: {makers[i] for i in step.inputs if i in makers} for step in steps}
        self._down: dict[str, set[str]] = {dataset: set() for dataset in self._steps}
        for dataset, inputs in self._up.items():
            for name in inputs:
                self._down[name].add(dataset)

    def union(self, words: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(self._word(word) for word in words))

    def _word(self, word: str) -> frozenset[str]:
        return frozenset.intersection(*(self._term(term, word) for term in word.split(",")))

    def _term(self, term: str, word: str) -> frozenset[str]:
        parts = _TERM.fullmatch(term)
        if parts is None or (parts["around"] and (parts["up"] is not None or parts["down"] is not None)):
            raise UsageError(
                f"'{word}' selects nothing: write NAME, +NAME, NAME+, 2+NAME+1, @NAME or METHOD:VALUE; "
                "a comma stands for *and*, a blank for *or*"
            )
        found = self._matching(parts["what"])
        if parts["around"]:
            below = self._reach(found, self._down, None)
            return frozenset(self._reach(below, self._up, None))
        above = self._reach(found, self._up, _degree(parts["up"])) if parts["up"] is not None else found
        below = self._reach(found, self._down, _degree(parts["down"])) if parts["down"] is not None else found
        return frozenset(found | above | below)

    @staticmethod
    def _reach(start: set[str], ways: Mapping[str, set[str]], degree: int | None) -> set[str]:
        reached, frontier = set(start), set(start)
        while frontier and degree != 0:
            frontier = {found for name in frontier for found in ways[name]} - reached
            reached |= frontier
            degree = None if degree is None else degree - 1
        return reached

    def _matching(self, what: str) -> set[str]:
        method, colon, value = what.partition(":")
        if not colon:
            return self._called("dataset", what, _dataset_names)
        if method in _NAMES:
            return self._called(method, value, _NAMES[method], ZONES if method == "zone" else ())
        if method == "state":
            return self._in_state(value)
        near = did_you_mean(method, METHODS) or f" There are: {', '.join(METHODS)}."
        raise UsageError(f"There is no way to select by '{method}:'.{near}")

    def _called(
        self, noun: str, value: str, names: Callable[[Step], Iterable[str]], possible: Iterable[str] = ()
    ) -> set[str]:
        """The steps of which one of the names is this one, or fits it; a name that nothing has is a mistake."""
        value = value.removeprefix("./").rstrip("/") if noun == "path" else value
        found = {dataset for dataset, s in self._steps.items() if any(fnmatchcase(n, value) for n in names(s))}
        if found or value in possible:
            return found
        known = sorted({name for step in self._steps.values() for name in names(step) if name} | set(possible))
        near = "" if _GLOB.search(value) else did_you_mean(value, known)
        raise UsageError(f"There is no {noun} '{value}' to select.{near or _listed(noun, known)}")

    def _in_state(self, value: str) -> set[str]:
        if value not in STATES:
            near = did_you_mean(value, STATES) or f" There are: {', '.join(STATES)}."
            raise UsageError(f"There is no state '{value}' to select.{near}")
        held = self._published
        new = {dataset for dataset in self._steps if dataset not in held}
        if value == "new":
            return new
        return new | {d for d, s in self._steps.items() if d in held and dict(held[d].definition) != dict(s.definition)}


def _listed(noun: str, known: Sequence[str]) -> str:
    if noun == "dataset":
        return " Which there are: backbone status"
    if not known:
        return f" None has one yet: it is declared by `{noun}{'s' if noun == 'tag' else ''}: NAME`"
    return f" There are: {', '.join(known[:_SHOWN])}{', …' if len(known) > _SHOWN else ''}."


def _degree(digits: str) -> int | None:
    """How many steps to go; all of them where no number is given."""
    return int(digits) if digits else None


def _dataset_names(step: Step) -> list[str]:
    return [name for output in step.outputs for name in (output, stem_of(output))]


def _source_names(step: Step) -> list[str]:
    return [stem_of(step.dataset)] if isinstance(step.work, Format | Trust) else []


def _paths(step: Step) -> list[str]:
    """The file that declares a step's datasets, and its folder."""
    path = about(step)[2]
    return [path, path.rpartition("/")[0]]


LABELS = ("tag", "owner")
_NAMES: Mapping[str, Callable[[Step], Iterable[str]]] = {
    "zone": lambda step: [zone_of(output) for output in step.outputs],
    "tag": lambda step: step.tags,
    "owner": lambda step: [about(step)[1]],
    "source": _source_names,
    "path": _paths,
}
"""What each way but `state` compares with."""


def labels_of(steps: Iterable[Step]) -> dict[str, tuple[str, ...]]:
    """The tags and the owners that there are to select by."""
    known = tuple(steps)
    return {way: tuple(sorted({name for step in known for name in _NAMES[way](step) if name})) for way in LABELS}
