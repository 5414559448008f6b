"""A project whose data is on S3 is, for people, the same as one in a folder."""

import duckdb
import pytest
from faults_shop import ANALYSIS, LATER, content, deliver, differences, make_shop, unsound, write_files
from s3_shop import SMALL_DATASETS, make_s3_shop, make_small, strangers

import backbone
from backbone.errors import LakeError


def objects(root, under=""):
    return [one.name for one in backbone.open(root).environment.data.list(under)]


def test_runs_and_later_ones_make_the_same_datasets_as_in_a_folder(small, expected, tmp_path):
    assert backbone.open(small).run().status == "published"
    assert differences(content(small, SMALL_DATASETS), expected) == []

    plain = make_small(tmp_path / "plain")
    for root in (plain, small):
        backbone.open(root).run()
        deliver(root, {"orders-4.csv": LATER["orders-4.csv"]})
        assert backbone.open(root).run().status == "published"
    assert differences(content(small, SMALL_DATASETS), content(plain, SMALL_DATASETS)) == []
    assert strangers(small) == []
    assert unsound(backbone.open(small).doctor()) == []


def test_data_is_in_the_bucket_and_nowhere_else(small):
    backbone.open(small).run()

    names = objects(small)
    assert {name.split("/")[0] for name in names} == {"dev", "landing"}
    assert sum(name.startswith("landing/persistent/orders/") for name in names) == 3
    assert sum(name.endswith(".parquet") for name in names) >= 4
    assert not [path for path in (small / "lake").rglob("*") if path.suffix in {".parquet", ".csv"}]


def test_doing_nothing_asks_the_store_nothing(small, proxy):
    backbone.open(small).run()
    proxy.heal()

    assert backbone.open(small).run().status == "nothing"
    assert proxy.seen == []


def test_people_ask_and_trace_as_ever(small):
    workspace = backbone.open(small)
    workspace.run()

    assert workspace.sql("FROM totals").rows() == [(61, 17717)]
    aside = workspace.quarantine("formatted.orders")
    assert [(row.file, row.record) for row in aside.rows] == [("orders-2.csv", 4)]
    node = workspace.trace("trusted.orders", {"order_id": "1"})
    assert "orders-3.csv" in str(node)
    assert "line 2" in str(node)


def test_a_landed_file_that_was_changed_or_is_missing_fails_its_source_alone(small, tmp_path):
    workspace = backbone.open(small)
    workspace.run()
    landing = workspace.environment.landing
    damaged, missing = landing.registry.files()[:2]
    (tmp_path / "other").write_text("other")
    landing.data.put(landing.name_of(damaged), tmp_path / "other", again=True)
    landing.data.remove([landing.name_of(missing)])

    report = backbone.open(small).run(force=True)
    assert "landed file 1, orders-1.csv, is not what it was when it landed" in str(report.steps)
    checks = {check.name: check for check in backbone.open(small).doctor()}
    assert "file 1, orders-1.csv of orders, is damaged; file 2, orders-2.csv" in checks["landed files"].detail

    assert unsound(backbone.open(small).doctor(repair=True)) == []
    assert landing.sha256(damaged) == damaged.sha256
    assert landing.sha256(missing) == missing.sha256


def test_damaged_and_missing_data_files_are_found_and_made_again(small, expected, tmp_path):
    workspace = backbone.open(small)
    workspace.run()
    data = workspace.environment.site.data
    trusted = next(one.name for one in data.list("tables/trusted/orders/"))
    totals = next(one.name for one in data.list("tables/exploitation/totals/"))
    (tmp_path / "other").write_bytes(b"PAR1 no more")
    data.put(trusted, tmp_path / "other", again=True)
    data.remove([totals])

    detail = next(check.detail for check in backbone.open(small).doctor() if check.name == "data files")
    assert "is missing" in detail
    assert "is damaged" in detail

    assert unsound(backbone.open(small).doctor(repair=True)) == []
    assert differences(content(small, SMALL_DATASETS), expected) == []


def test_data_of_one_lake_is_refused_to_another_catalogue(small, tmp_path, prefix):
    backbone.open(small).run()
    other = make_small(tmp_path / "other", prefix)

    with pytest.raises(LakeError, match="holds the data of another lake"):
        backbone.open(other).run()
    assert unsound(backbone.open(small).doctor()) == []


def test_datasets_are_written_where_others_look_and_read_by_another_project(small, tmp_path):
    workspace = backbone.open(small)
    workspace.run()

    workspace.export("exploitation.totals", tmp_path / "out")
    assert duckdb.read_parquet(str(tmp_path / "out/**/*.parquet")).fetchall() == [(61, 17717)]
    workspace.sql("FROM customer_days ORDER BY ALL").write(tmp_path / "days.csv")
    assert len((tmp_path / "days.csv").read_text().splitlines()) > 10

    reader = {
        "backbone.yml": "name: reader\nbackbone: ../shop\n",
        "exploitation/dear.sql": "SELECT customer, amount FROM exploitation.customer_days WHERE amount > 1000\n",
    }
    write_files(tmp_path / "reader", reader)
    assert backbone.open(tmp_path / "reader").run().status == "published"
    dear = workspace.sql("SELECT customer, amount FROM customer_days WHERE amount > 1000").rows()
    assert sorted(backbone.open(tmp_path / "reader").sql("FROM dear").rows()) == sorted(dear)


@pytest.mark.long
@pytest.mark.usefixtures("s3")
def test_models_maintenance_going_back_and_backups(tmp_path, prefix):
    root, plain = make_s3_shop(tmp_path / "shop", prefix), make_shop(tmp_path / "plain")
    keep = "retention: {snapshots: 0 seconds, at_least: 1, files: 0 seconds}\n"
    (root / "backbone.yml").write_text((root / "backbone.yml").read_text() + keep)
    for one in (root, plain):
        write_files(one, ANALYSIS)
        assert backbone.open(one).run().status == "published"
        for number in range(9):
            rows = (
                f"{100 + number},c{number % 3},2026-03-0{number % 9 + 1},{number * 90}\n{number + 1},c5,2026-01-01,7\n"
            )
            deliver(one, {f"orders-x{number}.csv": f"order_id,customer,day,amount\n{rows}"})
            backbone.open(one).run()
    before = content(root)
    assert differences(before, content(plain)) == []
    assert [name for name in objects(root, "dev/models/") if name.endswith("model.skops")]

    maintained = backbone.open(root).maintain()
    assert {one.how for one in maintained.compacted} == {"merged"}
    assert maintained.files_removed > 10
    assert differences(before, content(root)) == []
    assert unsound(backbone.open(root).doctor()) == []
    assert strangers(root) == []

    snapshot = backbone.open(root).status().snapshot
    deliver(root, LATER)
    backbone.open(root).run()
    assert differences(before, content(root)) != []
    backbone.open(root).rollback(str(snapshot))
    assert differences(before, content(root)) == []

    backup = backbone.open(root).backup(tmp_path / "backup")
    assert backup.landed_files == 17
    backbone.open(root).run()
    restored = backbone.open(root).restore(tmp_path / "backup")
    assert restored.data_files == backup.data_files
    assert differences(before, content(root)) == []
    assert unsound(backbone.open(root).doctor()) == []

    # All of it is lost, and comes back from the copy.
    data = backbone.open(root).environment.data
    data.remove([one.name for one in data.list("")])
    backbone.open(root).restore(tmp_path / "backup")
    (root / "lake/landing/registry.sqlite").unlink()
    backbone.open(root).restore(tmp_path / "backup")
    assert differences(before, content(root)) == []
    assert unsound(backbone.open(root).doctor()) == []
