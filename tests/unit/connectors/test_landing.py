import hashlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backbone.connectors.landing import LandingZone
from backbone.errors import LakeError, OriginError


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
    assert set(zone.registry.seen("a")) == {"data/a.csv", "data/b.csv"}


def test_a_content_that_comes_back_after_another_is_a_new_version_of_the_same_bytes(zone, tmp_path):
    for text, age in (("old\n", 30), ("new\n", 20), ("old\n", 10)):
        write(tmp_path / "data" / "a.csv", text, age=age)
        (landed,) = land_all(zone, "a", "data/a.csv")

    files = zone.registry.files("a")
    assert [f.path.read_text() for f in files] == ["old\n", "new\n", "old\n"]
    assert (landed.repeat, landed.file.id, files[2].path) == (False, 3, files[0].path)


def test_a_content_that_comes_back_under_another_name_is_a_new_version_unless_the_file_was_moved(zone, tmp_path):
    write(tmp_path / "data" / "day1.csv", "on\n", age=30)
    write(tmp_path / "data" / "day2.csv", "off\n", age=20)
    land_all(zone, "a", "data/*.csv")
    write(tmp_path / "data" / "day3.csv", "on\n", age=10)
    (delivered,) = land_all(zone, "a", "data/*.csv")
    (tmp_path / "data" / "day2.csv").rename(tmp_path / "data" / "old.csv")
    (moved,) = land_all(zone, "a", "data/*.csv")

    assert (delivered.repeat, moved.repeat) == (False, True)
    assert [f.path.read_text() for f in zone.registry.files("a")] == ["on\n", "off\n", "on\n"]


def test_a_touched_file_says_nothing_new_and_is_an_arrival(zone, tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "data" / f"{name}.csv", name)
    land_all(zone, "a", "data/*.csv")
    write(tmp_path / "data" / "a.csv", "a", age=5)
    (arrival,) = zone.arrivals("a", ["data/*.csv"])

    assert not zone.says_something_new(arrival)
    assert zone.land(arrival).repeat
    assert len(zone.registry.files("a")) == 2
    assert zone.arrivals("a", ["data/*.csv"]) == ()


def test_a_changed_file_of_the_same_size_says_something_new(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "a")
    land_all(zone, "a", "data/*.csv")
    write(tmp_path / "data" / "a.csv", "b", age=5)

    (arrival,) = zone.arrivals("a", ["data/*.csv"])

    assert zone.says_something_new(arrival)


def test_arrival_times_never_go_back_when_the_clock_does(zone, tmp_path, monkeypatch):
    write(tmp_path / "data" / "a.csv", "a")
    with monkeypatch.context() as ahead:
        ahead.setattr("backbone.connectors.registry.datetime", _Ahead)
        land_all(zone, "a", "data/*.csv")
    write(tmp_path / "data" / "b.csv", "b")
    land_all(zone, "a", "data/*.csv")

    first, second = zone.registry.files("a")
    assert first.arrived_at.year == 2099
    assert second.arrived_at - first.arrived_at == timedelta(microseconds=1)


class _Ahead(datetime):
    """A clock that is decades ahead."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2099, 1, 1, tzinfo=tz)


def _problem(zone: LandingZone, *origins: str) -> str:
    (arrival,) = zone.arrivals("a", origins)
    with pytest.raises(OriginError) as raised:
        zone.land(arrival)
    assert list((zone.persistent).glob("*/*")) == []
    return str(raised.value)


def test_a_folder_in_place_of_a_file_is_refused(zone):
    assert "data can't be landed: it is a folder" in _problem(zone, "data")


def test_a_broken_link_is_refused(zone, tmp_path):
    (tmp_path / "data" / "a.csv").symlink_to("gone.csv")

    assert _problem(zone, "data/*.csv") == "data/a.csv can't be landed: it is a link to gone.csv, which isn't there"


def test_a_link_to_itself_is_refused(zone, tmp_path):
    (tmp_path / "data" / "a.csv").symlink_to("a.csv")

    assert "data/a.csv can't be landed: Too many levels of symbolic links" in _problem(zone, "data/*.csv")


def test_a_pipe_is_refused_and_not_waited_for(zone, tmp_path):
    os.mkfifo(tmp_path / "data" / "a.csv")

    assert "it is no regular file" in _problem(zone, "data/*.csv")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that can't be read at its beginning")
def test_an_input_error_while_reading_is_told(zone, tmp_path):
    (tmp_path / "data" / "a.csv").symlink_to("/proc/self/mem")

    assert _problem(zone, "data/*.csv") == "data/a.csv can't be read: Input/output error"


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Go on as a user whom permissions concern: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    within = Path(tempfile.gettempdir())
    for path in (folder, *(parent for parent in folder.parents if within in parent.parents)):
        path.chmod(0o777)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_permission_is_refused(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "x").chmod(0)

    with as_nobody(tmp_path):
        assert _problem(zone, "data/*.csv") == "data/a.csv can't be read: Permission denied"


@pytest.mark.parametrize("origin", ["data/*.csv", "data/a.csv"])
def test_a_folder_without_permission_is_refused(zone, tmp_path, origin):
    write(tmp_path / "data" / "a.csv", "x")
    (tmp_path / "data").chmod(0)

    with as_nobody(tmp_path):
        assert _problem(zone, origin) == "data can't be landed: Permission denied"
    (tmp_path / "data").chmod(0o777)


def test_a_registered_copy_that_a_kill_left_unnamed_is_named(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "x\n")
    (landed,) = land_all(zone, "a", "data/a.csv")
    landed.file.path.rename(landed.file.path.with_name(".part"))

    zone.sweep()

    assert landed.file.path.read_text() == "x\n"


def test_landed_files_that_the_registry_does_not_know_are_never_removed(zone, tmp_path):
    write(tmp_path / "data" / "a.csv", "x\n")
    (landed,) = land_all(zone, "a", "data/a.csv")
    zone.registry.store.path.unlink()

    with pytest.raises(LakeError, match="it was lost, or is an old copy"):
        zone.sweep()

    assert landed.file.path.exists()


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


FORMER = """
CREATE TABLE file (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, name TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL, size INTEGER NOT NULL, origin TEXT NOT NULL, arrived_at TEXT NOT NULL,
    UNIQUE (source, sha256));
INSERT INTO file SELECT * FROM present.file;
CREATE TABLE arrival (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file_id INTEGER NOT NULL REFERENCES file (id), source TEXT NOT NULL,
    origin TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, arrived_at TEXT NOT NULL);
INSERT INTO arrival SELECT * FROM present.arrival;
CREATE INDEX arrival_origin ON arrival (source, origin);
"""
"""A registry as it was made when each content could land only once."""


def test_a_registry_of_before_contents_could_come_back_is_renewed_with_all_that_it_knows(zone, tmp_path):
    for text, age in (("one\n", 30), ("two\n", 20)):
        write(tmp_path / "data" / "a.csv", text, age=age)
        land_all(zone, "a", "data/a.csv")
    known, present = zone.registry.files(), zone.registry.store.path.rename(tmp_path / "present.sqlite")
    with closing(sqlite3.connect(zone.registry.store.path)) as registry:
        registry.execute(f"ATTACH '{present}' AS present")
        registry.executescript(FORMER)
    write(tmp_path / "data" / "a.csv", "one\n", age=10)

    land_all(zone, "a", "data/a.csv")

    files = zone.registry.files("a")
    assert files[:2] == known
    assert [(file.id, file.path.read_text()) for file in files] == [(1, "one\n"), (2, "two\n"), (3, "one\n")]
    with closing(sqlite3.connect(zone.registry.store.path)) as registry:
        assert registry.execute("SELECT count(*) FROM arrival JOIN file ON file.id = file_id").fetchall() == [(3,)]
        assert registry.execute("PRAGMA foreign_key_check").fetchall() == []
