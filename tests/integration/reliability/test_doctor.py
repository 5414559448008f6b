"""Real damage to landing zone and lake: `doctor` finds it, and after `--repair` all is as if nothing had happened."""

import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from faults_shop import DROPPED, LATER, Content, content, deliver, differences, make_shop, unsound

import backbone
from backbone.lake.known_files import known_files
from backbone.lake.site import Site
from backbone.model.reports import Check
from backbone.workspace.doctor.landing import source_of_copy


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Content]:
    """A shop after a first and an incremental run, and what it holds."""
    root = make_shop(tmp_path_factory.mktemp("whole") / "shop")
    backbone.open(root).run()
    deliver(root, LATER)
    backbone.open(root).run()
    assert unsound(backbone.open(root).doctor()) == []
    return root, content(root)


@pytest.fixture
def shop(whole: tuple[Path, Content], tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(whole[0], tmp_path / "shop"))


@pytest.fixture
def expect_mended(shop: Path, whole: tuple[Path, Content]) -> Callable[[], dict[str, Check]]:
    """Repair, and expect all to be as it was."""

    def mended() -> dict[str, Check]:
        checks = backbone.open(shop).doctor(repair=True)
        assert unsound(checks) == []
        assert differences(content(shop), whole[1]) == []
        assert backbone.open(shop).run().status == "nothing"
        return {check.name: check for check in checks}

    return mended


def found(root: Path) -> dict[str, str]:
    return {check.name: check.detail for check in backbone.open(root).doctor() if not check.ok}


def data_file(root: Path, dataset: str, *, deletes: bool = False, live: bool = True) -> Path:
    """One file of a dataset."""
    files = known_files(Site(root / "lake/dev"))
    named = [f.path for f in files if (f.dataset, f.deletes, f.live) == (dataset, deletes, live)]
    return root / "lake/dev/tables" / named[0]


def landed(root: Path, name: str) -> Path:
    return next(f.path for f in backbone.open(root).environment.landing.registry.files() if f.name == name)


def catalogue(root: Path, *statements: str) -> None:
    with closing(sqlite3.connect(root / "lake/dev/catalogue.sqlite")) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount, statement


def inlined(root: Path, table: str) -> str:
    """The table of the catalogue that holds the rows of a governance table."""
    with closing(sqlite3.connect(root / "lake/dev/catalogue.sqlite")) as connection:
        query = (
            "SELECT i.table_name FROM ducklake_inlined_data_tables i JOIN ducklake_table t USING (table_id) "
            "WHERE t.table_name = ?"
        )
        return str(connection.execute(query, (table,)).fetchone()[0])


def flip(path: Path) -> None:
    path.chmod(0o644)
    content_ = bytearray(path.read_bytes())
    content_[len(content_) // 3] ^= 4
    path.write_bytes(content_)


def cut(path: Path) -> None:
    path.chmod(0o644)
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path) -> None:
    path.unlink()


MORE = pytest.mark.long
DATA = [
    ("formatted.orders", flip),
    pytest.param("formatted.orders", remove, marks=MORE),
    pytest.param("trusted.visits", cut, marks=MORE),
    pytest.param("trusted.visits", flip, marks=MORE),
    pytest.param("exploitation.customer_days", remove, marks=MORE),
    pytest.param("exploitation.customer_days", cut, marks=MORE),
]


@pytest.mark.parametrize(("dataset", "damage"), DATA)
def test_a_damaged_data_file_is_made_again_from_landing(shop, expect_mended, dataset, damage):
    path = data_file(shop, dataset)
    damage(path)

    wrong = found(shop)
    checks = expect_mended()

    assert path.name in wrong["data files"]
    assert f"{dataset} was made again" in checks["data files"].mended


@pytest.mark.long
@pytest.mark.parametrize("damage", [flip, cut, remove])
def test_a_damaged_file_of_deleted_rows_is_made_again(shop, expect_mended, damage):
    damage(data_file(shop, "trusted.orders", deletes=True))

    assert "data files" in found(shop)
    expect_mended()


@pytest.mark.long
def test_two_data_files_that_changed_places_are_found_and_made_again(shop, expect_mended):
    one, other = data_file(shop, "formatted.orders"), data_file(shop, "formatted.visits")
    between = one.with_suffix(".swap")
    for source, target in ((one, between), (other, one), (between, other)):
        source.rename(target)

    assert "formatted/orders" in found(shop)["data files"]
    expect_mended()


@pytest.mark.long
def test_several_datasets_damaged_at_once_are_made_again(shop, expect_mended):
    for dataset in ("formatted.orders", "formatted.visits", "trusted.orders", "exploitation.visit_log"):
        flip(data_file(shop, dataset))

    assert "and 1 more" in found(shop)["data files"]
    expect_mended()


@pytest.mark.long
def test_a_damaged_file_of_an_earlier_snapshot_is_set_aside_since_wrong_rows_are_worse_than_none(shop, expect_mended):
    path = data_file(shop, "exploitation.totals", live=False)
    flip(path)

    assert "of earlier snapshots, is damaged" in found(shop)["data files"]
    checks = expect_mended()

    assert not path.exists()
    assert "1 file of earlier snapshots missing" in checks["data files"].detail
    assert (shop / "lake/dev/damaged").is_dir()


def test_files_that_nobody_knows_are_removed(shop, expect_mended):
    stray = shop / "lake/dev/tables/trusted/orders/stray.parquet"
    shutil.copy(data_file(shop, "trusted.orders"), stray)

    assert found(shop) == {"orphans": "nobody knows tables/trusted/orders/stray.parquet"}
    expect_mended()
    assert not stray.exists()


@pytest.mark.long
def test_what_a_dead_run_left_is_swept(shop, expect_mended):
    (shop / "lake/dev/runs").mkdir(exist_ok=True)
    (shop / "lake/dev/runs/0badcafe.json").write_text(json.dumps({"run": "0badcafe", "started_at": "2026-01-01"}))

    assert found(shop) == {"runs": "a run was killed, or could not end"}
    expect_mended()
    assert [entry.status for entry in backbone.open(shop).history()].count("killed") == 1


@pytest.mark.parametrize("damage", [flip, pytest.param(cut, marks=MORE), pytest.param(remove, marks=MORE)])
def test_a_damaged_landed_file_is_copied_back_from_its_origin(shop, expect_mended, damage):
    path = landed(shop, "orders-2.csv")
    damage(path)

    assert "orders-2.csv of orders, is" in found(shop)["landed files"]
    checks = expect_mended()

    assert "copied back from" in checks["landed files"].mended[0]
    assert path.stat().st_mode & 0o222 == 0


def test_a_landed_file_whose_origin_is_gone_is_told_with_what_came_from_it(shop, whole):
    name = next(iter(DROPPED))
    path = landed(shop, name)
    good = path.read_bytes()
    path.unlink()

    (check,) = [check for check in backbone.open(shop).doctor(repair=True) if not check.ok]

    assert (check.name, check.mended) == ("landed files", ())
    assert "2 rows of formatted.visits, 1 rows of trusted.visits came from it" in check.hint
    assert f"Put a file with sha256 {backbone_digest(good)} to {path}" in check.hint
    assert differences(content(shop), whole[1]) == []
    path.write_bytes(good)
    assert unsound(backbone.open(shop).doctor()) == []


@pytest.mark.long
def test_nothing_is_made_from_a_damaged_landed_file(shop, whole):
    path = landed(shop, next(iter(DROPPED)))
    good = path.read_bytes()
    flip(path)
    for dataset in ("formatted.visits", "trusted.orders"):
        flip(data_file(shop, dataset))

    checks = {check.name: check for check in backbone.open(shop).doctor(repair=True)}

    said = checks["data files"].mended
    assert "trusted.orders was made again" in said
    assert any(line.startswith("formatted.visits could not be made again: file 6, visits-3.csv of") for line in said)
    assert "formatted/visits" in checks["data files"].detail
    path.write_bytes(good)
    assert unsound(backbone.open(shop).doctor(repair=True)) == []
    assert differences(content(shop), whole[1]) == []


def backbone_digest(content_: bytes) -> str:
    from hashlib import sha256

    return sha256(content_).hexdigest()


def _lose_registry(shop: Path) -> None:
    for path in (shop / "lake/landing").glob("registry.sqlite*"):
        path.unlink()


def _scramble_registry(shop: Path) -> None:
    with closing(sqlite3.connect(shop / "lake/landing/registry.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = shop / "lake/landing/registry.sqlite"
    path.write_bytes(b"no database at all" + path.read_bytes()[18:])


def _forget_one(shop: Path) -> None:
    with closing(sqlite3.connect(shop / "lake/landing/registry.sqlite")) as connection, connection:
        connection.execute("DELETE FROM arrival WHERE file_id = 3")
        connection.execute("DELETE FROM file WHERE id = 3")


def _change_one(shop: Path) -> None:
    with closing(sqlite3.connect(shop / "lake/landing/registry.sqlite")) as connection, connection:
        connection.execute("UPDATE file SET path = '../../../etc/passwd', sha256 = 'x' WHERE id = 2")


@pytest.mark.parametrize(
    "damage", [_lose_registry, *(pytest.param(d, marks=MORE) for d in (_scramble_registry, _forget_one, _change_one))]
)
def test_a_registry_that_was_lost_or_changed_is_rebuilt(shop, expect_mended, damage):
    before = {file.id: (file.name, file.sha256) for file in backbone.open(shop).environment.landing.registry.files()}
    damage(shop)

    assert "registry" in found(shop)
    checks = expect_mended()

    after = {file.id: (file.name, file.sha256) for file in backbone.open(shop).environment.landing.registry.files()}
    assert after == before
    assert "rebuilt, with 8 landed files" in checks["registry"].mended[0]


def _lose_catalogue(shop: Path) -> None:
    for path in (shop / "lake/dev").glob("catalogue.sqlite*"):
        path.unlink()


def _scramble_catalogue(shop: Path) -> None:
    with closing(sqlite3.connect(shop / "lake/dev/catalogue.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = shop / "lake/dev/catalogue.sqlite"
    pages = bytearray(path.read_bytes())
    pages[4096 : 4096 * 12] = os.urandom(4096 * 11)
    path.write_bytes(pages)


@pytest.mark.parametrize("damage", [pytest.param(_lose_catalogue, marks=MORE), _scramble_catalogue])
def test_without_its_catalogue_everything_is_made_again_and_the_damaged_lake_is_kept(shop, expect_mended, damage):
    damage(shop)

    assert "catalogue" in found(shop)
    checks = expect_mended()

    assert "is kept as lake/dev.damaged-" in checks["catalogue"].mended[0]
    assert len(list((shop / "lake").glob("dev.damaged-*/tables/trusted/orders/*.parquet"))) == 3


@pytest.mark.long
def test_rows_of_the_catalogue_that_were_edited_are_found(shop, expect_mended):
    catalogue(shop, "UPDATE ducklake_data_file SET record_count = record_count + 1 WHERE end_snapshot IS NULL")

    assert "isn't what the catalogue says" in found(shop)["data files"]
    expect_mended()


@pytest.mark.long
def test_a_path_that_was_edited_is_found_as_missing_and_as_unknown(shop, expect_mended):
    path = data_file(shop, "exploitation.visit_log").name
    catalogue(shop, f"UPDATE ducklake_data_file SET path = 'elsewhere.parquet' WHERE path = '{path}'")

    assert found(shop).keys() >= {"data files", "orphans"}
    expect_mended()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE {ledger} SET rows_out = rows_out + 1, rows_in = rows_in + 1 WHERE dataset = 'trusted.orders'",
        pytest.param("UPDATE {step} SET \"rows\" = 7 WHERE dataset = 'trusted.visits'", marks=MORE),
        pytest.param("DELETE FROM {quarantine} WHERE dataset = 'trusted.orders'", marks=MORE),
        pytest.param("DELETE FROM {merged_away} WHERE dataset = 'trusted.visits'", marks=MORE),
    ],
)
def test_books_that_do_not_agree_with_the_rows_are_found_and_written_anew(shop, expect_mended, edit):
    names = {name: inlined(shop, name) for name in ("ledger", "step", "quarantine", "merged_away")}
    catalogue(shop, edit.format(**names))

    assert "ledger" in found(shop)
    expect_mended()


def test_a_cache_with_the_right_snapshot_and_wrong_contents_is_written_anew(shop, expect_mended):
    path = shop / "lake/dev/state.json"
    state = json.loads(path.read_text())
    state["published"] = [one | {"files_until": 0, "rows": 1} for one in state["published"]]
    path.write_text(json.dumps(state))

    assert "isn't as in the lake" in found(shop)["state cache"]
    expect_mended()


@pytest.mark.long
def test_a_cache_that_says_wrongly_that_all_is_up_to_date_is_found(shop):
    (shop / "exploitation/totals.sql").write_text("SELECT 1 AS one\n")
    path = shop / "lake/dev/state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"fingerprint": backbone.open(shop).fingerprint}))

    assert found(shop)["state cache"] == "it says that all is up to date, and exploitation.totals isn't"


def test_while_a_run_is_under_way_its_files_are_not_judged(shop):
    from backbone.lake.lock import locked

    shutil.copy(data_file(shop, "trusted.orders"), shop / "lake/dev/tables/trusted/orders/staged.parquet")
    with locked(shop / "lake/dev/run.lock"):
        checks = {check.name: check for check in backbone.open(shop).doctor()}

    assert checks["orphans"].ok
    assert f"process {os.getpid()} is running" in checks["runs"].detail


def test_a_full_look_says_what_it_looks_at(shop):
    seen: list[str] = []

    backbone.open(shop).doctor(on_event=lambda event: seen.append(event.text))

    assert "landed file orders-1.csv" in seen
    assert any(text.startswith("data file trusted/orders/") for text in seen)


def test_what_goes_wrong_while_a_file_is_put_back_is_told_as_it_is(shop):
    zone = backbone.open(shop).environment.landing
    (file, *_) = zone.registry.files()

    def put_back() -> None:
        with source_of_copy(file, zone) as source:
            assert source is not None
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        put_back()
