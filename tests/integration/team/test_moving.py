"""From a laptop to a team's storage and back: everything is there, and nothing counts before it is."""

from pathlib import Path

import pytest
from faults_shop import ANALYSIS, LATER, content, deliver, differences, make_shop, unsound, write_files
from team_shop import ended, start

import backbone
from backbone.errors import LakeError, UsageError
from backbone.lake.books import FolderBooks
from backbone.lake.catalogue import last_snapshot
from backbone.runs.environment import Environment

TEAM = "postgres:${PG_URL}"


@pytest.fixture
def laptop(tmp_path, database):
    """A project that has run twice, with a model, in two environments."""
    root = make_shop(tmp_path / "shop")
    write_files(root, ANALYSIS)
    (root / "backbone.yml").write_text("# ours\nname: shop\nstorage:\n  data: lake   # here\nmemory_limit: 2GB\n")
    (root / "secrets.env").write_text(f"PG_URL={database}\n")
    backbone.open(root).run()
    deliver(root, LATER)
    backbone.open(root).run()
    backbone.open(root, env="prod").run("formatted.orders")
    return root


def test_only_the_catalogue_moves_where_the_data_stays(laptop):
    before, snapshot = content(laptop), backbone.open(laptop).status().snapshot
    history = [entry.run for entry in backbone.open(laptop).history()]

    would = backbone.open(laptop).migrate({"catalogue": TEAM}, dry_run=True)
    assert [(one.environment, one.snapshot, one.data_files) for one in would.lakes] == [
        ("dev", snapshot, 0),
        ("prod", 2, 0),
    ]
    assert "postgres" not in (laptop / "backbone.yml").read_text()

    backbone.open(laptop).migrate({"catalogue": TEAM})

    assert (laptop / "backbone.yml").read_text() == (
        "# ours\nname: shop\nstorage: {data: lake, catalogue: 'postgres:${PG_URL}'}   # here\nmemory_limit: 2GB\n"
    )
    assert backbone.open(laptop).environment.catalogue is not None
    assert differences(content(laptop), before) == []
    assert [entry.run for entry in backbone.open(laptop).history()] == history
    assert backbone.open(laptop).status().snapshot == snapshot
    assert not FolderBooks(laptop / "lake" / "dev").has_catalogue()
    assert backbone.open(laptop).run().status == "nothing"
    assert unsound(backbone.open(laptop).doctor()) == []
    deliver(laptop, {"orders-9.csv": "order_id,customer,day,amount\n500,c1,2026-01-09,70\n"})
    assert {s.dataset: s.how for s in backbone.open(laptop).run().steps}["trusted.orders"] == "incremental"


def test_what_people_write_into_backbone_yml_meanwhile_is_kept(laptop, tmp_path):
    settings = laptop / "backbone.yml"

    def edit(event):
        if event.kind == "copying" and "3GB" not in settings.read_text():
            settings.write_text(settings.read_text().replace("2GB", "3GB"))

    backbone.open(laptop).migrate({"data": str(tmp_path / "elsewhere")}, on_event=edit)

    assert "memory_limit: 3GB" in settings.read_text()
    assert f"data: {tmp_path}/elsewhere" in settings.read_text()
    assert unsound(backbone.open(laptop).doctor()) == []


def test_a_project_that_was_moved_meanwhile_is_left_where_it_is(laptop, tmp_path):
    before = content(laptop)
    first, second = ({"data": str(tmp_path / name)} for name in ("first", "second"))

    def move_first(event):
        if event.kind == "copying" and "first" not in (laptop / "backbone.yml").read_text():
            text = (laptop / "backbone.yml").read_text()
            (laptop / "backbone.yml").write_text(text.replace("data: lake", f"data: {first['data']}"))

    with pytest.raises(LakeError, match="has changed meanwhile"):
        backbone.open(laptop).migrate(second, on_event=move_first)
    assert "second" not in (laptop / "backbone.yml").read_text()

    (laptop / "backbone.yml").write_text("name: shop\nmemory_limit: 2GB\n")
    with backbone.open(laptop).environment.site.books.writing(None):
        waiting = start(laptop, "migrate", "--data", str(tmp_path / "third"))
        for line in iter(waiting.stdout.readline, ""):
            if "waiting" in line:
                break
        (laptop / "backbone.yml").write_text(f"name: shop\nstorage: {{data: {tmp_path / 'fourth'}}}\n")
    code, said = ended(waiting)
    assert code == 1
    assert "has changed meanwhile" in said
    assert not (tmp_path / "third" / "dev" / "tables").exists()
    (laptop / "backbone.yml").write_text("name: shop\nmemory_limit: 2GB\n")
    assert differences(content(laptop), before) == []


def test_to_a_team_and_back_with_all_files(laptop, tmp_path):
    before = content(laptop)
    away = tmp_path / "srv" / "lake"

    report = backbone.open(laptop).migrate({"catalogue": TEAM, "data": str(away)})
    assert report.lakes[0].data_files > 9
    assert differences(content(laptop), before) == []
    assert unsound(backbone.open(laptop).doctor()) == []
    assert backbone.open(laptop).run().status == "nothing"
    # The former lake is as it was, for whoever is sure to remove it.
    former = Environment(laptop, "dev", laptop / "lake")
    assert last_snapshot(former.site) == last_snapshot(backbone.open(laptop).environment.site)
    deliver(laptop, {"orders-9.csv": "order_id,customer,day,amount\n500,c1,2026-01-09,70\n"})
    backbone.open(laptop).run()
    later = content(laptop)

    backbone.open(laptop).migrate({"catalogue": "sqlite", "data": "back"})

    assert backbone.open(laptop).environment.catalogue is None
    assert differences(content(laptop), later) == []
    assert unsound(backbone.open(laptop).doctor()) == []
    assert backbone.open(laptop).run().status == "nothing"
    assert backbone.open(laptop, env="prod").status().snapshot == 2


def test_to_an_object_store(laptop, s3, tmp_path):
    before = content(laptop)

    backbone.open(laptop).migrate({"catalogue": TEAM, "data": f"s3://backbone/{tmp_path.name}"})

    assert differences(content(laptop), before) == []
    assert unsound(backbone.open(laptop).doctor()) == []
    assert backbone.open(laptop).run().status == "nothing"
    deliver(laptop, {"orders-9.csv": "order_id,customer,day,amount\n500,c1,2026-01-09,70\n"})
    backbone.open(laptop).run()
    later = content(laptop)

    backbone.open(laptop).migrate({"catalogue": "sqlite", "data": "back"})
    assert differences(content(laptop), later) == []
    assert unsound(backbone.open(laptop).doctor()) == []
    del s3


def test_what_is_damaged_is_not_moved_and_nothing_has_changed(laptop, tmp_path):
    text = (laptop / "backbone.yml").read_text()
    path = max((laptop / "lake" / "dev" / "tables" / "trusted" / "orders").glob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-9] + b"X" + path.read_bytes()[-8:])

    with pytest.raises(LakeError, match=r"is damaged"):
        backbone.open(laptop).migrate({"catalogue": TEAM, "data": str(tmp_path / "srv")})

    assert (laptop / "backbone.yml").read_text() == text
    assert backbone.open(laptop).sql("SELECT count(*) FROM trusted.visits").rows()[0][0] > 0


def test_another_lake_is_not_replaced_and_one_that_was_half_moved_is(laptop, tmp_path, database):
    other = make_shop(tmp_path / "other")
    (other / "backbone.yml").write_text(f"name: shop\nstorage: {{catalogue: '{TEAM}'}}\n")
    (other / "secrets.env").write_text(f"PG_URL={database}\n")
    backbone.open(other).run()

    with pytest.raises(LakeError, match="There is another lake in PostgreSQL at"):
        backbone.open(laptop).migrate({"catalogue": TEAM})
    with pytest.raises(UsageError, match="is there already"):
        backbone.open(other).migrate({"catalogue": TEAM})

    text = (laptop / "backbone.yml").read_text()
    (laptop / "backbone.yml").write_text(text.replace("name: shop", "name: another"))
    backbone.open(laptop).migrate({"catalogue": TEAM, "data": str(tmp_path / "srv")})
    (laptop / "backbone.yml").write_text(text.replace("name: shop", "name: another"))  # as if it had been killed before
    backbone.open(laptop).migrate({"catalogue": TEAM, "data": str(tmp_path / "srv")})
    assert unsound(backbone.open(laptop).doctor()) == []


def test_the_command_says_what_it_does(laptop):
    code, said = ended(start(laptop, "migrate", "--catalogue", TEAM, "--dry-run"))
    assert code == 0, said
    assert "nothing was changed" in said
    code, said = ended(start(laptop, "migrate", "--catalogue", TEAM))
    assert code == 0, said
    assert "each equal to its checksum" in said
    assert "PG_URL" in said
    assert str(Path(laptop / "secrets.env").read_text().strip().partition("=")[2]) not in said
    assert ended(start(laptop, "upgrade")) == (0, "nothing to upgrade.\n")


def test_nobody_takes_another_lake_s_files_for_its_own(laptop, tmp_path, database):
    """Else the first recovery or maintenance would remove them as nobody's."""
    before, text = content(laptop), (laptop / "backbone.yml").read_text()
    team = text.replace("data: lake", "catalogue: 'postgres:${PG_URL}'\n  data: lake")
    (laptop / "backbone.yml").write_text(team)
    with pytest.raises(LakeError, match=r"has a lake, with its catalogue in catalogue\.sqlite.* backbone migrate"):
        backbone.open(laptop).run()
    (laptop / "backbone.yml").write_text(text)
    assert differences(content(laptop), before) == []

    backbone.open(laptop).migrate({"catalogue": TEAM})
    team = (laptop / "backbone.yml").read_text()
    (laptop / "backbone.yml").write_text(text)
    with pytest.raises(LakeError, match="the data of a lake whose catalogue is in a database"):
        backbone.open(laptop).run()
    (laptop / "backbone.yml").write_text(team.replace("name: shop", "name: shop2"))
    with pytest.raises(LakeError, match="holds the data of another lake"):
        backbone.open(laptop).run()
    (laptop / "backbone.yml").write_text(team)
    assert differences(content(laptop), before) == []
    assert unsound(backbone.open(laptop).doctor()) == []
    del tmp_path, database
