"""What fails keeps its last good version, with all that depends on it; the rest is published; mended, it catches up."""

from pathlib import Path

import pytest
from faults_shop import backbone_run, deliver, leftovers, unsound, write_files

import backbone
from backbone.errors import LakeError
from backbone.model.reports import RunReport

ORDERS = "order_id,customer,amount\n"
PROJECT = {
    "backbone.yml": "name: small\n",
    "sources/orders.yml": "from: data/orders-*.csv\ncolumns: {order_id: integer, customer: text, amount: integer}\n",
    "sources/customers.yml": "from: data/customers-*.csv\ncolumns: {customer: text, country: text}\n",
    "trusted/orders.yml": """
versions: upsert
key: order_id
rules:
  - {in_range: amount, from: 0, to: 1000, else: quarantine}
""",
    "trusted/customers.yml": "versions: upsert\nkey: customer\nrules: [{not_null: country, else: quarantine}]\n",
    "exploitation/sums.sql": """/*---
key: customer
mode: merge
rules: [{references: customer, to: trusted.customers, else: fail}]
---*/
SELECT customer, count(*) AS orders, sum(amount) AS amount FROM trusted.orders GROUP BY ALL
""",
    "exploitation/countries.sql": "SELECT country, count(*) AS customers FROM trusted.customers GROUP BY ALL\n",
    "exploitation/by_country.sql": """
SELECT country, sum(amount) AS amount FROM exploitation.sums JOIN trusted.customers USING (customer) GROUP BY ALL
""",
}
FIRST = {
    "orders-1.csv": ORDERS + "".join(f"{n},c{n % 3},{n}\n" for n in range(1, 13)),
    "customers-1.csv": "customer,country\nc0,ES\nc1,FR\nc2,ES\n",
}
SUMS = [("c0", 4, 30), ("c1", 4, 22), ("c2", 4, 26)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_files(tmp_path, PROJECT)
    deliver(tmp_path, FIRST)
    assert run(tmp_path).status == "published"
    return tmp_path


def run(root: Path) -> RunReport:
    return backbone.open(root).run()


def rows(root: Path, query: str) -> list[tuple[object, ...]]:
    return backbone.open(root).sql(query).rows()


def statuses(report: RunReport) -> dict[str, str]:
    return {step.dataset: step.status for step in report.steps}


def reasons(root: Path) -> dict[str, tuple[str, ...]]:
    return {planned.step.dataset: planned.reasons for planned in backbone.open(root).plan().runs}


def change(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def sums(root: Path) -> list[tuple[object, ...]]:
    return rows(root, "SELECT customer, orders, amount FROM exploitation.sums ORDER BY 1")


def expect_nothing_left(root: Path) -> None:
    assert leftovers(root) == []
    assert unsound(backbone.open(root).doctor()) == []


def test_a_failing_rule_keeps_the_last_good_version_of_all_that_depends_on_it(shop):
    deliver(shop, {"orders-2.csv": ORDERS + "20,c9,5\n", "customers-2.csv": "customer,country\nc3,DE\n"})

    done = backbone_run(shop)

    assert done.returncode == 1
    assert "exploitation.sums FAILED: references(customer)" in done.stdout + done.stderr
    assert sums(shop) == SUMS
    assert rows(shop, "SELECT country, amount FROM exploitation.by_country ORDER BY 1") == [("ES", 56), ("FR", 22)]
    assert rows(shop, "SELECT count(*) FROM trusted.orders") == [(13,)]
    assert rows(shop, "SELECT country, customers FROM exploitation.countries ORDER BY 1") == [
        ("DE", 1), ("ES", 2), ("FR", 1),
    ]  # fmt: skip
    expect_nothing_left(shop)


def test_what_failed_is_tried_again_and_succeeds_when_its_data_are_mended(shop):
    deliver(shop, {"orders-2.csv": ORDERS + "20,c9,5\n"})
    assert statuses(run(shop))["exploitation.sums"] == "failed"
    assert statuses(run(shop))["exploitation.sums"] == "failed"
    deliver(shop, {"customers-2.csv": "customer,country\nc9,PT\n"})

    report = run(shop)

    assert not report.failed
    assert sums(shop) == [*SUMS, ("c9", 1, 5)]
    assert rows(shop, "SELECT country, amount FROM exploitation.by_country ORDER BY 1")[-1] == ("PT", 5)
    assert run(shop).status == "nothing"
    expect_nothing_left(shop)


def test_a_trusted_dataset_that_fails_keeps_views_as_they_were_until_it_is_mended(shop):
    deliver(shop, {"orders-2.csv": ORDERS + "".join(f"{n},c0,-1\n" for n in range(30, 50))})

    report = run(shop)

    assert statuses(report)["formatted.orders"] == "done"
    assert statuses(report)["trusted.orders"] == "failed"
    assert report.kept == {"exploitation.sums": "trusted.orders", "exploitation.by_country": "trusted.orders"}
    assert report.status == "published"
    assert rows(shop, "SELECT count(*) FROM trusted.orders") == [(12,)]
    assert backbone.open(shop).quarantine("trusted.orders").total == 20

    change(shop, "trusted/orders.yml", "else: quarantine", "else: quarantine, tolerate: 90%, may_vanish: [customer]")
    assert not run(shop).failed
    assert rows(shop, "SELECT count(*) FROM trusted.orders") == [(12,)]
    assert backbone.open(shop).quarantine("trusted.orders").total == 20
    expect_nothing_left(shop)


def test_rows_set_aside_by_a_failed_attempt_disappear_when_the_next_one_keeps_them(shop):
    deliver(shop, {"orders-2.csv": ORDERS + "".join(f"{n},c0,2000\n" for n in range(30, 50))})
    assert run(shop).failed
    assert backbone.open(shop).quarantine("trusted.orders").total == 20
    change(shop, "trusted/orders.yml", "to: 1000", "to: 2000")

    report = run(shop)

    assert not report.failed
    assert backbone.open(shop).quarantine().total == 0
    assert sums(shop)[0] == ("c0", 24, 40_030)
    expect_nothing_left(shop)


def test_a_group_that_would_vanish_fails_the_dataset(shop):
    change(
        shop, "trusted/orders.yml", "{in_range: amount, from: 0, to: 1000, else: quarantine}",
        "{expect: order_id % 7 < 5 AND amount < 3, else: quarantine, tolerate: 100%}",
    )  # fmt: skip
    deliver(shop, {"orders-2.csv": ORDERS + "".join(f"{n},lost,{n}\n" for n in range(60, 66))})

    report = run(shop)

    (failed,) = report.failed
    assert failed.dataset == "trusted.orders"
    assert "every row of customer = 'lost' (6)" in failed.failure.message
    assert "may_vanish: [customer]" in failed.failure.hint
    assert rows(shop, "SELECT count(*) FROM trusted.orders") == [(12,)]
    expect_nothing_left(shop)


def test_a_child_is_not_audited_against_a_parent_that_failed(shop):
    """Its parent's new rows are not published, so it may not refer to them."""
    change(shop, "trusted/customers.yml", "else: quarantine", "else: fail")
    deliver(shop, {"orders-2.csv": ORDERS + "20,c9,5\n", "customers-2.csv": "customer,country\nc9,\n"})

    report = run(shop)

    assert statuses(report)["trusted.customers"] == "failed"
    assert statuses(report)["trusted.orders"] == "done"
    assert report.kept == dict.fromkeys(
        ("exploitation.sums", "exploitation.countries", "exploitation.by_country"), "trusted.customers"
    )
    assert sums(shop) == SUMS
    expect_nothing_left(shop)


def test_an_error_in_a_python_view_fails_that_view_alone(shop):
    code = '''"""Doubles."""
import duckdb
from backbone import view


@view("trusted.orders")
def doubled(orders: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Orders with twice the amount."""
    return orders.project("order_id, amount * 2 AS amount")
'''
    write_files(shop, {"exploitation/doubled.py": code})
    assert not run(shop).failed
    assert rows(shop, "SELECT sum(amount) FROM exploitation.doubled") == [(156,)]
    change(shop, "exploitation/doubled.py", "    return orders", "    orders.no_such_thing\n    return orders")
    deliver(shop, {"orders-2.csv": ORDERS + "20,c0,5\n"})

    report = run(shop)

    (failed,) = report.failed
    assert failed.dataset == "exploitation.doubled"
    assert "no_such_thing" in failed.failure.message
    assert "exploitation/doubled.py" in str(failed.failure.at) + failed.failure.message
    assert rows(shop, "SELECT sum(amount) FROM exploitation.doubled") == [(156,)]
    assert sums(shop)[0] == ("c0", 5, 35)
    expect_nothing_left(shop)

    change(shop, "exploitation/doubled.py", "    orders.no_such_thing\n", "")
    assert not run(shop).failed
    assert rows(shop, "SELECT sum(amount) FROM exploitation.doubled") == [(166,)]
    expect_nothing_left(shop)


def test_a_step_that_failed_while_its_input_was_rebuilt_reads_all_of_it_next_time(shop):
    """The change feed tells the truth only within a generation."""
    deliver(shop, {"orders-1b.csv": ORDERS + "40,c4,500\n", "customers-1b.csv": "customer,country\nc4,IT\n"})
    assert not run(shop).failed
    change(shop, "trusted/orders.yml", "to: 1000", "to: 10")
    change(shop, "trusted/orders.yml", "else: quarantine", "else: quarantine, tolerate: 50%")
    deliver(shop, {"orders-2.csv": ORDERS + "20,c9,5\n"})
    assert {s.dataset for s in run(shop).failed} == {"exploitation.sums"}
    deliver(shop, {"orders-3.csv": ORDERS + "21,c1,1\n", "customers-2.csv": "customer,country\nc9,PT\n"})

    report = run(shop)

    assert not report.failed
    assert sums(shop) == [("c0", 3, 18), ("c1", 5, 23), ("c2", 3, 15), ("c9", 1, 5)]
    expect_nothing_left(shop)


def test_a_failing_view_is_not_taken_for_unaffected_when_its_input_stays_equal(shop):
    deliver(shop, {"orders-2.csv": ORDERS + "20,c9,5\n"})
    assert run(shop).failed
    deliver(shop, {"orders-3.csv": ORDERS})  # no rows: formatted.orders changes, trusted.orders stays as it is

    report = run(shop)

    assert statuses(report)["exploitation.sums"] == "failed"


def test_an_unreadable_landed_file_fails_its_source_alone(shop):
    (shop / "data" / "orders-2.csv").write_bytes(b"order_id,customer,amount\n1,\xff\xfe\x00,3\n\x00\x00")
    deliver(shop, {"customers-2.csv": "customer,country\nc3,DE\n"})

    report = run(shop)

    if report.failed:  # a reader may also set the record aside
        assert [s.dataset for s in report.failed] == ["formatted.orders"]
        assert "orders-2.csv" in report.failed[0].failure.message
    else:
        assert backbone.open(shop).quarantine("formatted.orders").total > 0
    assert rows(shop, "SELECT customers FROM exploitation.countries WHERE country = 'DE'") == [(1,)]
    assert sums(shop) == SUMS
    expect_nothing_left(shop)


def test_a_file_that_a_source_cannot_open_fails_that_source_alone(shop):
    change(shop, "sources/orders.yml", "from: data/orders-*.csv", "from: data/orders-*")
    (shop / "data" / "orders-2.zip").write_bytes(b"PK\x03\x04 this is no archive")
    deliver(shop, {"customers-2.csv": "customer,country\nc3,DE\n"})

    report = run(shop)

    assert [s.dataset for s in report.failed] == ["formatted.orders"]
    assert "orders-2.zip" in report.failed[0].failure.message
    assert rows(shop, "SELECT customers FROM exploitation.countries WHERE country = 'DE'") == [(1,)]
    assert sums(shop) == SUMS
    expect_nothing_left(shop)


def test_a_changed_comment_rebuilds_nothing(shop):
    change(shop, "exploitation/sums.sql", "SELECT customer", "-- per customer\nSELECT   customer")
    change(shop, "trusted/orders.yml", "versions: upsert", "# corrected later\nversions: upsert")

    assert reasons(shop) == {}
    assert run(shop).status == "nothing"


def test_a_changed_rule_rebuilds_what_depends_on_it_and_says_why(shop):
    change(shop, "trusted/orders.yml", "to: 1000", "to: 11")

    why = reasons(shop)

    assert list(why) == ["trusted.orders", "exploitation.sums", "exploitation.by_country"]
    assert why["trusted.orders"] == ("rule in_range(amount) changed: all rows",)
    assert why["exploitation.sums"] == ("trusted.orders changes",)
    assert not run(shop).failed
    assert sums(shop)[0] == ("c0", 3, 18)
    assert run(shop).status == "nothing"


def test_sums_of_integers_are_exact_integers(shop):
    large = 9_007_199_254_740_993  # no double holds it
    change(shop, "trusted/orders.yml", "to: 1000", f"to: {large}")
    deliver(shop, {"orders-2.csv": f"{ORDERS}20,c0,{large}\n"})

    assert not run(shop).failed

    assert rows(shop, "SELECT typeof(amount), amount FROM exploitation.sums WHERE customer = 'c0'") == [
        ("BIGINT", large + 30)
    ]
    assert rows(shop, "SELECT column_type FROM (DESCRIBE exploitation.by_country) WHERE column_name = 'amount'") == [
        ("BIGINT",)
    ]


def test_a_sum_that_no_integer_holds_fails_and_is_not_rounded(shop):
    large = 9_000_000_000_000_000_000
    change(shop, "trusted/orders.yml", "to: 1000", f"to: {large}")
    deliver(shop, {"orders-2.csv": f"{ORDERS}20,c0,{large}\n21,c0,{large}\n"})

    report = run(shop)

    assert [s.dataset for s in report.failed] == ["exploitation.sums"]
    assert sums(shop) == SUMS
    expect_nothing_left(shop)


def test_a_new_column_reaches_trusted_and_views(shop):
    write_files(shop, {"exploitation/everything.sql": "SELECT * FROM trusted.orders\n"})
    assert not run(shop).failed
    deliver(shop, {"orders-2.csv": "order_id,customer,amount,channel\n20,c0,5,web\n1,c1,7,shop\n"})

    report = run(shop)

    assert not report.failed
    for dataset in ("formatted.orders", "trusted.orders", "exploitation.everything"):
        found = rows(shop, f"SELECT order_id, channel FROM {dataset} WHERE channel IS NOT NULL ORDER BY 1")
        assert found == [(1, "shop"), (20, "web")], dataset
    assert rows(shop, "SELECT count(*) FROM exploitation.everything") == [(13,)]
    deliver(shop, {"orders-3.csv": ORDERS + "30,c0,5\n"})
    assert not run(shop).failed
    assert rows(shop, "SELECT channel FROM exploitation.everything WHERE order_id = 30") == [(None,)]
    change(shop, "sources/orders.yml", "amount: integer", "amount: integer, channel: text")
    write_files(shop, {"exploitation/channels.sql": "SELECT channel, count(*) AS n FROM trusted.orders GROUP BY ALL\n"})
    assert not run(shop).failed
    assert rows(shop, "SELECT channel, n FROM exploitation.channels ORDER BY 1") == [
        ("shop", 1), ("web", 1), (None, 12),
    ]  # fmt: skip
    assert run(shop).status == "nothing"
    expect_nothing_left(shop)


def test_an_integer_that_becomes_text_keeps_its_zeros(tmp_path):
    write_files(tmp_path, {
        "backbone.yml": "name: codes\n",
        "sources/codes.yml": "from: data/codes-*.csv\ncolumns: {code: integer, n: integer}\n",
        "exploitation/all_codes.sql": "SELECT code, n FROM trusted.codes\n",
    })  # fmt: skip
    deliver(tmp_path, {"codes-1.csv": "code,n\n007,1\n8,2\n"})
    assert not run(tmp_path).failed
    deliver(tmp_path, {"codes-2.csv": "code,n\nA7,3\nB8,4\nC9,5\n"})

    report = run(tmp_path)

    assert not report.failed
    for dataset in ("formatted.codes", "trusted.codes", "exploitation.all_codes"):
        found = rows(tmp_path, f"SELECT code, n FROM {dataset} ORDER BY n")
        assert found == [("007", 1), ("8", 2), ("A7", 3), ("B8", 4), ("C9", 5)], dataset
    assert run(tmp_path).status == "nothing"
    expect_nothing_left(tmp_path)


def test_a_column_that_a_source_and_a_view_get_at_once_is_known_to_the_view(shop):
    deliver(shop, {"customers-2.csv": "customer,country,city\nc3,DE,Berlin\n"})
    change(shop, "sources/customers.yml", "country: text", "country: text, city: text")
    write_files(shop, {"exploitation/cities.sql": "SELECT customer, city FROM trusted.customers\n"})

    assert "exploitation.cities" in reasons(shop)
    assert not run(shop).failed
    assert rows(shop, "SELECT city FROM exploitation.cities WHERE customer = 'c3'") == [("Berlin",)]


def test_nothing_changes_when_the_project_is_wrong(shop):
    before = rows(shop, "SELECT count(*) FROM governance.run")
    change(shop, "exploitation/countries.sql", "country, count", "contry, count")
    deliver(shop, {"orders-2.csv": ORDERS + "20,c0,5\n"})

    done = backbone_run(shop)

    assert done.returncode == 2
    assert rows(shop, "SELECT count(*) FROM governance.run") == before
    assert len(backbone.open(shop).environment.landing.registry.files()) == 2
    assert leftovers(shop) == []


def test_an_error_while_publishing_leaves_everything_as_it_was_and_the_next_run_finishes(shop, monkeypatch):
    deliver(shop, {"orders-2.csv": ORDERS + "20,c0,5\n1,c1,100\n"})

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("backbone.lake.transactions.Transaction.insert", fail)
        with pytest.raises(LakeError, match=r"no space left for .*: .* are free there now"):
            run(shop)
    assert sums(shop) == SUMS

    assert not run(shop).failed

    assert sums(shop) == [("c0", 5, 35), ("c1", 4, 121), ("c2", 4, 26)]
    assert [entry.status for entry in backbone.open(shop).history()] == ["published", "failed", "published"]
    expect_nothing_left(shop)
