"""What a notebook does: the public Python API, on a real project."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import backbone
from backbone.errors import MissingExtraError, ProjectError, QueryError, UsageError
from backbone.workspace import add

SALES = """id,name,amount,day
1, Ann ,12.5,2026-01-02
2,Bob,abc,2026-01-03
3,Cy,7,2026-01-04
4,Di,8,2026-01-04
5,"Eve
X",9.25,2026-01-05
6,Fay
7,Gil,1,2026-01-05
"""
BY_DAY = """/*---
key: day
---*/
SELECT day, sum(id) AS ids, sum(amount) AS total FROM trusted.sales GROUP BY day
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "sales.csv").write_text(SALES)
    add(folder, None, ("sales.csv",))
    (folder / "exploitation").mkdir()
    (folder / "exploitation" / "by_day.sql").write_text(BY_DAY)
    backbone.open(folder).run()
    return folder


def test_rows_come_in_the_form_that_is_asked_for(shop):
    result = backbone.open(shop).sql("select id, name, day from sales where id <= 3 order by id")

    assert result.columns == ("id", "name", "day")
    assert result.rows() == [(1, "Ann", date(2026, 1, 2)), (3, "Cy", date(2026, 1, 4))]
    assert result.df()["name"].tolist() == ["Ann", "Cy"]
    assert result.pl()["name"].to_list() == ["Ann", "Cy"]
    assert result.arrow().column("name").to_pylist() == ["Ann", "Cy"]


def test_a_bare_name_is_the_most_refined_dataset_and_a_full_name_any(shop):
    workspace = backbone.open(shop)

    assert len(workspace.table("sales").rows()) == 5
    assert workspace.table("formatted.sales").rows()[0][1] == " Ann "
    assert workspace.table("sales").rows()[0][1] == "Ann"


def test_time_travel(shop):
    workspace = backbone.open(shop)
    first = workspace.history()[-1].snapshot

    assert len(workspace.table("trusted.sales", as_of=first).rows()) == 5
    with pytest.raises(UsageError, match="no dataset 'by_day'"):
        workspace.table("by_day", as_of=first)
    with pytest.raises(UsageError, match="There is no snapshot 999"):
        workspace.sql("from sales", as_of=999)


def test_sums_of_integers_stay_integers(shop):
    rows = backbone.open(shop).sql("select typeof(ids), ids from by_day order by day").rows()

    assert rows == [("BIGINT", 1), ("BIGINT", 7), ("BIGINT", 12)]


def test_plan_profile_lineage_and_trace(shop):
    workspace = backbone.open(shop)

    assert [step.action for step in workspace.plan().steps] == ["skip"] * 3
    profile = {column.column: column for column in workspace.profile("by_day").columns}
    assert (profile["total"].nulls, profile["total"].maximum) == (0, 15.0)
    lineage = workspace.lineage("by_day.total")
    assert [(o.input_dataset, o.input_column) for o in lineage.up] == [
        ("trusted.sales", "amount"), ("formatted.sales", "amount"), ("landing.sales", "amount"),
    ]  # fmt: skip
    traced = workspace.trace("by_day", {"day": "2026-01-05"}, limit=None)
    assert traced.exact
    assert [child.children[0].label for child in traced.children] == ["record 5, line 6", "record 7, line 9"]


def test_a_converted_value_is_no_repair_and_one_made_null_is(tmp_path):
    (tmp_path / "parts.csv").write_text("id,n\n1,x5\n2,8\n")
    add(tmp_path, None, ("parts.csv",))
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "parts.yml").write_text("rules: [{type: n, as: integer, else: null, tolerate: 50%}]")
    workspace = backbone.open(tmp_path)
    workspace.run()

    assert workspace.trace("parts", {"id": "1"}).detail == "n was x5, repaired to ∅"
    assert workspace.trace("parts", {"id": "2"}).detail == "no repairs, 1:1"


def test_a_file_of_another_format_is_no_more_of_the_same_source(tmp_path):
    (tmp_path / "stock.csv").write_text("id,n\n1,5\n")
    (tmp_path / "stock.json").write_text('{"x": "hello"}\n')
    add(tmp_path, None, ("stock.csv",))
    before = (tmp_path / "sources" / "stock.yml").read_text()

    with pytest.raises(UsageError, match=r"reads csv, and stock\.json is (nd)?json"):
        add(tmp_path, None, ("stock.json",))
    assert (tmp_path / "sources" / "stock.yml").read_text() == before


def test_a_source_that_is_no_file_is_refused_by_name(tmp_path):
    with pytest.raises(UsageError, match="Reading from ftp:// is not built yet"):
        add(tmp_path, "web", ("ftp://localhost/sales.csv",))
    assert not (tmp_path / "backbone.yml").exists()


def test_system_columns_are_hidden_and_available_by_name(shop):
    workspace = backbone.open(shop)

    assert workspace.sql("from trusted.sales").columns == ("id", "name", "amount", "day")
    assert workspace.sql("select _record, * from trusted.sales where id = 7").rows() == [
        (7, 7, "Gil", 1.0, date(2026, 1, 5))
    ]


def test_the_rows_set_aside_have_their_record_and_text(shop):
    rows = backbone.open(shop).quarantine("formatted.sales").rows

    assert [(row.file, row.record, row.rule) for row in rows] == [
        ("sales.csv", 2, "type(amount)"), ("sales.csv", 6, "parser"),
    ]  # fmt: skip
    assert rows[1].raw == "6,Fay"


def test_nothing_changes_without_a_reason(shop):
    workspace = backbone.open(shop)
    before = workspace.status().snapshot

    report = workspace.run()

    assert report.status == "nothing"
    assert workspace.status().snapshot == before


def test_peek_looks_at_a_file(shop):
    peeked = backbone.peek(shop / "sales.csv")

    assert (peeked.dialect.delimiter, peeked.dialect.encoding, peeked.dialect.header_rows) == (",", "utf-8", 1)
    assert peeked.relation.columns == ["id", "name", "amount", "day"]
    assert len(peeked.relation.fetchall()) == 5
    assert peeked.template.format == "csv"


def test_mistakes_are_errors_that_say_what_to_do(shop, tmp_path):
    with pytest.raises(UsageError, match="backbone init"):
        backbone.open(tmp_path)
    with pytest.raises(UsageError, match="There are: dev, prod"):
        backbone.open(shop, env="test")
    with pytest.raises(QueryError, match="Did you mean"):
        backbone.open(shop).sql("from slaes").rows()
    with pytest.raises(UsageError, match="Did you mean 'by_day'"):
        backbone.open(shop).table("by_dya")


def test_environments_are_separate(shop):
    prod = backbone.open(shop, env="prod")

    assert prod.history() == ()
    assert prod.run().status == "published"
    assert backbone.open(shop).sql("from sales order by id").rows() == prod.sql("from sales order by id").rows()


def test_an_analysis_project_reads_another_projects_exploitation_zone(shop, tmp_path):
    backbone.open(shop).run()
    (tmp_path / "exploitation").mkdir()
    (tmp_path / "backbone.yml").write_text(f"name: study\nbackbone: {shop}\n")
    (tmp_path / "exploitation" / "totals.sql").write_text("SELECT sum(total) AS total FROM exploitation.by_day")

    study = backbone.open(tmp_path)

    assert study.run().status == "published"
    assert study.sql("from totals").rows() == [(37.75,)]
    assert study.run().status == "nothing"


def test_a_project_with_mistakes_runs_nothing(tmp_path):
    (tmp_path / "exploitation").mkdir()
    (tmp_path / "backbone.yml").write_text("name: study\ncolour: red\n")

    with pytest.raises(ProjectError, match=r"backbone\.yml:2:1"):
        backbone.open(tmp_path)
    assert not (tmp_path / "lake").exists()


def test_public_names_are_all_there():
    assert all(getattr(backbone, name) for name in backbone.__all__)
    assert issubclass(MissingExtraError, UsageError)


def test_a_pinned_snapshot_stays_what_it_was(tmp_path):
    shop, study = tmp_path / "shop", tmp_path / "study"
    for folder in (shop, study):
        (folder / "exploitation").mkdir(parents=True)
    (shop / "sales.csv").write_text("id,amount\n1,10\n2,20\n")
    (shop / "exploitation" / "totals.sql").write_text("SELECT sum(amount) AS total FROM trusted.sales")
    add(shop, None, ("sales.csv",))
    pinned = backbone.open(shop).run().snapshot
    (study / "backbone.yml").write_text(f"name: study\nbackbone: {{project: ../shop, snapshot: {pinned}}}\n")
    (study / "exploitation" / "copied.sql").write_text("SELECT total FROM exploitation.totals")
    backbone.open(study).run()
    (shop / "sales.csv").write_text("id,amount\n3,30\n")
    backbone.open(shop).run()

    report = backbone.open(study).run()

    assert backbone.open(shop).sql("from totals").rows() == [(60,)]
    assert report.status == "nothing"
    assert backbone.open(study).sql("from copied").rows() == [(30,)]


def test_what_is_tolerated_does_not_depend_on_how_many_runs_brought_the_rows(tmp_path):
    (tmp_path / "a1.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(1, 101)))
    add(tmp_path, "a", ("a*.csv",))
    (tmp_path / "trusted").mkdir()
    (tmp_path / "trusted" / "a.yml").write_text("rules: [{in_range: n, from: 0, else: quarantine}]\n")
    backbone.open(tmp_path).run()
    (tmp_path / "a2.csv").write_text("n\n-1\n")

    report = backbone.open(tmp_path).run()

    assert report.status == "published"
    assert backbone.open(tmp_path).sql("select count(*), min(n) from a").rows() == [(100, 1)]
    assert backbone.open(tmp_path).quarantine("trusted.a").total == 1
    assert all(check.ok for check in backbone.open(tmp_path).doctor())


def test_a_file_without_a_header_is_set_aside_not_read_as_new_columns(tmp_path):
    (tmp_path / "a1.csv").write_text("id,v\n1,10\n2,20\n")
    add(tmp_path, "a", ("a*.csv",))
    (tmp_path / "a2.csv").write_text("3,30\n4,40\n")
    (tmp_path / "a3.csv").write_text("")

    report = backbone.open(tmp_path).run()

    assert report.status == "published"
    assert backbone.open(tmp_path).sql("from a order by id").rows() == [(1, 10), (2, 20)]
    (row,) = backbone.open(tmp_path).quarantine("formatted.a").rows
    assert (row.file, row.rule) == ("a2.csv", "contract")
    assert "its first record, taken for a header, is 3, 30" in row.reason


def test_a_question_loads_no_dataframes(shop):
    asked = "from backbone.cli import main; import sys; main(['sql', 'select count(*) from sales'])"
    command = [sys.executable, "-X", "importtime", "-c", asked]
    ended = subprocess.run(command, cwd=shop, capture_output=True, text=True, check=True)

    assert "duckdb" in ended.stderr
    assert [name for name in ("pandas", "numpy", "polars", "sqlglot") if f" {name}\n" in ended.stderr] == []
