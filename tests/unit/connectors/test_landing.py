import hashlib
import os
import time
from pathlib import Path

import pytest

from backbone.connectors.landing import LandingZone


@pytest.fixture
def zone(tmp_path: Path) -> LandingZone:
    (tmp_path / "data").mkdir()
    return LandingZone(tmp_path / "lake" / "landing", tmp_path)


def write(path: Path, text: str, *, age: float = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def land_all(zone: LandingZone, source: str, *origins: str) -> list:
    return [zone.land(arrival) for arrival in zone.arrivals(source, origins)]


def test_files_land_in_the_natural_order_of_their_names(zone, tmp_path):
    for name in ("day10.csv", "day2.csv", "day1.csv"):
        write(tmp_path / "data" / name, name)

    landed = land_all(zone, "days", "data/*.csv")

    assert [one.file.name for one in landed] == ["day1.csv", "day2.csv", "day10.csv"]
    assert [one.file.id for one in landed] == [1, 2, 3]


def test_a_landed_file_is_a_read_only_copy_and_its_original_stays(zone, tmp_path):
    origin = write(tmp_path / "data" / "a.csv", "x\n1\n")

    (landed,) = land_all(zone, "a", "data/a.csv")

    assert landed.file.path.read_text() == "x\n1\n"
    assert landed.file.path.stat().st_mode & 0o222 == 0
    assert origin.exists()
    assert landed.file.sha256 == hashlib.sha256(b"x\n1\n").hexdigest()


def test_what_has_landed_does_not_land_again(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "x\n1\n")
    land_all(zone, "a", "data/a.csv")

    assert zone.arrivals("a", ["data/a.csv"]) == ()


def test_a_changed_file_lands_as_a_new_version(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "x\n1\n")
    land_all(zone, "a", "data/a.csv")
    write(tmp_path / "data" / "a.csv", "x\n1\n2\n", age=5)

    (landed,) = land_all(zone, "a", "data/a.csv")

    assert (landed.file.id, landed.repeat) == (2, False)
    assert [f.path.read_text() for f in zone.registry.files("a")] == ["x\n1\n", "x\n1\n2\n"]


def test_the_same_content_twice_is_one_file_and_two_arrivals(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "x\n1\n")
    write(tmp_path / "data" / "b.csv", "x\n1\n")

    first, second = land_all(zone, "a", "data/*.csv")

    assert (first.repeat, second.repeat) == (False, True)
    assert len(zone.registry.files("a")) == 1
    assert set(zone.registry.seen("a")) == {str(tmp_path / "data" / "a.csv"), str(tmp_path / "data" / "b.csv")}


def test_a_dropped_file_is_moved(zone):
    dropped = write(zone.drop_folder("a") / "a.csv", "x\n1\n")

    (landed,) = land_all(zone, "a")

    assert not dropped.exists()
    assert landed.file.path.read_text() == "x\n1\n"


def test_a_drop_whose_original_survived_a_kill_is_not_a_second_arrival(zone):
    dropped = write(zone.drop_folder("a") / "a.csv", "x\n1\n")
    stamp = dropped.stat().st_mtime
    land_all(zone, "a")
    write(dropped, "x\n1\n")
    os.utime(dropped, (stamp, stamp))

    (again,) = land_all(zone, "a")

    assert again.repeat
    assert not dropped.exists()
    assert len(zone.registry.files("a")) == 1


def test_two_sources_may_have_files_of_one_name(zone):
    write(zone.drop_folder("a") / "data.csv", "x\n1\n")
    write(zone.drop_folder("b") / "data.csv", "x\n1\n")

    (one,), (other,) = land_all(zone, "a"), land_all(zone, "b")

    assert one.file.path != other.file.path
    assert (one.repeat, other.repeat) == (False, False)


@pytest.mark.parametrize("name", [".a.csv", "a.csv.part", "a.csv.tmp", "~a.csv", "a.csv~", "a.csv.crdownload"])
def test_names_of_unfinished_files_are_left_alone(zone, name):
    write(zone.drop_folder("a") / name, "x\n")

    assert zone.arrivals("a", []) == ()


def test_a_file_that_is_still_growing_is_left_alone(zone, tmp_path):
    path = write(tmp_path / "data" / "a.csv", "x\n1\n")
    (arrival,) = zone.arrivals("a", ["data/a.csv"])
    with path.open("a") as file:
        file.write("2\n")

    assert zone.land(arrival) is None
    assert zone.registry.files() == ()
    assert list((tmp_path / "lake" / "landing").glob("persistent/*/*")) == []


def test_a_file_that_went_away_is_no_error(zone, tmp_path):
    path = write(tmp_path / "data" / "a.csv", "x\n1\n")
    (arrival,) = zone.arrivals("a", ["data/a.csv"])
    path.unlink()

    assert zone.land(arrival) is None


def test_copies_that_a_killed_landing_left_are_swept(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "x\n1\n")
    (landed,) = land_all(zone, "a", "data/a.csv")
    left = write(tmp_path / "lake/landing/persistent/a/20200101T000000.000000Z/.part", "x")

    zone.sweep()

    assert not left.parent.exists()
    assert landed.file.path.exists()
