import pytest

from backbone.errors import ProjectError, UsageError
from backbone.model.files import Column, FileNamePattern, Template
from backbone.model.project import Split, Trusted, Upstream
from backbone.model.rules import Location, Rule
from backbone.project.load import find_project, load_project


def trusted(project, rules: str) -> tuple[Rule, ...]:
    loaded = load_project(project({"trusted/orders.yml": f"rules:\n{rules}"}))
    return next(t.rules for t in loaded.trusted if t.name == "orders")


def view(project, name: str, text: str, **more):
    ending = "py" if "def " in text else "sql"
    loaded = load_project(project({f"exploitation/{name}.{ending}": text, **more}))
    return next(v for v in loaded.views if v.name == name)


def test_the_nearest_project_upwards_is_found(project):
    root = project()

    assert find_project(root / "sources") == root.resolve()


def test_outside_a_project_the_next_command_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"backbone init \."):
        find_project(tmp_path)
    with pytest.raises(UsageError, match="backbone init"):
        load_project(tmp_path)


def test_the_smallest_project_has_defaults(tmp_path):
    (tmp_path / "backbone.yml").write_text("name: shop")

    loaded = load_project(tmp_path)

    assert (loaded.name, loaded.environments, loaded.storage, loaded.memory_limit) == (
        "shop",
        ("dev", "prod"),
        "lake",
        "4GB",
    )


def test_yaml_scalars_are_text(project):
    root = project(
        {
            "sources/orders.yml": "template: {null_tokens: [~, null, NO, 007, 1.10, 2013-01-01]}\n",
            "exploitation/big.sql": "FROM trusted.orders",
            "trusted/orders.yml": "rules: [{one_of: id, values: [NO, 007, 1.10, true], else: null}]\n",
        }
    )

    loaded = load_project(root)

    orders = next(s for s in loaded.sources if s.name == "orders")
    assert orders.template.null_tokens == ("~", "null", "NO", "007", "1.10", "2013-01-01")
    rule = next(t for t in loaded.trusted if t.name == "orders").rules[0]
    assert rule.action == "null"
    assert rule.param("values") == ("NO", "007", "1.10", "true")


def test_a_source_is_read_with_all_it_says(project):
    text = (
        "from: [data/a.csv, 'data/b,c.zip']\n"
        "template: {format: csv, delimiter: ';', header_rows: 2, null_tokens: NA, member: 'x.csv'}\n"
        "contract: freeze\nbad_values: null\nowner: ops\ntags: [daily]\ndescription: all of them\n"
        "columns:\n  temp_f: {type: float, header: 'Temp (°F)', decimal: ',', contract: evolve}\n"
        "file_name: {pattern: 'x-(\\d+)', into: {n: integer}}\n"
    )

    source = load_project(project({"sources/temps.yml": text})).sources[-1]

    assert source.origins == ("data/a.csv", "data/b,c.zip")
    assert source.template == Template(delimiter=";", header_rows=2, null_tokens=("NA",), member="x.csv")
    assert (source.contract, source.bad_values, source.owner, source.tags) == ("freeze", "null", "ops", ("daily",))
    assert source.columns == (Column("temp_f", "float", ("Temp (°F)",), decimal=",", contract="evolve"),)
    assert source.file_name == FileNamePattern(r"x-(\d+)", (Column("n", "integer"),))


def test_a_source_without_a_trusted_file_has_the_default_rules(project):
    loaded = load_project(project())

    orders = next(t for t in loaded.trusted if t.name == "orders")
    assert orders == Trusted(
        "orders",
        rules=(
            Rule("trim", "trim(all)", ("all",), tolerate=1.0),
            Rule("unique", "unique(all)", ("all",), "warn", tolerate=1.0),
        ),
    )


def test_the_default_contract_is_the_projects(project):
    loaded = load_project(project({"backbone.yml": "name: shop\ndefaults: {contract: freeze, clean: off}\n"}))

    assert {s.contract for s in loaded.sources} == {"freeze"}


def test_a_rule_about_several_columns_stands_for_one_each(project):
    rules = trusted(project, "  - {not_null: [id, customer], else: quarantine, tolerate: 5%, because: needed}\n")

    assert rules == (
        Rule("not_null", "not_null(id)", ("id",), "quarantine", tolerate=0.05, because="needed"),
        Rule("not_null", "not_null(customer)", ("customer",), "quarantine", tolerate=0.05, because="needed"),
    )
    assert {rule.at for rule in rules} == {Location("trusted/orders.yml", 2, 5)}


def test_parameters_stay_text_in_their_shape(project):
    rules = trusted(
        project,
        "  - {in_range: amount, from: 10, to: 720.50, else: null}\n"
        "  - {replace: customer, with: {Bob: Robert, '': none}}\n"
        "  - {unique: [id, placed], keep: first, order: amount desc, else: deduplicate, except: ['12:640', 3:1]}\n"
        "  - {set: note, to: upper(note), where: id > 3}\n",
    )

    assert rules[0] == Rule(
        "in_range", "in_range(amount)", ("amount",), "null", params=(("from", "10"), ("to", "720.50")), tolerate=0.2
    )
    assert rules[1].params == (("with", (("Bob", "Robert"), ("", "none"))),)
    assert rules[2].name == "unique(id,placed)"
    assert (rules[2].params, rules[2].exceptions) == (
        (("keep", "first"), ("order", "amount desc")),
        ((12, 640), (3, 1)),
    )
    assert (rules[3].params, rules[3].where) == ((("to", "upper(note)"),), "id > 3")


@pytest.mark.parametrize("name", ["comment", "show", "copy", "values", "end", "date", "merge"])
def test_columns_called_like_keywords_can_be_judged(project, name):
    columns = {"sources/notes.yml": f"columns: {{{name}: integer}}\n"}
    rule = f"rules: [{{expect: '{name} > product({name})', else: warn}}, {{set: {name}, to: {name} + 1}}]\n"

    loaded = load_project(project({**columns, "trusted/notes.yml": rule}))

    assert loaded.trusted[1].rules[0].sql == f"{name} > product({name})"


def test_names_of_rules_differ(project):
    rules = trusted(
        project,
        "  - {set: note, to: \"'a'\", where: id = 1}\n  - {set: note, to: \"'b'\", where: id = 2}\n"
        "  - {expect: 'id > 1', else: warn}\n  - {length: [note, customer], to: 3, else: warn, name: short}\n",
    )

    assert [r.name for r in rules] == ["set(note)", "set(note) 2", "expect(id > 1)", "short(note)", "short(customer)"]


def test_conversions_change_what_later_rules_may_say(project):
    rules = trusted(project, "  - {type: id, as: text, else: null}\n  - {one_of: id, values: [a], else: warn}\n")

    assert [rule.name for rule in rules] == ["type(id)", "one_of(id)"]


def test_comments_blanks_and_case_dont_count_in_a_query(project):
    plain = view(project, "v", "SELECT id, note FROM trusted.orders WHERE id > 3")
    other = view(
        project, "v", "/*---\nowner: me\n---*/\n-- why\nselect  id,\n note /* x */ from trusted.orders where id>3;\n"
    )

    assert plain.normal == other.normal
    assert other.query == "-- why\nselect  id,\n note /* x */ from trusted.orders where id>3;\n"
    assert (other.query_at, other.owner) == (Location("exploitation/v.sql", 4, 1), "me")


def test_inputs_are_those_read_in_order_without_ctes(project):
    text = (
        "WITH trusted AS (SELECT id FROM trusted.customers), c AS (SELECT * FROM trusted)\n"
        "SELECT o.id FROM trusted.orders o JOIN c USING (id) WHERE o.id IN (SELECT id FROM formatted.customers)"
    )

    assert view(project, "v", text).inputs == ("trusted.customers", "trusted.orders", "formatted.customers")


def test_a_reference_is_to_the_key_of_its_target(project):
    header = "/*---\nrules: [{references: customer, to: trusted.customers, else: warn, tolerate: 20%}]\n---*/\n"
    text = header + "FROM trusted.orders"

    rule = view(project, "v", text).rules[0]

    assert (rule.name, rule.params) == ("references(customer)", (("to", "trusted.customers"), ("by", ("id",))))


PYTHON_VIEW = '''import polars as pl
from backbone import view
from tools.sums import total

@view("trusted.orders", key="customer", rules=[{"expect": "total > 0", "else": "fail"}], tags=["x"])
def spent(orders: pl.DataFrame) -> pl.DataFrame:
    """What each customer spent."""
    return total(orders)
'''
SUMS = "import polars\n\ndef total(x):\n    return x\n"


def test_a_python_view_is_read_and_not_run(project):
    spent = view(project, "spent", "raise SystemExit\n" + PYTHON_VIEW)

    assert (spent.inputs, spent.key, spent.function_path) == (
        ("trusted.orders",),
        ("customer",),
        "exploitation/spent.py",
    )
    assert (spent.description, spent.tags) == ("What each customer spent.", ("x",))
    assert spent.rules[0].at == Location("exploitation/spent.py", 6, 48)


def test_comments_and_docstrings_dont_count_in_python_but_imported_code_does(project):
    first = view(project, "spent", PYTHON_VIEW, **{"tools/sums.py": SUMS})
    commented = view(project, "spent", "# hi\n" + PYTHON_VIEW.replace("What each", "All that a"))
    called_otherwise = view(project, "spent", PYTHON_VIEW.replace('tags=["x"]', 'tags=["y"]'))
    changed = view(project, "spent", PYTHON_VIEW, **{"tools/sums.py": SUMS.replace("return x", "return x + 1")})

    assert first.normal == commented.normal == called_otherwise.normal
    assert first.normal != changed.normal


def test_code_that_is_imported_from_beside_counts(project):
    text = PYTHON_VIEW.replace("from tools.sums import total", "from ._near import total")
    near = "from tools.sums import total\n"
    more = {"exploitation/_near.py": near, "tools/__init__.py": "from .sums import total\n"}
    first = view(project, "spent", text, **more, **{"tools/sums.py": SUMS})
    changed = view(project, "spent", text, **{"tools/sums.py": SUMS.replace("return x", "return x + 1")})

    assert first.normal != changed.normal


ANALYSIS = '''from backbone import by_time, classification

@classification(
    view="SELECT *, amount * 2 AS twice FROM trusted.orders",
    key="id",
    target="amount > 30",
    features=["customer", "twice"],
    split=by_time("placed", train_until="2013-09-30", gap="7 days"),
    gate=["roc_auc >= baseline.roc_auc + 0.03", "gap(recall, customer) <= 0.1"],
    predict="SELECT * FROM view JOIN trusted.customers c ON c.id = customer",
    tune={"boosting": {"depth": [3, None]}},
)
def large():
    """Which orders are large?"""
    return {}
'''


def test_an_analysis_is_read_and_not_run(project):
    analysis = load_project(project({"analysis/large.py": ANALYSIS})).analyses[0]

    assert (analysis.kind, analysis.question, analysis.key) == ("classification", "Which orders are large?", ("id",))
    assert analysis.view_inputs == ("trusted.orders",)
    assert analysis.predict_inputs == ("trusted.customers",)
    assert analysis.split == Split("by_time", "placed", "2013-09-30", "7 days")
    assert analysis.tune == (("boosting", (("depth", (3, None)),)),)
    assert (analysis.select_by, analysis.threshold) == ("roc_auc", "f1")


@pytest.mark.parametrize(
    ("imports", "library"),
    [
        ("from sklearn.tree import DecisionTreeClassifier", "scikit-learn"),
        ("from pyspark.ml import Pipeline", "spark"),
        ("from pyspark.ml.classification import LogisticRegression", "spark"),
        ("from pyspark import ml", "spark"),
        ("import pyspark.ml.feature as f", "spark"),
        ("from models import forest", "spark"),
        ("import pyspark.sql", "scikit-learn"),
        ("import pyspark.mllib", "scikit-learn"),
    ],
)
def test_whose_models_an_analysis_trains_is_known_from_its_imports(project, imports, library):
    models = "def forest():\n    from pyspark.ml.regression import RandomForestRegressor\n"

    analysis = load_project(project({"analysis/large.py": f"{imports}\n{ANALYSIS}", "models.py": models})).analyses[0]

    assert analysis.library == library


def test_defaults_differ_by_kind_of_analysis(project):
    regression = ANALYSIS.replace("classification", "regression").replace("roc_auc", "mae").replace("recall", "mae")
    clustering = (
        'from backbone import clustering\n@clustering(view="FROM trusted.orders", key="id", features=["amount"])\n'
        'def groups():\n    """Which are alike?"""\n    return {}\n'
    )

    loaded = load_project(project({"analysis/large.py": regression, "analysis/groups.py": clustering}))

    assert [(a.kind, a.select_by) for a in loaded.analyses] == [("clustering", "silhouette"), ("regression", "mae")]


def test_views_read_what_analyses_make(project):
    text = "SELECT id FROM exploitation.large__predictions JOIN analysis.large__train USING (id)"

    large = view(project, "v", text, **{"analysis/large.py": ANALYSIS})

    assert large.inputs == ("exploitation.large__predictions", "analysis.large__train")


def test_a_terms_rules_are_inherited_by_its_columns(project):
    glossary = (
        "customer:\n  means: Who buys.\n  personal: yes\n  columns: [trusted.orders.customer, trusted.customers.id]\n"
        "  rules: [{matches: this, pattern: '[a-z]+', else: warn}, {expect: length(this) > 1, else: warn}]\n"
    )

    loaded = load_project(project({"glossary.yml": glossary}))

    assert loaded.terms[0].personal
    names = {t.name: [rule.name for rule in t.rules] for t in loaded.trusted}
    assert names["customers"] == ["trim(all)", "unique(all)", "matches(id)", 'expect(LENGTH("id") > 1)']
    assert names["orders"] == ["trim(all)", "unique(all)", "matches(customer)", 'expect(LENGTH("customer") > 1)']


def test_another_projects_views_are_taken_on_trust(project):
    upstream = "name: study\nbackbone: {project: ../shop, env: prod, snapshot: 14}\n"

    loaded = load_project(project({"backbone.yml": upstream, "exploitation/v.sql": "SELECT a FROM exploitation.far"}))

    assert loaded.upstream == Upstream("../shop", "prod", 14)
    assert loaded.views[1].inputs == ("exploitation.far",)


def test_secrets_stay_out_of_a_source(project, monkeypatch):
    monkeypatch.setenv("FOLDER", "/data")
    root = project({"secrets.env": "NAME='o.csv'\n", "sources/x.yml": "from: ${FOLDER}/${NAME}\n"})

    assert load_project(root).sources[-1].origins == ("${FOLDER}/${NAME}",)


def test_files_that_declare_nothing_are_left_alone(project):
    root = project(
        {"exploitation/_tools.py": "x = (", "exploitation/.big.sql.swp": "", "exploitation/__pycache__/a.pyc": ""}
    )

    assert [v.name for v in load_project(root).views] == ["big"]


def test_all_problems_of_all_files_are_told_at_once(project):
    root = project(
        {
            "backbone.yml": "name: shop\nengin: duckdb\n",
            "sources/orders.yml": "columns: {id: int}\n",
            "trusted/customers.yml": "key: idd\n",
            "exploitation/big.sql": "SELECT * FROM trusted.order",
        }
    )

    with pytest.raises(ProjectError) as raised:
        load_project(root)

    assert [str(p.at) for p in raised.value.problems] == [
        "backbone.yml:2:1",
        "exploitation/big.sql:1:15",
        "sources/orders.yml:1:15",
        "trusted/customers.yml:1:6",
    ]
