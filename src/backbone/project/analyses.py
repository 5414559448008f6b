"""`analysis/NAME.py`: analytical questions, read from their decorators without running them."""

import ast
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from backbone.errors import did_you_mean
from backbone.model.project import Analysis, Split
from backbone.project.catalogue import Catalogue, Domains, check_columns
from backbone.project.columns import check_query_columns, output_columns
from backbone.project.fields import Fields, listed
from backbone.project.gates import METRICS, check_gate
from backbone.project.inputs import read_inputs
from backbone.project.python_tree import Declared, call_name, literal_node
from backbone.project.rule_sql import check_part_columns
from backbone.project.sql import Parsed, parse_part, parse_select
from backbone.project.tree import Mapping, Text
from backbone.project.values import fits

if TYPE_CHECKING:
    from collections.abc import Callable

    from backbone.errors import Problem
    from backbone.project.places import File, Place

Kind = Literal["classification", "regression", "clustering"]
KINDS: tuple[Kind, ...] = ("classification", "regression", "clustering")
_CLUSTERING = ("view", "key", "features", "gate", "fairness", "select_by", "seed", "owner", "tags")
_REGRESSION = (*_CLUSTERING, "target", "split", "baseline", "predict", "entity", "tune")
_ARGUMENTS = {"clustering": _CLUSTERING, "regression": _REGRESSION, "classification": (*_REGRESSION, "threshold")}
_SELECT_BY = {"classification": "roc_auc", "regression": "mae", "clustering": "silhouette"}
_SPLITS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "by_time": (("column",), ("train_until",), ("gap",)),
    "by_group": (("column",), ("validate",), ()),
    "at_random": ((), ("validate",), ("stratify",)),
}
"""For each split: positional arguments, required ones by name, others by name."""
_DURATION = re.compile(r"\d+ (second|minute|hour|day|week|month|year)s?")


@dataclass(frozen=True, slots=True)
class AnalysisDraft:
    """An analysis read by itself: its arguments, and its query."""

    file: "File"
    declared: Declared
    kind: Kind
    fields: Fields
    values: dict[str, ast.expr]
    view: Parsed | None

    @property
    def dataset(self) -> str:
        """Its metrics, by whose name it is known."""
        return f"analysis.{self.file.stem}"

    @property
    def outputs(self) -> tuple[str, ...]:
        """All datasets that it makes."""
        name = self.dataset
        if self.kind == "clustering":
            return (name, f"{name}__view", f"exploitation.{self.file.stem}__clusters")
        predictions = (f"exploitation.{self.file.stem}__predictions",) if "predict" in self.values else ()
        return (name, f"{name}__view", f"{name}__train", f"{name}__validate", *predictions)


def draft_analysis(file: "File", declared: Declared, problems: "list[Problem]") -> AnalysisDraft:
    """An analysis by itself: all arguments but `split` and `tune` are literals, read as the keys of a mapping."""
    kind = cast("Kind", declared.decorator)
    known = _ARGUMENTS[kind]
    entries = []
    values: dict[str, ast.expr] = {}
    for argument in declared.call.args:
        problems.append(
            declared.place(argument).problem(f"the arguments of @{kind} are written with their names, as in key=…")
        )
    for keyword in declared.call.keywords:
        name = keyword.arg or "**"
        start = declared.place(keyword).start
        key = Text(name, file.place(start, start + len(name)))
        if isinstance(keyword.value, ast.Constant) and keyword.value.value is None:
            continue
        values[name] = keyword.value
        if name in {"split", "tune"} and name in known:
            continue
        node = literal_node(file, keyword.value, problems)
        if node is not None or name not in known:
            entries.append((key, node or key))
    call = declared.place(declared.call)
    fields = Fields(Mapping(tuple(entries), call), problems, known=known, what=f"@{kind}", word="argument")
    _check_required(declared, kind, values, problems)
    given = fields.given("view")
    return AnalysisDraft(file, declared, kind, fields, values, parse_select(given, problems) if given else None)


def _check_required(declared: Declared, kind: Kind, values: dict[str, ast.expr], problems: "list[Problem]") -> None:
    start = declared.place(declared.call).start
    place = declared.file.place(start, start + len(kind))
    required = ("view", "key", "features") if kind == "clustering" else ("view", "key", "target", "features", "split")
    for name in required:
        if name not in values:
            problems.append(place.problem(f"@{kind} needs `{name}`"))
    if not declared.description.strip():
        problems.append(place.problem(f"'{declared.function.name}' has no docstring: it states the question"))
    arguments = declared.function.args
    if arguments.args or arguments.posonlyargs or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
        problems.append(place.problem(f"'{declared.function.name}' takes no parameters: it returns the candidates"))


def read_analysis(draft: AnalysisDraft, catalogue: Catalogue, problems: "list[Problem]") -> Analysis:
    """An analysis checked against the datasets of the project and the columns of its view."""
    fields, kind, values = draft.fields, draft.kind, draft.values
    columns: Domains | None = None
    inputs: tuple[str, ...] = ()
    if draft.view is not None:
        inputs = read_inputs(draft.view, catalogue, problems)
        check_query_columns(draft.view, catalogue, None, problems)
        columns = output_columns(draft.view.tree, catalogue)
    predict = fields.given("predict")
    for name in ("key", "features", "fairness", "entity"):
        check_columns(fields.texts(name), columns, "the view", problems)
    for name in ("key", "features"):
        if name in values and not fields.texts(name):
            fields.refuse(draft.declared.place(values[name]), f"`{name}` names at least one column of the view")
    for line in fields.texts("gate"):
        check_gate(line, kind, columns, problems)
    return Analysis(
        name=draft.file.stem,
        kind=kind,
        question=draft.declared.description,
        view=fields.text("view"),
        view_inputs=inputs,
        key=fields.values("key"),
        features=fields.values("features"),
        function_path=draft.file.path,
        normal=draft.declared.normal,
        target=_expression(fields, "target", columns),
        split=_split(draft, columns, problems),
        baseline=_expression(fields, "baseline", columns),
        gate=fields.values("gate"),
        fairness=fields.values("fairness"),
        predict=predict.value if predict else None,
        predict_inputs=_predict_inputs(predict, catalogue, columns, problems),
        entity=fields.text("entity") or None,
        tune=_tune(draft, problems),
        select_by=fields.choice("select_by", _SELECT_BY[kind], METRICS[kind]),
        threshold=_threshold(fields),
        seed=fields.count("seed", 0),
        library="spark"
        if any(f"{name}.".startswith("pyspark.ml.") for name in draft.declared.imports)
        else "scikit-learn",
        owner=fields.text("owner"),
        tags=fields.values("tags"),
        at=draft.declared.place(draft.declared.function).at,
        places={
            **{name: draft.declared.place(value).at for name, value in values.items()},
            **{line.value: line.place.at for line in fields.texts("gate")},
        },
    )


def _expression(fields: Fields, name: str, columns: Domains | None) -> str | None:
    given = fields.given(name)
    if given is None:
        return None
    parsed = parse_part(given, "condition", fields.problems)
    if parsed is not None:
        check_part_columns(parsed, columns, "the view", fields.problems)
    return given.value


def _predict_inputs(
    predict: Text | None, catalogue: Catalogue, columns: Domains | None, problems: "list[Problem]"
) -> tuple[str, ...]:
    parsed = parse_select(predict, problems) if predict else None
    if parsed is None:
        return ()
    inputs = read_inputs(parsed, catalogue, problems, own=True)
    check_query_columns(parsed, catalogue, columns, problems)
    return inputs


def _threshold(fields: Fields) -> float | Literal["f1"]:
    given = fields.given("threshold")
    if given is None or given.value == "f1":
        return "f1"
    share = _number(given.value)
    if share is None or not 0 <= share <= 1:
        fields.refuse(given.place, f"`threshold` is a number from 0 to 1, or 'f1', not '{given.value}'")
    return share or 0.0


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _tune(
    draft: AnalysisDraft, problems: "list[Problem]"
) -> tuple[tuple[str, tuple[tuple[str, tuple[object, ...]], ...]], ...]:
    node = draft.values.get("tune")
    if node is None or draft.kind == "clustering":
        return ()
    try:
        value: Any = ast.literal_eval(node)
        return tuple(
            (str(candidate), tuple((str(name), _several(options)) for name, options in grid.items()))
            for candidate, grid in value.items()
        )
    except (ValueError, TypeError, AttributeError, SyntaxError):
        example = "{'boosting': {'max_depth': [3, 6]}}"
        problems.append(
            draft.declared.place(node).problem(
                f"`tune` is a literal such as {example}: lists by parameter, by candidate"
            )
        )
        return ()


def _several(options: Any) -> tuple[object, ...]:
    if not isinstance(options, list | tuple) or not options:
        raise TypeError
    return tuple(options)


def _split(draft: AnalysisDraft, columns: Domains | None, problems: "list[Problem]") -> Split | None:
    node = draft.values.get("split")
    if node is None or draft.kind == "clustering":
        return None
    kind = call_name(draft.declared, node)
    if kind not in _SPLITS or not isinstance(node, ast.Call):
        place = draft.declared.place(node)
        problems.append(
            place.problem(f"`split` is one of {listed(f'{name}(…)' for name in _SPLITS)} of `from backbone import …`")
        )
        return None
    arguments = _split_arguments(draft, kind, node, problems)
    check_columns(tuple(arguments[n] for n in ("column", "stratify") if n in arguments), columns, "the view", problems)
    for name, (valid, expected) in _SPLIT_CHECKS.items():
        if name in arguments and not valid(arguments[name].value):
            problems.append(arguments[name].place.problem(f"`{name}` is {expected}, not '{arguments[name].value}'"))
    texts = {name: text.value for name, text in arguments.items()}
    return Split(
        kind=cast("Any", kind),
        column=texts.get("column"),
        train_until=texts.get("train_until"),
        gap=texts.get("gap"),
        validate=_number(texts["validate"]) if "validate" in texts else None,
        stratify=texts.get("stratify"),
    )


_SPLIT_CHECKS: "dict[str, tuple[Callable[[str], bool], str]]" = {
    "validate": (lambda text: 0 < (_number(text) or 0) < 1, "a share between 0 and 1"),
    "train_until": (lambda text: fits(text, "timestamp"), "a date or time such as 2013-09-30"),
    "gap": (lambda text: _DURATION.fullmatch(text) is not None, "a duration such as 7 days"),
}


def _split_arguments(draft: AnalysisDraft, kind: str, call: ast.Call, problems: "list[Problem]") -> dict[str, Text]:
    positional, required, optional = _SPLITS[kind]
    declared = draft.declared
    known = (*positional, *required, *optional)
    given: dict[str, Text] = {}
    pairs: list[tuple[str, ast.expr, Place]] = [
        (positional[i] if i < len(positional) else "", argument, declared.place(argument))
        for i, argument in enumerate(call.args)
    ] + [(keyword.arg or "**", keyword.value, declared.place(keyword)) for keyword in call.keywords]
    for name, value, place in pairs:
        if name not in known:
            said = (
                f"has no argument `{name}`.{did_you_mean(name, known)}" if name else f"takes {listed(known)}, by name"
            )
            problems.append(place.problem(f"{kind} {said}"))
            continue
        node = literal_node(draft.file, value, problems)
        if isinstance(node, Text):
            given[name] = node
        elif node is not None:
            problems.append(place.problem(f"`{name}` of {kind} is one text or number"))
    named = {name for name, _, _ in pairs}
    for name in (*positional, *required):
        if name not in named:
            problems.append(declared.place(call).problem(f"{kind} needs `{name}`"))
    return given
