"""What a lake's books do, wherever they are kept."""

import multiprocessing
import os
import signal
import threading
from datetime import UTC, datetime

import pytest

from backbone.errors import LakeError
from backbone.lake.books import postgres

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def books(site):
    site.folder.mkdir()
    site.books.prepare()
    return site.books


def entry_of(run):
    return {"run": run, "started_at": datetime.now(UTC).isoformat(), "project": "shop"}


def in_another_process(work):
    """Start work in a process of its own, and come back when it has called `ready`; killed with `kill`."""
    begun, end = FORK.Event(), FORK.Event()
    process = FORK.Process(target=work, args=(begun.set, end.wait), daemon=True)
    process.start()
    assert begun.wait(60)
    return process, end


def test_before_anything_has_run_there_is_nothing(site):
    assert site.books.last_snapshot() is None
    assert not site.books.has_ended()
    assert site.books.entries() == []
    assert site.books.holders() == []
    assert site.books.noted("unneeded") == {}


def test_an_entry_is_there_while_its_run_lives_and_goes_when_it_has_been_recorded(books):
    with books.entering("r1", entry_of("r1")):
        assert [entry["run"] for entry, _ in books.entries()] == ["r1"]

    assert books.entries() == []


def test_a_run_counts_as_living_until_its_entry_is_gone(books, monkeypatch):
    forget, seen = type(books).forget, []

    def forget_and_look(self, runs):
        seen.append(self.has_ended())
        with self.ended() as found:
            seen.append(found)
        forget(self, runs)

    if books.shared:  # in a folder one who looks waits for the run lock
        monkeypatch.setattr(type(books), "forget", forget_and_look)
        with books.entering("r1", entry_of("r1")):
            pass
        assert seen == [False, []]
    assert not books.has_ended()


def test_an_entry_that_goes_while_another_looks_for_it_is_not_dealt_with(books, monkeypatch):
    if not books.shared:  # in a folder one who looks waits for the run lock
        return
    with pytest.raises(ZeroDivisionError), books.entering("r1", entry_of("r1")):
        raise ZeroDivisionError
    locked = postgres.try_lock

    def forget_and_lock(*arguments):
        books.forget(["r1"])
        return locked(*arguments)

    monkeypatch.setattr(postgres, "try_lock", forget_and_lock)
    with books.ended() as found:
        assert found == []


def test_an_entry_of_a_run_that_failed_says_why_and_is_found(books):
    def fail():
        with books.writing(None), books.entering("r1", entry_of("r1")):
            books.note_failure("r1", "no space")
            with books.ended(["r1"]) as found:
                assert [(entry["run"], entry["failed"]) for entry in found] == [("r1", "no space")]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert books.has_ended()
    with books.ended() as found:
        assert [entry["run"] for entry in found] == ["r1"]
        books.forget(["r1"])
    assert not books.has_ended()


def test_an_entry_of_a_killed_run_is_found_by_one_of_those_who_look(books):
    def run(ready, wait):
        with books.writing(["trusted.a"]), books.entering("r1", entry_of("r1")):
            ready()
            wait()

    process, _ = in_another_process(run)
    ((_, lives),) = books.entries()
    assert lives
    process.kill()
    process.join()

    with books.writing(None), books.ended() as found, books.ended() as by_another:
        assert [entry["run"] for entry in found] == ["r1"]
        if books.shared:
            assert by_another == []
        books.forget(["r1"])
    assert books.entries() == []


def test_whoever_writes_everything_is_alone(books):
    def write(ready, wait):
        with books.writing(None):
            ready()
            wait()

    process, end = in_another_process(write)
    who = books.writer()
    assert str(process.pid) in who
    for datasets in (None, ["trusted.a"]):
        with pytest.raises(LakeError, match=f"Another run is under way, {who}, and you asked not to wait"):
            books.writing(datasets, wait=False).__enter__()

    said = []
    waiting = threading.Thread(target=lambda: books.writing(None, on_wait=said.append).__enter__())
    waiting.start()
    while not said:
        waiting.join(0.05)
    end.set()
    waiting.join(30)
    process.join()

    assert said == [who]
    assert not waiting.is_alive()


def test_those_who_write_different_datasets_are_side_by_side_where_that_is_possible(books):
    def write(ready, wait):
        with books.writing(["trusted.a", "trusted.b"]):
            ready()
            wait()

    process, end = in_another_process(write)

    if books.shared:
        with books.writing(["trusted.c"], wait=False):
            pass
    with pytest.raises(LakeError, match="Another run is under way"):
        books.writing(["trusted.b"], wait=False).__enter__()
    end.set()
    process.join()
    with books.writing(["trusted.b"], wait=False):
        pass


def test_locks_go_with_their_holder(books):
    def write(ready, wait):
        with books.writing(None), books.publishing():
            ready()
            wait()

    process, _ = in_another_process(write)
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    with books.writing(None), books.publishing() as hold:
        hold.check()


def test_what_is_noted_is_noted(books):
    assert books.noted("unneeded") == {}
    books.note("unneeded", {"a.parquet": 3})
    books.note("unneeded", {"b.parquet": 4})
    assert books.noted("unneeded") == {"b.parquet": 4}
