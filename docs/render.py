"""Renders what the reference says about code from the code itself: `make docs` rewrites it, `make check` compares.

Text around the blocks is written by hand. A block is what stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from backbone.cli.app import SECTIONS, app
from backbone.engine.spark.aggregates import AGGREGATES, WINDOWS
from backbone.engine.spark.casts import castable
from backbone.engine.spark.functions import FUNCTIONS, INTERNAL
from backbone.governance.tables import SAYS, STATES, TABLES
from backbone.project import declarations, keys
from backbone.project.gates import METRICS
from backbone.quality.vocabulary import EVERY_RULE_SAYS, VOCABULARY, RuleKind
from backbone.runs.selection import METHODS

REFERENCE = Path(__file__).parent / "reference"
PAGES = ("project", "rules", "commands", "governance", "spark")
_BLOCK = re.compile(r"(<!-- generated: ([\w .-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SUBJECTS = {"column": "COLS", "columns": "COLS", "all": "all", "columns or all": "COLS or all", "sql": "SQL"}


def rendered(text: str) -> str:
    """A page with its blocks as they should be."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]]().strip()}\n\n{block[3]}", text)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _keys(known: keys.Keys) -> str:
    return _table(
        ("key", "says", "default"),
        (
            (f"`{name}`", key.says if key.built else f"not built yet: {key.says}", key.default)
            for name, key in known.items()
        ),
    )


def _rules(wanted: Callable[[RuleKind], bool], *, repairs: bool = False) -> str:
    rows = []
    for word, kind in VOCABULARY.items():
        if wanted(kind):
            subject = "PATH:FUNCTION" if word == "python" else _SUBJECTS[kind.subject]
            says = kind.says if kind.built else f"not built yet: {kind.says}"
            params = kind.params_say or ", ".join(f"`{name}`" for name in kind.params)
            rows.append([f"`{word}: {subject}`", says, params, *([] if repairs else [", ".join(kind.actions)])])
    head = ("rule", "does", "parameters") if repairs else ("rule", "true if", "parameters", "`else`")
    return _table(head, rows)


def _section(title: str) -> Callable[[], str]:
    """The commands of a section, each with its options."""
    return lambda: "\n\n".join(_command(name, _found(name)) for name in SECTIONS[title])


def _found(name: str) -> click.Command:
    command = app.get_command(click.Context(app), name)
    if command is None:
        raise LookupError(name)
    return command


def _command(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"backbone {name}")
    usage = " ".join(word for word in command.collect_usage_pieces(context) if word != "[OPTIONS]")
    said = inspect.cleandoc(command.help or "").split("\n\n")[0].replace("\n", " ")
    options = [_option(option, context) for option in command.params if isinstance(option, click.Option)]
    shared = {parameter.name for parameter in app.params}
    own = [row for row, option in zip(options, _options(command), strict=True) if option.name not in shared]
    text = f"**`backbone {name}{f' {usage}' if usage else ''}`**: {said[:1].lower()}{said[1:]}"
    return f"{text}\n\n{_table(('option', 'says'), own)}" if own else text


def _options(command: click.Command) -> list[click.Option]:
    return [option for option in command.params if isinstance(option, click.Option)]


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    names, said = option.get_help_record(context) or ("", "")
    return f"`{names}`", said.removesuffix(".")


def _shared() -> str:
    context = click.Context(app)
    return _table(("option of every command", "says"), (_option(option, context) for option in _options(app)))


def _arguments(function: Callable[..., object]) -> str:
    """The arguments of a decorator: what its docstring says of each, and the defaults of its signature."""
    said = dict(re.findall(r"^    (\w+): (.*)$", inspect.getdoc(function).partition("Args:\n")[2], re.MULTILINE))
    parameters = inspect.signature(function).parameters.values()
    rows = [(f"`{p.name}`", said[p.name].removesuffix("."), _default(p)) for p in parameters]
    return _table(("argument", "says", "default"), rows)


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return "required"
    nothing = parameter.default in (None, "", ()) or isinstance(parameter.default, Mapping)
    return "" if nothing else f"`{parameter.default}`"


def _known(functions: Mapping[str, str]) -> str:
    """Functions that carry over without more to say, then those with it."""
    plain = ", ".join(f"`{name}`" for name, but in sorted(functions.items()) if not but)
    said: dict[str, list[str]] = {}
    for name, but in sorted(functions.items()):
        if but:
            said.setdefault(but, []).append(f"`{name}`")
    rows = sorted((", ".join(names), but) for but, names in said.items())
    return f"{plain}.\n\n{_table(('function', 'with'), rows)}"


def _castable() -> str:
    found: dict[str, list[str]] = {}
    for source, target in castable():
        found.setdefault(source, []).append(target)
    return _table(("from", "to"), ((source, ", ".join(targets)) for source, targets in found.items()))


_HIDDEN = frozenset({"constant_or_null", "unpivot_list", "error"})
"""What DuckDB writes into plans by itself."""


def _governed(*, states: bool) -> str:
    parts = []
    for table, relation in TABLES.items():
        if (table in STATES) is states:
            columns = ", ".join(f"`{a.name}` {a.domain}" for a in relation.attributes)
            parts.append(f"### `governance.{table}`\n\n{SAYS[table]}\n\nColumns: {columns}.")
    return "\n\n".join(parts)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "backbone.yml": lambda: _keys(keys.PROJECT),
    "storage": lambda: _keys(keys.STORAGE),
    "retention": lambda: _keys(keys.RETENTION),
    "engine": lambda: _keys(keys.SPARK),
    "source": lambda: _keys(keys.SOURCE),
    "template": lambda: _keys(keys.TEMPLATE),
    "child": lambda: _keys(keys.CHILD),
    "column": lambda: _keys(keys.COLUMN),
    "trusted": lambda: _keys(keys.TRUSTED),
    "view": lambda: _keys(keys.VIEW),
    "term": lambda: _keys(keys.TERM),
    "analysis": lambda: _arguments(declarations.classification),
    "metrics": lambda: "; ".join(f"`{', '.join(names)}` ({kind})" for kind, names in METRICS.items()) + ".",
    "row rules": lambda: _rules(lambda kind: kind.over == "row" and not kind.repairs),
    "rules over rows": lambda: _rules(lambda kind: kind.over == "rows"),
    "repairs": lambda: _rules(lambda kind: kind.repairs, repairs=True),
    "every rule": lambda: _table(("parameter", "says"), ((f"`{n}`", said) for n, said in EVERY_RULE_SAYS.items())),
    "functions": lambda: _known({name: one.but for name, one in FUNCTIONS.items() if name not in INTERNAL | _HIDDEN}),
    "aggregates": lambda: _known({name: but for name, (_, but) in AGGREGATES.items()}),
    "windows": lambda: ", ".join(f"`{name.removeprefix('WINDOW_').lower()}`" for name in WINDOWS) + ".",
    "casts": _castable,
    "options": _shared,
    "methods": lambda: _table(("method", "chooses"), ((f"`{name}:`", said) for name, said in METHODS.items())),
    "logs": lambda: _governed(states=False),
    "states": lambda: _governed(states=True),
    **{title: _section(title) for title in SECTIONS},
}
"""What can be rendered, by the name of its block."""


def main() -> None:
    """Rewrite the pages of the reference."""
    for page in PAGES:
        path = REFERENCE / f"{page}.md"
        before = path.read_text(encoding="utf-8")
        if (after := rendered(before)) != before:
            path.write_text(after, encoding="utf-8")
            sys.stdout.write(f"rewrote {path.name}\n")


if __name__ == "__main__":
    main()
