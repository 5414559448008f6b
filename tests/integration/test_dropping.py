"""What no file declares any more is dropped, shown by earlier snapshots, and made again when its file is back."""

from pathlib import Path

import pytest

import backbone
from backbone.errors import ProjectError, QueryError, UsageError
from backbone.model.reports import RunReport

VIEWS = {"kept": "SELECT id FROM trusted.sales", "old": "SELECT id, amount FROM trusted.sales"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for folder in ("sources", "trusted", "exploitation", "data"):
        (tmp_path / folder).mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    (tmp_path / "data/sales.csv").write_text("id,amount\n1,2\n2,3\n4,3\n")
    (tmp_path / "data/rates.csv").write_text("rate\n1\n-1\n")
    (tmp_path / "sources/sales.yml").write_text("from: data/sales.csv\ncolumns: {id: integer, amount: integer}\n")
    (tmp_path / "sources/rates.yml").write_text("from: data/rates.csv\ncolumns: {rate: integer}\n")
    rule = "{in_range: rate, from: 0, else: quarantine, tolerate: 100%}"
    (tmp_path / "trusted/rates.yml").write_text(f"rules: [{rule}]\n")
    for name, query in VIEWS.items():
        (tmp_path / f"exploitation/{name}.sql").write_text(query)
    assert run(tmp_path).status == "published"
    return tmp_path


def run(root: Path, **how: object) -> RunReport:
    return backbone.open(root).run(**how)


def rows(root: Path, query: str, as_of: int | None = None) -> list[tuple[object, ...]]:
    return backbone.open(root).sql(query, as_of).rows()


def dropped(report: RunReport) -> list[str]:
    return [step.dataset for step in report.steps if step.status == "dropped"]


def test_a_view_whose_file_is_gone_leaves_the_lake_and_stays_in_its_past(shop: Path) -> None:
    before = backbone.open(shop).status().snapshot
    (shop / "exploitation/old.sql").unlink()

    report = run(shop)

    assert (dropped(report), report.status) == (["exploitation.old"], "published")
    assert "exploitation.old" not in {one.dataset for one in backbone.open(shop).status().datasets}
    with pytest.raises(QueryError, match="There is no dataset"):
        rows(shop, "FROM exploitation.old")
    assert rows(shop, "SELECT count(*) FROM exploitation.old", before) == [(3,)]
    for table in ("relation", "attribute", "constraint", "mapping"):
        assert rows(shop, f"SELECT * FROM governance.\"{table}\" WHERE dataset = 'exploitation.old'") == []
    (shop / "lake/dev/state.json").unlink()
    assert run(shop).status == "nothing", "it is forgotten by the lake, not only by the cache"


def test_its_file_back_in_place_makes_it_again(shop: Path) -> None:
    (shop / "exploitation/old.sql").unlink()
    run(shop)
    (shop / "exploitation/old.sql").write_text(VIEWS["old"])

    report = run(shop)

    assert {step.dataset: step.note for step in report.steps if step.status == "done"} == {"exploitation.old": ""}
    assert rows(shop, "SELECT count(*) FROM exploitation.old") == [(3,)]


def test_a_renamed_view_is_made_and_dropped_in_one_snapshot(shop: Path) -> None:
    before = backbone.open(shop).status().snapshot
    (shop / "exploitation/old.sql").rename(shop / "exploitation/new.sql")

    report = run(shop)

    assert (dropped(report), report.snapshot) == (["exploitation.old"], before + 1)
    assert rows(shop, "SELECT count(*) FROM exploitation.new") == [(3,)]


def test_a_source_goes_with_its_quarantine_and_its_landed_files_stay(shop: Path) -> None:
    assert rows(shop, "SELECT dataset FROM governance.quarantine") == [("trusted.rates",)]
    declared = [(shop / path, (shop / path).read_text()) for path in ("sources/rates.yml", "trusted/rates.yml")]
    for path, _ in declared:
        path.unlink()

    assert dropped(run(shop)) == ["formatted.rates", "trusted.rates"]

    assert rows(shop, "SELECT dataset FROM governance.quarantine") == []
    assert rows(shop, "SELECT source FROM governance.template") == [("sales",)]
    assert len(list((shop / "lake/landing/persistent/rates").rglob("rates.csv"))) == 1
    for path, text in declared:
        path.write_text(text)
    (shop / "data/rates.csv").unlink()
    run(shop)
    assert rows(shop, "SELECT rate FROM trusted.rates") == [(1,)]


def test_a_selection_drops_nothing(shop: Path) -> None:
    (shop / "exploitation/old.sql").unlink()

    run(shop, exclude="zone:formatted zone:trusted", force=True)

    assert rows(shop, "SELECT count(*) FROM exploitation.old") == [(3,)]
    assert [drop.dataset for drop in backbone.open(shop).plan().drops] == ["exploitation.old"]


def test_what_others_read_is_a_mistake_of_the_project_and_nothing_is_dropped(shop: Path) -> None:
    (shop / "sources/sales.yml").unlink()

    with pytest.raises(ProjectError, match=r"trusted\.sales"):
        run(shop)

    assert rows(shop, "SELECT count(*) FROM trusted.sales") == [(3,)]


def test_it_is_dropped_though_others_fail(shop: Path) -> None:
    (shop / "exploitation/old.sql").unlink()
    (shop / "exploitation/kept.sql").write_text("SELECT id // 0 AS id, error('no') AS e FROM trusted.sales")

    report = run(shop)

    assert dropped(report) == ["exploitation.old"]
    assert [step.dataset for step in report.failed] == ["exploitation.kept"]
    with pytest.raises((QueryError, UsageError)):
        rows(shop, "FROM exploitation.old")


def test_going_back_brings_a_dropped_dataset_back_and_the_next_run_drops_it_again_or_keeps_it(shop: Path) -> None:
    before = backbone.open(shop).status().snapshot
    (shop / "exploitation/old.sql").unlink()
    run(shop)

    report = backbone.open(shop).rollback(before)

    assert [(one.dataset, one.rows_now, one.rows_then) for one in report.datasets] == [("exploitation.old", None, 3)]
    assert sorted(rows(shop, "FROM exploitation.old")) == [(1, 2), (2, 3), (4, 3)]
    assert [check.detail for check in backbone.open(shop).doctor() if not check.ok] == []
    assert [drop.dataset for drop in backbone.open(shop).plan().drops] == ["exploitation.old"]
    assert dropped(run(shop)) == ["exploitation.old"]
    backbone.open(shop).rollback(before)
    (shop / "exploitation/old.sql").write_text(VIEWS["old"])
    assert run(shop).status == "nothing"
    assert sorted(rows(shop, "FROM exploitation.old")) == [(1, 2), (2, 3), (4, 3)]


def test_going_back_brings_a_dropped_source_back_with_its_quarantine(shop: Path) -> None:
    before = backbone.open(shop).status().snapshot
    for name in ("sources/rates.yml", "trusted/rates.yml"):
        (shop / name).rename(shop / f"{Path(name).parent.name}-rates")
    assert sorted(dropped(run(shop))) == ["formatted.rates", "trusted.rates"]
    assert rows(shop, "SELECT count(*) FROM governance.quarantine") == [(0,)]

    backbone.open(shop).rollback(before)

    assert rows(shop, "FROM trusted.rates") == [(1,)]
    assert rows(shop, "SELECT dataset FROM governance.quarantine") == [("trusted.rates",)]
    assert sorted(drop.dataset for drop in backbone.open(shop).plan().drops) == ["formatted.rates", "trusted.rates"]
    for name in ("sources/rates.yml", "trusted/rates.yml"):
        (shop / f"{Path(name).parent.name}-rates").rename(shop / name)
    assert run(shop).status == "nothing"
    assert [check.detail for check in backbone.open(shop).doctor() if not check.ok] == []
