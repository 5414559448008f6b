"""A project whose catalogue is in PostgreSQL: it does what it does on a laptop."""

import pytest
from faults_shop import LATER, content, deliver, differences, make_shop, unsound
from team_shop import ended, make_team_shop, start

import backbone
from backbone.lake.catalogue import registered_files


@pytest.fixture
def shop(tmp_path, database):
    return make_team_shop(tmp_path / "shop", database)


def unregistered(root):
    site = backbone.open(root).environment.site
    known = registered_files(site)
    return [one.name for one in site.data.list("tables/") if one.name.removeprefix("tables/") not in known]


def test_from_landing_to_views_and_on_with_later_files(shop, tmp_path):
    laptop = make_shop(tmp_path / "laptop")
    backbone.open(laptop).run()

    assert backbone.open(shop).run().status == "published"
    assert differences(content(shop), content(laptop)) == []
    assert backbone.open(shop).run().status == "nothing"

    for root in (laptop, shop):
        deliver(root, LATER)
    backbone.open(laptop).run()
    report = backbone.open(shop).run()
    assert {step.dataset: step.how for step in report.steps}["trusted.visits"] == "incremental"
    assert differences(content(shop), content(laptop)) == []
    assert unsound(backbone.open(shop).doctor()) == []
    assert unregistered(shop) == []
    assert not (shop / "lake" / "dev" / "catalogue.sqlite").exists()
    assert not (shop / "lake" / "landing" / "registry.sqlite").exists()


def test_environments_and_projects_share_a_database_and_nothing_else(shop, tmp_path, database):
    other = make_team_shop(tmp_path / "other", database)
    (other / "backbone.yml").write_text((shop / "backbone.yml").read_text().replace("name: shop", "name: other"))
    backbone.open(shop).run()
    deliver(shop, LATER)
    backbone.open(shop, env="prod").run()
    backbone.open(other).run()

    counts = [
        backbone.open(root, env=env).sql("SELECT count(*) FROM formatted.orders").rows()[0][0]
        for root, env in ((shop, "dev"), (shop, "prod"), (other, "dev"))
    ]
    assert counts == [67, 70, 67]
    assert backbone.open(other).status().landed_files == 6
    assert backbone.open(shop).status().landed_files == 8


def test_going_back_maintaining_and_putting_back_a_backup(shop, tmp_path):
    backbone.open(shop).run()
    first = content(shop)
    backup = backbone.open(shop).backup(tmp_path / "backup")
    deliver(shop, LATER)
    backbone.open(shop).run()
    later = content(shop)

    assert backbone.open(shop).rollback(backup.snapshot).snapshot
    assert differences(content(shop), first) == []
    backbone.open(shop).run()
    assert differences(content(shop), later) == []
    assert backbone.open(shop).maintain().snapshot
    assert differences(content(shop), later) == []
    assert unsound(backbone.open(shop).doctor()) == []

    restored = backbone.open(shop).restore(tmp_path / "backup")
    assert restored.restored == backup.snapshot
    assert restored.snapshot > (restored.replaced or 0)
    assert differences(content(shop), first) == []
    backbone.open(shop).run()
    assert differences(content(shop), later) == []
    assert unsound(backbone.open(shop).doctor()) == []


def test_a_project_of_analyses_reads_a_team_s_lake_at_a_pinned_snapshot(shop, tmp_path):
    backbone.open(shop).run()
    reader = tmp_path / "reader"
    (reader / "exploitation").mkdir(parents=True)
    (reader / "backbone.yml").write_text(f"name: reader\nbackbone: {shop}\n")
    (reader / "exploitation" / "dear.sql").write_text(
        "SELECT order_id FROM exploitation.large_orders WHERE amount > 100\n"
    )
    assert backbone.open(reader).run().status == "published"
    snapshot = backbone.open(shop).status().snapshot

    pins = [one for one in backbone.open(shop).environment.site.books.holders() if not one.process]
    assert [(pin.snapshot, pin.who) for pin in pins] == [(snapshot, f"project {reader}, environment dev")]
    deliver(shop, LATER)
    backbone.open(shop).run()
    assert backbone.open(reader).run().status == "published"
    (pin,) = [one for one in backbone.open(shop).environment.site.books.holders() if not one.process]
    assert pin.snapshot > snapshot
    assert backbone.open(reader).sql("SELECT count(*) > 0 FROM dear").rows() == [(True,)]


def test_those_who_come_first_at_once_make_one_lake(shop):
    runs = [start(shop, "run") for _ in range(3)]
    for code, said in map(ended, runs):
        assert code == 0, said
    assert [entry.status for entry in backbone.open(shop).history()] == ["published"]
    assert unsound(backbone.open(shop).doctor()) == []


def test_what_a_run_puts_aside_and_stages_goes_with_it(shop):
    (shop / "backbone.yml").write_text((shop / "backbone.yml").read_text() + "memory_limit: 64MiB\n")
    backbone.open(shop).run()

    left = {path.name for path in (shop / "lake" / "dev").iterdir()} - {"cache"}
    assert left == {"state.json", "tables"}
