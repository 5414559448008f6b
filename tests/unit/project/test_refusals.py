"""What is refused, in the words and at the place that people see."""
# ruff: noqa: E501  a case is a line

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backbone.errors import BackboneError, ProjectError
from backbone.project.load import load_project


def refused(root) -> list[str]:
    with pytest.raises(ProjectError) as raised:
        load_project(root)
    return [f"{p.at.line}:{p.at.column}+{p.length} {p.message}" for p in raised.value.problems]


def rule(text: str) -> str:
    return f"rules:\n  - {text}\n"


VIEW = "from backbone import view\n"
COLUMNS_OF_ORDERS = "id, customer, amount, placed, note, file_year"
CASES = [
    # YAML
    ("backbone.yml", "name: a\nname: b\n", "2:1+4 the key `name` is here twice, first in line 1"),
    ("backbone.yml", "name:\n", "1:1+4 `name` has no value. Write one, or delete the key"),
    ("backbone.yml", "name: &a x\n", "1:7+4 `&a` is an anchor. Anchors are not used here: quote a text with & first"),
    ("backbone.yml", "name: *a\n", "1:7+2 `*a` is an alias. Aliases are not used here: write the value again"),
    ("backbone.yml", "name: !x a\n", "1:7+4 `!x` is a tag. Tags are not used here: quote a text that begins with !"),
    ("backbone.yml", "name: a\n---\nb: c\n", "2:1+3 a second document begins here. A file holds one document"),
    ("backbone.yml", "name: a\n\tb: c\n", "2:1+1 this is not valid YAML: a tab where blanks are expected"),
    ("backbone.yml", "- a\n", "1:1+3 backbone.yml is a mapping, not a list. Its keys: name, environments, engine, storage, memory_limit, defaults, retention, backbone"),
    ("backbone.yml", b"name: \xff\n", "1:1+1 is not UTF-8. Save it as UTF-8 text"),
    ("sources/orders.yml", "#" * 1_000_001, "1:1+1 is larger than 1,000,000 bytes, so it is no file of a project"),
    # backbone.yml
    ("backbone.yml", "nme: x\n", "1:1+3 unknown key `nme`. Did you mean 'name'?"),
    ("backbone.yml", "", "1:1+1 the project has no name. Write, for example, `name: shop`"),
    ("backbone.yml", "name: a\nengine: sparc\n", "2:9+5 `engine` can't be 'sparc'. Expected one of: duckdb, spark. Did you mean 'spark'?"),
    ("backbone.yml", "name: a\nengine: {spark: here}\n", "2:17+4 'here' is no master. Expected: local[*], spark://HOST:PORT or sc://HOST"),
    ("backbone.yml", "name: a\nengine: {conf: {spark.x: 1}}\n", "2:9+20 `engine` needs `spark`: local[*], spark://HOST:PORT or sc://HOST"),
    ("backbone.yml", "name: a\nengine: {spark: 'local', conf: {memory: 1g}}\n", "2:33+6 'memory' is no setting of Spark's. Their names begin with `spark.`"),
    ("backbone.yml", "name: a\nstorage: {catalogue: postgres}\n", "2:22+8 how is the database reached? Expected: 'postgres:${PG_URL}', a secret"),
    ("backbone.yml", "name: a\nstorage: {data: 's3://our-bucket/c'}\n", "2:17+19 data on s3 is for many machines, and a catalogue in sqlite is on one: a copy of it would take the files of the other for nobody's. Name a catalogue that all reach: `catalogue: postgres:URL`"),
    ("backbone.yml", "name: a\ndefaults: {clean: auto}\n", "2:19+4 `clean: auto` is not built yet"),
    ("backbone.yml", "name: a\nmemory_limit: much\n", "2:15+4 'much' is no amount of memory, such as 4GB or 512MB"),
    ("backbone.yml", "name: a\nenvironments: [Dev]\n", "2:16+3 'Dev' is no name for an environment. Names look like: orders, orders_2024"),
    # sources
    ("sources/orders.yml", "from: ftp://x/y\n", "1:7+9 reading from ftp:// is not built yet. Expected: a path, glob or zip file, https://…, or {postgres: …, table: …}"),
    ("sources/orders.yml", "from: https://ann:secret@x/y\n", "1:7+22 a password stands here. Put it into secrets.env, and write ${NAME} in its place"),
    ("sources/orders.yml", "from: {rest: x}\n", "1:8+4 reading from `rest` is not built yet. Expected: a path, glob or zip file, https://…, or {postgres: …, table: …}"),
    ("sources/orders.yml", "from: {sqlite: x, table: y, query: z}\n", "1:7+31 a database is asked for one `table`, or by a `query`"),
    ("sources/orders.yml", "from: {postgres: x}\n", "1:7+13 a database is asked for one `table`, or by a `query`"),
    ("sources/orders.yml", "from: ${NOPE_}\n", "1:7+8 ${NOPE_} is not set, in the environment or in secrets.env"),
    ("sources/orders.yml", "template: {sheet: x}\n", "1:12+5 `sheet` is a key of excel, not of csv"),
    ("sources/orders.yml", "template: {format: hdf5}\n", "1:20+4 `format: hdf5` is not built yet"),
    ("sources/orders.yml", "children: {a: {}}\n", "1:1+8 `children` are of json, ndjson, not of csv"),
    ("sources/orders.yml", "contract: freez\n", "1:11+5 `contract` can't be 'freez'. Expected one of: evolve, freeze, quarantine. Did you mean 'freeze'?"),
    ("sources/orders.yml", "template: {quotechar: ab}\n", "1:23+2 `quotechar` is one character, not 'ab'"),
    ("sources/orders.yml", "template: {delimiter: abcde}\n",
     "1:23+5 `delimiter` is a character, or a few such as ', ', not 'abcde'"),
    ("sources/orders.yml", "template: {encoding: utf-9}\n", "1:22+5 there is no encoding 'utf-9'. Did you mean 'utf-8'?"),
    ("sources/orders.yml", "columns: {id: int}\n", "1:15+3 there is no type 'int'. Did you mean 'integer'?"),
    ("sources/orders.yml", "columns: {_id: text}\n", "1:11+3 '_id': names that begin with `_` are Backbone's own"),
    ("sources/orders.yml", "columns: {id: text, ID: text}\n", "1:21+2 column 'ID' is here twice: upper and lower case don't differ in SQL"),
    ("sources/orders.yml", "columns: {id: {header: x}}\n", "1:11+2 column 'id' has no `type`"),
    ("sources/orders.yml", "file_name: {pattern: 'a', into: {x: text}}\n", "1:22+3 the pattern has 0 groups ( ), but `into` names 1 columns"),
    # trusted
    ("trusted/orders.yml", "versions: history\n", "1:1+8 `versions: history` needs `key`, the columns by which a row replaces another"),
    ("trusted/orders.yml", "newest_by: placed\n", "1:12+6 `newest_by` needs `versions: snapshot`, `upsert` or `history`"),
    ("trusted/orders.yml", "absent: deleted\n", "1:1+6 `absent: deleted` needs `versions: history`"),
    ("trusted/orders.yml", "versions: upsert\n", "1:1+8 `versions: upsert` needs `key`, the columns by which a row replaces another"),
    ("trusted/orders.yml", "key: [cusomer]\n", "1:7+7 column 'cusomer' is not in formatted.orders. Did you mean 'customer'?"),
    ("trusted/nope.yml", "key: x\n", "1:1+1 there is no source 'nope' (sources/nope.yml)"),
    ("trusted/orders.yml", rule("{in_rnge: id}"), "2:6+7 there is no rule 'in_rnge'. Did you mean 'in_range'?"),
    ("trusted/orders.yml", rule("{else: null, in_range: id}"), "2:6+4 there is no rule 'else'. A rule starts with its name: write `in_range` first"),
    ("trusted/orders.yml", rule("{typical: id, else: warn}"), "2:6+7 the rule `typical` is not built yet"),
    ("trusted/orders.yml", rule("{not_null: id}"), "2:6+8 `not_null` needs `else`: what happens to rows that break it. One of: quarantine, warn, fail"),
    ("trusted/orders.yml", rule("{not_null: id, else: null}"), "2:26+4 `else` of `not_null` can't be 'null'. One of: quarantine, warn, fail"),
    ("trusted/orders.yml", rule("{trim: all, else: warn}"), "2:17+4 `trim` repairs and takes no `else`"),
    ("trusted/orders.yml", rule("{in_range: id, form: 1, to: 2, else: warn}"), "2:20+4 `in_range` has no parameter `form`. Did you mean 'from'?"),
    ("trusted/orders.yml", rule("{in_range: id, else: warn}"), "2:6+8 `in_range` needs `from` or `to`, or both"),
    ("trusted/orders.yml", rule("{in_range: id, from: abc, else: warn}"), "2:26+3 'abc' is no value of 'id', which is integer"),
    ("trusted/orders.yml", rule("{in_range: placed, from: 2013-02-30, else: warn}"), "2:30+10 '2013-02-30' is no value of 'placed', which is date"),
    ("trusted/orders.yml", rule("{in_range: id, from: 9, to: 1, else: warn}"), "2:33+1 nothing lies between 9 and 1: `to` is below `from`"),
    ("trusted/orders.yml", rule("{replace: amount, with: {1.5: x}}"), "2:35+1 'x' is no value of 'amount', which is decimal(2)"),
    ("trusted/orders.yml", rule("{in_range: amonut, from: 1, else: warn}"), "2:16+6 column 'amonut' is not in formatted.orders. Did you mean 'amount'?"),
    ("trusted/orders.yml", rule("{not_null: zzz, else: warn}"), f"2:16+3 column 'zzz' is not in formatted.orders. Columns: {COLUMNS_OF_ORDERS}"),
    ("trusted/orders.yml", rule("{set: note, to: upper(nte)}"), "2:27+3 column 'nte' is not in formatted.orders. Did you mean 'note'?"),
    ("trusted/orders.yml", "rules:\n  - expect: |\n      id > 1\n      and idd < 3\n    else: warn\n", "4:11+3 column 'idd' is not in formatted.orders. Did you mean 'id'?"),
    ("trusted/orders.yml", rule("{expect: 'id > (SELECT 1)', else: warn}"), "2:14+17 a subquery can't stand here: a rule looks at one row, or at one dataset"),
    ("trusted/orders.yml", rule("{expect: 'sum(id) > 1', else: quarantine}"), "2:14+13 with an aggregate `expect` is about the dataset: `else` is warn or fail, not quarantine"),
    ("trusted/orders.yml", rule("{expect: 'rank() OVER (ORDER BY id) > 1', else: warn}"), "2:14+31 a window function can't stand here: a rule looks at one row, or at one dataset"),
    ("trusted/orders.yml", rule("{expect: 'product(id) > 1', else: quarantine}"), "2:14+17 with an aggregate `expect` is about the dataset: `else` is warn or fail, not quarantine"),
    ("trusted/orders.yml", rule("{expect: 'id >', else: warn}"), "2:18+1 SQL can't be read at '>': something is missing"),
    ("trusted/orders.yml", rule("{set: note, to: max(note)}"), "2:21+9 `to` looks at one row: an aggregate can't stand here"),
    ("trusted/orders.yml", rule("{unique: all, order: 'idd desc', else: warn}"), "2:27+3 column 'idd' is not in formatted.orders. Did you mean 'id'?"),
    ("trusted/orders.yml", rule("{not_null: id, else: warn, tolerate: 120%}"), "2:42+4 `tolerate` is a share, such as 20% or 0.2"),
    ("trusted/orders.yml", rule("{not_null: id, else: warn, except: [x]}"), "2:41+1 'x' is no `file:record`, such as 12:640"),
    ("trusted/orders.yml", rule("{references: customer, to: trusted.customers, else: warn}"), "2:32+17 between sources `references` is a rule of a view: write it in exploitation/"),
    ("trusted/orders.yml", "rules: [trim]\n", "1:9+4 a rule is a mapping such as {trim: all}, not a text"),
    # views
    ("exploitation/v.sql", "SELECT * FROM trusted.ordrs", "1:15+13 there is no dataset 'trusted.ordrs'. Did you mean 'trusted.orders'?"),
    ("exploitation/v.sql", "SELECT * FROM orders", "1:15+6 'orders' is no dataset: write `zone.name`. Did you mean 'trusted.orders'?"),
    ("exploitation/v.sql", "SELECT o.nte FROM trusted.orders o", "1:10+3 column 'nte' is not in trusted.orders. Did you mean 'note'?"),
    ("exploitation/v.sql", "SELECT totl FROM exploitation.big", "1:8+4 column 'totl' is not in exploitation.big. Did you mean 'total'?"),
    ("exploitation/v.sql", "SELECT 1 AS a; SELECT 2", "1:16+6 a second statement begins here. One SELECT is expected"),
    ("exploitation/v.sql", "DROP TABLE trusted.orders", "1:1+4 one SELECT is expected here, and nothing else"),
    ("exploitation/v.sql", "SELECT\n  a b c FROM trusted.orders", "2:7+1 SQL can't be read at 'c': Invalid expression / Unexpected token"),
    ("exploitation/v.sql", "SELECT 'a", "1:8+1 SQL can't be read: a quote or a comment is not closed"),
    ("exploitation/v.sql", "FROM read_csv('x')", "1:6+8 read_csv() can't be used here: only datasets are read. Files are added as sources"),
    ("exploitation/v.sql", "FROM 'x.csv'", "1:6+7 a file can't be read here: add it as a source (backbone add NAME x.csv), then read formatted.NAME"),
    ("exploitation/v.sql", "FROM lake.trusted.orders", "1:6+19 'lake.trusted.orders' can't be read here: a dataset is written `zone.name`, with one of formatted, trusted, exploitation, analysis"),
    ("exploitation/v.sql", "/*---\nkey: x\nSELECT 1", "1:1+5 the header is not closed: `---*/` is expected"),
    ("exploitation/v.sql", "/*---\nkye: x\n---*/\nSELECT 1 AS x", "2:1+3 unknown key `kye`. Did you mean 'key'?"),
    ("exploitation/v.sql", "/*---\nkey: x\n---*/\nSELECT 1 AS y", "2:6+1 column 'x' is not in exploitation.v. Columns: y"),
    ("exploitation/v.sql", "/*---\nmode: merge\n---*/\nSELECT 1 AS y", "2:1+4 `mode: merge` needs `key`: rows are merged by it"),
    ("exploitation/v.sql", "/*---\nmode: append\n---*/\nFROM trusted.orders JOIN trusted.customers ON true", "2:1+4 `mode: append` needs `driver`, the input whose new rows are added: trusted.orders, trusted.customers"),
    ("exploitation/v.sql", "/*---\nrules: [{trim: all}]\n---*/\nFROM trusted.orders", "2:10+4 `trim` is no rule of a view: its SQL does repairs"),
    ("exploitation/v.sql", "/*---\nrules: [{references: id, to: trusted.orders, else: warn}]\n---*/\nFROM trusted.orders", "2:30+14 `references` needs `by`, the columns of trusted.orders to compare with: it has no key"),
    ("exploitation/v.sql", "/*---\nrules: [{joins: all, lose: much, else: warn}]\n---*/\nFROM trusted.orders", "2:28+4 `lose` is a share of rows, such as 20%, or any"),
    ("exploitation/v.sql", "/*---\nrules: [{joins: id, else: warn}]\n---*/\nFROM trusted.orders", "2:17+2 `joins` is about all: write `joins: all`"),
    ("exploitation/v.sql", "/*---\nrules: [{joins: all, else: warn, tolerate: 5%}]\n---*/\nFROM trusted.orders", "2:34+8 `joins` has no parameter `tolerate`. It takes: lose, multiply, else, because, name"),
    ("trusted/orders.yml", rule("{joins: all, else: warn}"), "2:6+5 `joins` is a rule of a view: write it in exploitation/"),
    ("exploitation/v.sql", "FROM exploitation.v", "1:1+1 exploitation.v is made from itself: exploitation.v ← exploitation.v"),
    ("exploitation/v.txt", "", "1:1+1 this file doesn't belong here: exploitation holds NAME.sql or NAME.py"),
    ("exploitation/v.yml", "", "1:1+1 crosswalks are not built yet"),
    ("exploitation/big.py", VIEW + "@view('trusted.orders')\ndef big(a: 'pl.DataFrame'): pass\n", "1:1+1 exploitation has big.py already: a name occurs once in a folder"),
    ("exploitation/a__b.sql", "", "1:1+1 'a__b' can't name a dataset: `__` means inside, and is only for Backbone's own names"),
    ("exploitation/p.py", "x = 1\n", "1:1+1 a function `def p(…)`, decorated with @view, is expected here"),
    ("exploitation/p.py", "def p(a: 'pl.DataFrame'): pass\n", "1:5+1 'p' needs a decorator: @view of `from backbone import …`, with arguments"),
    ("exploitation/p.py", VIEW + "@view('trusted.ordrs')\ndef p(a: 'pl.DataFrame'): pass\n", "2:7+15 there is no dataset 'trusted.ordrs'. Did you mean 'trusted.orders'?"),
    ("exploitation/p.py", VIEW + "@view('trusted.orders', kee='id')\ndef p(a: 'pl.DataFrame'): pass\n", "2:25+3 unknown argument `kee`. Did you mean 'key'?"),
    ("exploitation/p.py", VIEW + "@view('trusted.orders', key=KEY)\ndef p(a: 'pl.DataFrame'): pass\n", "2:29+3 a literal is expected here (a text, a number, a list …): the file is read, not run"),
    ("exploitation/p.py", VIEW + "@view('trusted.orders')\ndef p(a, b): pass\n", "3:10+1 'p' has 2 parameters for 1 inputs: one for each, in order"),
    ("exploitation/p.py", VIEW + "@view('trusted.orders')\ndef p(a: 'pl.DataFrame'): pass\ndef q(): pass\n", "4:5+1 'q' is not 'p', the name of the file. Helpers start with `_`"),
    ("exploitation/p.py", VIEW + "@view('trusted.orders')\ndef p(a): pass\n", "3:7+1 parameter 'a' has no annotation, which says in which form it comes. Expected one of pandas.DataFrame, polars.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader, duckdb.DuckDBPyRelation, pyspark.sql.DataFrame"),
    ("exploitation/p.py", VIEW + "import polars as pl\n@view('trusted.orders')\ndef p(a: pl.Dataframe): pass\n", "4:10+12 parameter 'a' can't be pl.Dataframe. Expected one of pandas.DataFrame, polars.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader, duckdb.DuckDBPyRelation, pyspark.sql.DataFrame. Did you mean 'polars.DataFrame'?"),
    ("exploitation/p.py", VIEW + "@view('trusted.orders')\ndef p(a: list): pass\n", "3:10+4 parameter 'a' can't be list. Expected one of pandas.DataFrame, polars.DataFrame, pyarrow.Table, pyarrow.RecordBatchReader, duckdb.DuckDBPyRelation, pyspark.sql.DataFrame"),
    ("exploitation/v.sql", "SELECT o.id FROM trusted.orders AS o JOIN trusted.customers AS c\nON o.id = c.id", "2:4+11 o.id is integer and c.id is text: they can't be compared safely. Write CAST(o.id AS VARCHAR), or give id a `type` rule in trusted"),
    ("exploitation/v.sql", "SELECT name FROM trusted.orders JOIN trusted.customers USING (id)", "1:63+2 'id' is integer on one side of the join and text on the other. Write ON with a CAST, or give it a `type` rule in trusted"),
    ("exploitation/v.sql", "WITH c AS (SELECT id AS k FROM trusted.customers) SELECT * FROM trusted.orders, c WHERE k = orders.placed", "1:89+17 k is text and orders.placed is date: they can't be compared safely. Write CAST(orders.placed AS VARCHAR), or give k a `type` rule in trusted"),
    ("exploitation/p.py", "def p(:\n", "1:7+1 this is not valid Python: invalid syntax"),
    # glossary
    ("glossary.yml", "a: {unit: m}\n", "1:1+1 the term 'a' needs `means`: what it says, in a sentence"),
    ("glossary.yml", "a: {means: x, columns: trusted.orders.nte}\n", "1:39+3 column 'nte' is not in trusted.orders. Did you mean 'note'?"),
    ("glossary.yml", "a: {means: x, columns: orders.id}\n", "1:24+9 'orders.id' is no column: write `zone.name.column`, as in trusted.orders.amount"),
    ("glossary.yml", "a: {means: x, broader: b}\n", "1:24+1 there is no term 'b'"),
    ("glossary.yml", "a: {means: x, columns: exploitation.big.total, rules: [{in_range: this, from: 1, else: null}]}\n", "1:24+22 a view can't inherit in_range(this): in a view, rules quarantine, warn or fail"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "message"), CASES, ids=[f"{case[0]}-{n}" for n, case in enumerate(CASES)])
def test_mistakes_are_refused_with_place_and_advice(project, path, text, message):
    assert refused(project({path: text})) == [message]


CALL = {
    "view": "'FROM trusted.orders'", "key": "'id'", "target": "'id > 3'", "features": "['amount']",
    "split": "by_group('customer', validate=0.2)",
}  # fmt: skip
ANALYSES = [
    ({"features": "['amonut']"}, "column 'amonut' is not in the view. Did you mean 'amount'?"),
    ({"target": "'idd > 3'"}, "column 'idd' is not in the view. Did you mean 'id'?"),
    ({"gate": "['roc_ac > 1']"}, "classification has no metric 'roc_ac'. Did you mean 'roc_auc'?"),
    ({"gate": "['gap(f1, custmer) < 1']"}, "column 'custmer' is not in the view. Did you mean 'customer'?"),
    ({"gate": "['f1']"}, "a gate is one comparison (<, <=, >, >=, ==) of metrics, such as roc_auc >= baseline.roc_auc + 0.03"),
    ({"gate": "['f1 > open(1)']"}, "a gate can't hold 'open(1)'. It knows: baseline.NAME, NAME, current.NAME, worst(NAME, COLUMN), gap(NAME, COLUMN), numbers, + - * /"),
    ({"select_by": "'mae'"}, "`select_by` can't be 'mae'. Expected one of: roc_auc, pr_auc, brier, log_loss, f1, precision, recall, accuracy"),
    ({"sed": "1"}, "unknown argument `sed`. Did you mean 'seed'?"),
    ({"split": "at_random(validat=0.2, validate=0.1)"}, "at_random has no argument `validat`. Did you mean 'validate'?"),
    ({"split": "by_time('placed')"}, "by_time needs `train_until`"),
    ({"split": "by_time('placd', train_until='2013-01-01')"}, "column 'placd' is not in the view. Did you mean 'placed'?"),
    ({"split": "at_random(validate=20)"}, "`validate` is a share between 0 and 1, not '20'"),
    ({"split": "'x'"}, "`split` is one of by_time(…), by_group(…), at_random(…) of `from backbone import …`"),
    ({"tune": "[1]"}, "`tune` is a literal such as {'boosting': {'max_depth': [3, 6]}}: lists by parameter, by candidate"),
    ({"threshold": "2"}, "`threshold` is a number from 0 to 1, or 'f1', not '2'"),
    ({"predict": "'FROM vew'"}, "'vew' is no dataset: write `zone.name`, as in trusted.orders"),
    ({"key": "None"}, "@classification needs `key`"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), ANALYSES, ids=[str(case[0]) for case in ANALYSES])
def test_mistakes_in_analyses_are_refused(project, changed, message):
    arguments = ", ".join(f"{name}={value}" for name, value in {**CALL, **changed}.items())
    head = "from backbone import at_random, by_group, by_time, classification\n"
    text = f"{head}@classification({arguments})\ndef q():\n    'Why?'\n"

    with pytest.raises(ProjectError) as raised:
        load_project(project({"analysis/q.py": text}))

    assert [p.message for p in raised.value.problems] == [message]


def test_an_analysis_without_a_question_is_refused(project):
    text = "from backbone import clustering\n@clustering(view='FROM trusted.orders', key='id', features='id')\ndef q(): pass\n"

    assert refused(project({"analysis/q.py": text})) == ["2:2+10 'q' has no docstring: it states the question"]


def test_a_cycle_is_one_error_with_its_path(project):
    root = project(
        {
            "exploitation/a.sql": "FROM exploitation.b",
            "exploitation/b.sql": "/*---\nrules: [{references: x, to: exploitation.c, by: x, else: warn}]\n---*/\nSELECT 1 AS x",
            "exploitation/c.sql": "SELECT x FROM exploitation.a",
        }
    )

    message = "exploitation.a is made from itself: exploitation.a ← exploitation.b ← exploitation.c ← exploitation.a"
    assert refused(root) == [f"1:1+1 {message}"]


def test_the_mark_stands_under_the_word(project):
    root = project({"trusted/orders.yml": rule("{in_range: amonut, from: 10, to: 720, else: null}")})

    with pytest.raises(ProjectError) as raised:
        load_project(root)

    assert str(raised.value) == (
        "trusted/orders.yml:2:16: column 'amonut' is not in formatted.orders. Did you mean 'amount'?\n"
        "    - {in_range: amonut, from: 10, to: 720, else: null}\n"
        "                 ^^^^^^"
    )


FILES = [
    "backbone.yml",
    "glossary.yml",
    "sources/orders.yml",
    "trusted/orders.yml",
    "exploitation/v.sql",
    "exploitation/v.py",
    "analysis/v.py",
]
SNIPPETS = st.lists(
    st.sampled_from([
        "rules", "columns", "key", "from", ": ", "- ", "\n", "  ", "{", "}", "[", "]", ",", "'", '"', "|", "&a", "*a", "!x", "~", "---",
        "SELECT ", "FROM ", "trusted.orders", " AS ", "(", ")", "id", "/*---", "---*/", "expect", "else", "null", "#", "\\", "\t",
        "from backbone import view, clustering\n", "@view(", "@clustering(", "def v(", "):\n", "    pass", "é", "\ud7ff", "\x00", "WITH ",
    ]),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.sampled_from(FILES), text=SNIPPETS | st.text(max_size=60))
def test_whatever_is_in_a_file_is_read_or_refused(project, path, text):
    root = project(
        {name: "" for name in FILES if name != "backbone.yml"} | {"sources/orders.yml": "columns: {id: integer}"}
    )
    for name in ("exploitation/v.py", "exploitation/v.sql", "analysis/v.py"):
        (root / name).unlink()
    project({path: text.encode("utf-8", "surrogatepass")} if path in FILES else {})

    with suppress(BackboneError):
        load_project(root)
