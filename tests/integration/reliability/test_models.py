"""Model versions: damaged files are found, going back brings back that of then, retention keeps what made them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faults_shop import (
    ANALYSIS,
    DATASETS,
    LATER,
    Content,
    content,
    deliver,
    differences,
    leftovers,
    make_shop,
    unsound,
    write_files,
)  # fmt: skip

import backbone
from backbone.errors import LakeError
from backbone.lake.catalogue import snapshots
from backbone.lake.site import Site

ALL = (*DATASETS, "analysis.dear__train", "analysis.dear__validate", "exploitation.dear__predictions")
FIRST, SECOND = 2, 3
"""The snapshots of the two runs."""
GREEDY = "name: shop\nretention: {snapshots: 0 seconds, at_least: 1, files: 0 seconds, maintenance: by_hand}\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Content, Content]:
    """A shop whose analysis was trained twice, on a first delivery and on another; what it held then, and holds."""
    root = make_shop(tmp_path_factory.mktemp("trained") / "shop")
    write_files(root, {**ANALYSIS, "backbone.yml": GREEDY})
    assert backbone.open(root).run().status == "published"
    before = content(root, ALL)
    deliver(root, LATER)
    assert backbone.open(root).run().status == "published"
    return root, before, content(root, ALL)


@pytest.fixture
def shop(trained: tuple[Path, Content, Content], tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained[0], tmp_path / "shop"))


def versions(root: Path) -> list[str]:
    """The versions of the model in the order in which they were registered."""
    query = "SELECT version FROM governance.model_version JOIN governance.run USING (run) ORDER BY run.snapshot"
    return [str(version) for (version,) in backbone.open(root).sql(query).rows()]


def used(root: Path) -> set[str]:
    """The versions that made the predictions."""
    return {str(v) for (v,) in backbone.open(root).sql("SELECT DISTINCT model_version FROM dear__predictions").rows()}


def model_file(root: Path, version: str) -> Path:
    return next((root / "lake/dev/models/dear" / version).glob("*.skops"))


def flip(path: Path) -> None:
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(held)


def cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize(
    "damage", [flip, pytest.param(cut, marks=pytest.mark.long), pytest.param(Path.unlink, marks=pytest.mark.long)]
)
def test_a_damaged_model_is_found_and_trained_again(shop, trained, damage: Callable[[Path], None]):
    version = versions(shop)[-1]
    damage(model_file(shop, version))

    found = unsound(backbone.open(shop).doctor())
    checks = {check.name: check for check in backbone.open(shop).doctor(repair=True)}

    assert found == [f"models: models/dear/{version}/{model_file(trained[0], version).name} is missing or damaged"]
    assert unsound(checks.values()) == []
    assert "analysis.dear was made again" in checks["models"].mended
    assert differences(content(shop, ALL), trained[2]) == []
    assert used(shop) == {versions(shop)[-1]} != {version}
    assert backbone.open(shop).run().status == "nothing"
    assert leftovers(shop) == []


def test_a_damaged_model_of_before_is_told_and_nobody_goes_back_to_it(shop, trained):
    first, second = versions(shop)
    flip(model_file(shop, first))

    checks = {check.name: check for check in backbone.open(shop).doctor(repair=True)}

    assert unsound(checks.values()) == []
    assert "1 file of former versions missing or damaged" in checks["models"].detail
    with pytest.raises(LakeError, match=rf"Snapshot {FIRST} can't be gone back to: .*{first}.* is damaged or missing"):
        backbone.open(shop).rollback(FIRST)
    assert used(shop) == {second}
    assert differences(content(shop, ALL), trained[2]) == []


def test_going_back_brings_back_the_model_of_then_and_the_next_run_trains_anew(shop, trained):
    first, second = versions(shop)

    report = backbone.open(shop).rollback(FIRST)

    assert report.models == (("dear", first),)
    assert versions(shop) == [first, second, first]
    assert used(shop) == {first}
    assert differences(content(shop, ALL), trained[1]) == []
    assert unsound(backbone.open(shop).doctor()) == []
    assert leftovers(shop) == []
    assert backbone.open(shop).run().status == "published"
    assert differences(content(shop, ALL), trained[2]) == []
    assert used(shop) == {versions(shop)[-1]}
    assert versions(shop)[-1] not in {first, second}


def test_what_models_were_made_from_stays_and_can_be_gone_back_to(shop, trained):
    first, _ = versions(shop)
    for number in range(3):
        deliver(shop, {f"visits-{10 + number}.csv": f"visit_id,customer,order_id,minutes\n{90 + number},c1,3,5\n"})
        assert not backbone.open(shop).run().failed
    made = backbone.open(shop).maintain().kept

    assert made[0].because == f"model dear version {first} was made from it"
    assert {FIRST, SECOND} <= set(snapshots(Site(shop / "lake/dev")))
    assert model_file(shop, first).exists()
    assert backbone.open(shop).rollback(FIRST).models[0] == ("dear", first)
    assert differences(content(shop, ALL), trained[1]) == []
    assert {FIRST, SECOND} <= set(snapshots(Site(shop / "lake/dev"))), "what was gone back to stays, too"
    backbone.open(shop).maintain()
    assert used(shop) == {first}
    assert unsound(backbone.open(shop).doctor()) == []
