"""`exploitation/NAME.sql` and `NAME.py`: views, first read each by itself, then checked against the project."""

import ast
import builtins
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, get_args

from backbone.errors import did_you_mean
from backbone.model.forms import FORM_NAMES, FORMS
from backbone.model.project import Mode, View
from backbone.project import keys
from backbone.project.catalogue import Catalogue, check_columns
from backbone.project.columns import check_query_columns
from backbone.project.comparisons import check_compared_domains
from backbone.project.fields import Fields
from backbone.project.inputs import read_inputs
from backbone.project.python_tree import Declared, literal_node
from backbone.project.rule_node import Setting
from backbone.project.rules import read_rules
from backbone.project.sql import Parsed, normalised, parse_select
from backbone.project.tree import Mapping, Text
from backbone.project.yaml_tree import read_yaml

if TYPE_CHECKING:
    from backbone.errors import Problem
    from backbone.project.places import File, Place

_ARGUMENTS = {name: key for name, key in keys.VIEW.items() if name != "description"}
"""What `@view` takes; a function's description is its docstring."""
_HEADER = re.compile(r"\s*/\*---(.*?)---\*/[ \t]*\n?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Draft:
    """A view read by itself: what it says about itself, and its query or function."""

    file: "File"
    fields: Fields
    parsed: Parsed | None = None
    declared: Declared | None = None

    @property
    def dataset(self) -> str:
        """The dataset that it makes."""
        return f"exploitation.{self.file.stem}"

    @property
    def key(self) -> tuple[str, ...]:
        """Its primary key, as far as it is written well."""
        return Fields(self.fields.mapping, [], known=_ARGUMENTS).values("key")


def draft_sql(file: "File", problems: "list[Problem]") -> Draft | None:
    """An SQL view: the YAML header, if any, and the SELECT."""
    header = _HEADER.match(file.text)
    if header is None and file.text.lstrip().startswith("/*---"):
        start = file.text.index("/*---")
        problems.append(file.place(start, start + 5).problem("the header is not closed: `---*/` is expected"))
        return None
    node = read_yaml(file, problems, start=header.start(1), end=header.end(1)) if header else None
    fields = Fields(node, problems, known=keys.VIEW, what="the header of a view")
    begin = header.end() if header else 0
    text = Text(file.text[begin:], file.place(begin, len(file.text)))
    parsed = parse_select(text, problems)
    return Draft(file, fields, parsed)


def draft_python(file: "File", declared: Declared, problems: "list[Problem]") -> Draft:
    """A Python view: the arguments of `@view`, read as the header of an SQL view is."""
    entries = []
    for keyword in declared.call.keywords:
        place = declared.place(keyword)
        name = keyword.arg or "**"
        node = literal_node(file, keyword.value, problems)
        if node is not None:
            entries.append((Text(name, file.place(place.start, place.start + len(name))), node))
    mapping = Mapping(tuple(entries), declared.place(declared.call))
    return Draft(file, Fields(mapping, problems, known=_ARGUMENTS, what="@view", word="argument"), declared=declared)


def read_view(draft: Draft, catalogue: Catalogue, problems: "list[Problem]") -> View:
    """A view checked against the datasets of the project."""
    fields = draft.fields
    inputs = (
        _sql_inputs(draft, catalogue, problems)
        if draft.declared is None
        else _python_inputs(draft, catalogue, problems)
    )
    columns = catalogue.columns(draft.dataset)
    key = fields.texts("key")
    check_columns(key, columns, draft.dataset, problems)
    mode: Mode = fields.choice("mode", "full", get_args(Mode))
    driver = _driver(fields, mode, inputs)
    if mode == "merge" and not key and fields.node("key") is None:
        fields.refuse(
            fields.key_place("mode") or draft.file.place(), "`mode: merge` needs `key`: rows are merged by it"
        )
    setting = Setting(draft.dataset, "exploitation", draft.dataset, columns, catalogue, problems)
    text = draft.parsed.text if draft.parsed else None
    declared = draft.declared
    return View(
        name=draft.file.stem,
        inputs=inputs,
        query=text.value if text else "",
        query_at=(text.place if text else draft.file.place()).at,
        normal=_normal(draft, inputs),
        function_path=draft.file.path if declared else None,
        key=tuple(part.value for part in key),
        mode=mode,
        driver=driver,
        rules=read_rules(fields.node("rules"), setting),
        description=declared.description if declared else fields.text("description"),
        owner=fields.text("owner"),
        tags=fields.values("tags"),
        at=(declared.place(declared.function) if declared else draft.file.place()).at,
        key_at=(fields.key_place("key") or draft.file.place()).at,
    )


def _normal(draft: Draft, inputs: tuple[str, ...]) -> str:
    if draft.declared:
        # The order of a function's inputs counts, and stands in the decorator, which isn't in the digest of its code.
        return sha256(" ".join((draft.declared.normal, *inputs)).encode()).hexdigest()[:16]
    return normalised(draft.parsed) if draft.parsed else ""


def _driver(fields: Fields, mode: Mode, inputs: tuple[str, ...]) -> str | None:
    driver = fields.given("driver")
    if driver is None:
        place = fields.key_place("mode")
        if mode == "append" and len(inputs) > 1 and place:
            fields.refuse(
                place, f"`mode: append` needs `driver`, the input whose new rows are added: {', '.join(inputs)}"
            )
        return None
    if mode != "append":
        fields.refuse(driver.place, "`driver` needs `mode: append`")
    if driver.value not in inputs:
        fields.refuse(driver.place, f"'{driver.value}' is no input of this view. Its inputs: {', '.join(inputs)}")
    return driver.value


def _sql_inputs(draft: Draft, catalogue: Catalogue, problems: "list[Problem]") -> tuple[str, ...]:
    if draft.parsed is None:
        return ()
    inputs = read_inputs(draft.parsed, catalogue, problems)
    check_query_columns(draft.parsed, catalogue, None, problems)
    check_compared_domains(draft.parsed, catalogue, problems)
    return inputs


def _python_inputs(draft: Draft, catalogue: Catalogue, problems: "list[Problem]") -> tuple[str, ...]:
    declared = draft.declared
    if declared is None:
        return ()
    nodes = [literal_node(draft.file, argument, problems) for argument in declared.call.args]
    inputs = [node for node in nodes if isinstance(node, Text)]
    for text in inputs:
        if not catalogue.has(text.value):
            problems.append(text.place.problem(catalogue.missing(text.value)))
    _check_parameters(declared, len(declared.call.args), problems)
    return tuple(text.value for text in inputs)


def _check_parameters(declared: Declared, inputs: int, problems: "list[Problem]") -> None:
    arguments = declared.function.args
    named = [*arguments.posonlyargs, *arguments.args]
    surplus = arguments.vararg or arguments.kwarg or next(iter(arguments.kwonlyargs), None)
    if surplus is not None:
        problems.append(
            declared.place(surplus).problem(f"'{surplus.arg}': a view has one plain parameter for each input")
        )
    elif not inputs:
        problems.append(
            declared.place(declared.call).problem("@view names no input. Write, for example, @view('trusted.orders')")
        )
    elif len(named) != inputs:
        place: Place = declared.place(named[-1]) if named else declared.place(declared.call)
        problems.append(
            place.problem(
                f"'{declared.function.name}' has {len(named)} parameters for {inputs} inputs: one for each, in order"
            )
        )
    else:
        for parameter in named:
            _check_annotation(declared, parameter, problems)


def _check_annotation(declared: Declared, parameter: ast.arg, problems: "list[Problem]") -> None:
    """A parameter says in which form it takes its input. A name that isn't imported as it stands is left to the run."""
    annotation = parameter.annotation
    if annotation is None:
        what = f"parameter '{parameter.arg}' has no annotation, which says in which form it comes"
        problems.append(declared.place(parameter).problem(f"{what}. Expected one of {FORM_NAMES}"))
        return
    text = str(annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation))
    head, dot, rest = text.partition(".")
    meant = declared.names.get(head, "" if dot else head if head in dir(builtins) else "")
    if meant and (full := f"{meant}{dot}{rest}") not in FORMS:
        near = did_you_mean(full, FORMS)
        message = f"parameter '{parameter.arg}' can't be {text}. Expected one of {FORM_NAMES}.{near}"
        problems.append(declared.place(annotation).problem(message))
