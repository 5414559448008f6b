"""Folders that nobody can write to, and full disks: looking works, and what must write says where, and what to do."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from faults_disks import carried_out, make_full, make_read_only
from faults_shop import LATER, arrivals, content, deliver, leftovers, make_shop, unsound

import backbone

pytestmark = pytest.mark.usefixtures("disks")

BACKBONE = str(Path(sys.executable).with_name("backbone"))
LOOKING = (
    ("status",),
    ("plan",),
    ("sql", "SELECT count(*) AS orders FROM trusted.orders"),
    ("sql", "SELECT count(*) AS orders FROM trusted.orders", "--as-of", "2"),
    ("history",),
    ("quarantine",),
    ("doctor",),
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_shop(tmp_path_factory.mktemp("read_only") / "shop")
    assert backbone.open(root).run().status == "published"
    deliver(root, LATER)
    return root


def unwritable(root: Path, folder: str, *commands: tuple[str, ...]) -> list[tuple[int, str]]:
    """What comes of commands while a folder of the project can't be written to."""
    return carried_out(partial(make_read_only, root / folder), *lines(root, commands))


def lines(root: Path, commands: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [(BACKBONE, "--project", str(root), *command) for command in commands]


def test_a_lake_that_can_only_be_read_can_be_looked_at(shop):
    before = sorted(shop.rglob("*"))

    done = unwritable(shop, "lake", *LOOKING)

    assert [code for code, _ in done] == [0] * len(LOOKING), done
    assert "61" in done[2][1]
    assert "61" in done[3][1]
    assert "run   formatted.orders            new landed file orders-4.csv" in done[1][1]
    assert sorted(shop.rglob("*")) == before


def test_on_a_full_disk_all_can_be_looked_at_and_doctor_finds_the_disk_alone(shop, tmp_path):
    root = tmp_path / shop.name

    *done, (code, said) = carried_out(partial(make_full, tmp_path, shop), *lines(root, LOOKING))

    assert [code for code, _ in done] == [0] * len(done), done
    assert "61" in done[2][1]
    assert "61" in done[3][1]
    assert code == 1
    assert [line for line in said.splitlines() if line.startswith("✗")] == [
        line for line in said.splitlines() if line.startswith("✗ disk  0 bytes free; to make the largest dataset")
    ], said
    assert f"Make space where {root}/lake is" in said


@pytest.mark.parametrize("folder", [".", "lake", pytest.param("lake/landing", marks=pytest.mark.long)])
def test_what_must_write_names_the_folder_and_changes_nothing(shop, folder):
    held, landed = content(shop), arrivals(shop)

    ((code, said),) = unwritable(shop, folder, ("run",))

    assert code == 1
    assert said.count("\n") == 1, said
    assert f"{shop}/lake/" in said
    assert "Read-only file system. Make it writable, or name another folder" in said
    assert content(shop) == held
    assert arrivals(shop) == landed
    assert unsound(backbone.open(shop).doctor()) == []


@pytest.mark.long
def test_sources_that_can_only_be_read_are_landed(tmp_path):
    root = make_shop(tmp_path / "shop")

    ((code, said),) = unwritable(root, "data", ("run",))

    assert code == 0, said
    assert arrivals(root) == 6
    assert leftovers(root) == []


@pytest.mark.long
def test_a_project_that_can_only_be_read_runs_with_its_lake_elsewhere(tmp_path):
    root = make_shop(tmp_path / "shop")
    (root / "lake").rename(tmp_path / "lake")
    (root / "backbone.yml").write_text(f"name: shop\nstorage: {{data: {tmp_path / 'lake'}}}\n")

    (ran, _), (added, said) = unwritable(root, ".", ("run",), ("add", "more", str(root / "data/orders-1.csv")))

    assert ran == 0
    assert added == 1
    assert f"{root}/sources" in said
    assert "Make it writable" in said
