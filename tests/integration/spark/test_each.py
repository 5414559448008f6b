"""Work in Spark's tasks: what its tries may do wrong, and what comes of it."""

import os
import pickle
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.spark import each as each_module
from backbone.engine.spark.attempts import OPEN, Job, try_each
from backbone.engine.spark.each import SparkEach
from backbone.errors import DatasetError, EngineError
from backbone.model.steps import Failure

pytestmark = pytest.mark.spark

MEMORY = 1 << 30


@pytest.fixture
def session():
    engine = DuckDBEngine()
    with engine.session() as session:
        yield session
    engine.close()


@pytest.fixture
def each(spark, session):
    """Work on items in Spark's tasks: a list of results."""
    return lambda work, items, folder: list(SparkEach(lambda: spark, MEMORY)(session, work, items, folder))


def test_results_come_in_the_order_of_items_from_other_processes(each, tmp_path: Path) -> None:
    def work(_session, item, folder):
        (folder / "made").touch()
        return item * 2, os.getpid(), folder

    results = each(work, list(range(7)), tmp_path / "work")

    assert [doubled for doubled, _, _ in results] == [0, 2, 4, 6, 8, 10, 12]
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert len({folder for _, _, folder in results}) == 7
    assert all((folder / "made").exists() and folder.parent == tmp_path / "work" for _, _, folder in results)


def test_one_thing_alone_is_done_here_and_starts_no_spark(session, tmp_path: Path) -> None:
    each = SparkEach(lambda: pytest.fail("Spark was started"), MEMORY)

    assert list(each(session, lambda _session, item, _folder: (item, os.getpid()), ["a"], tmp_path)) == [
        ("a", os.getpid())
    ]


def test_tries_side_by_side_share_memory_and_have_a_tasks_threads(each, tmp_path: Path) -> None:
    def work(session, _item, _folder):
        return session.rows("SELECT current_setting('memory_limit'), current_setting('threads')")[0]

    assert each(work, [1, 2], tmp_path / "work") == [("512.0 MiB", 1), ("512.0 MiB", 1)]


def test_an_error_that_is_explained_comes_as_it_was_and_the_first_in_order_counts(each, tmp_path: Path) -> None:
    def work(_session, item, folder):
        (folder / "half").touch()
        time.sleep(0.5 if item == 1 else 0)
        if item:
            raise DatasetError(Failure("formatted.s", f"landed file {item} is odd", hint="look at it"))
        return item

    with pytest.raises(DatasetError, match="landed file 1 is odd") as raised:
        each(work, [0, 1, 2], tmp_path / "work")

    assert raised.value.failure == Failure("formatted.s", "landed file 1 is odd", hint="look at it")
    assert len(list((tmp_path / "work").glob("*/half"))) == 1


def test_a_try_that_is_killed_is_tried_again_and_only_the_second_counts(each, tmp_path: Path) -> None:
    def work(_session, item, folder):
        (folder / "rows").write_text(str(item))
        try:
            (tmp_path / f"tried-{item}").touch(exist_ok=False)
        except FileExistsError:
            return folder / "rows"
        if item == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return folder / "rows"

    paths = each(work, [0, 1, 2], tmp_path / "work")

    assert [path.read_text() for path in paths] == ["0", "1", "2"]
    left = set((tmp_path / "work").glob("*/rows")) - set(paths)
    assert [path.read_text() for path in left] == ["1"]


def test_a_try_that_is_done_twice_has_two_folders_of_which_one_is_told(tmp_path: Path) -> None:
    def work(_session, item, folder):
        (folder / "rows").write_text(item)
        return folder / "rows"

    job = Job(work, (pickle.dumps("a"),), tmp_path, MEMORY)
    (tmp_path / OPEN).touch()
    number = pa.RecordBatch.from_arrays([pa.array([0])], names=["id"])

    told = [pickle.loads(batch.column(1)[0].as_py()) for _ in range(2) for batch in try_each(job, [number])]

    assert [succeeded for succeeded, _ in told] == [True, True]
    assert told[0][1] != told[1][1]
    assert [path.read_text() for _, path in told] == ["a", "a"]


def test_what_fails_on_every_try_says_why_and_leaves_nothing(each, tmp_path: Path) -> None:
    def work(_session, item, folder):
        (folder / "half").touch()
        if item:
            raise OSError(28, "No space left on device", str(folder))
        return item

    with pytest.raises(EngineError, match="no space left"):
        each(work, [0, 1], tmp_path / "work")

    assert len(list((tmp_path / "work").glob("*/half"))) <= 1


def test_what_is_a_defect_is_told_with_its_last_line(each, tmp_path: Path) -> None:
    def work(_session, item, _folder):
        return 1 // item

    with pytest.raises(EngineError, match=r"Spark gave up: ZeroDivisionError: integer division"):
        each(work, [0, 1], tmp_path / "work")


def test_a_try_that_nobody_waits_for_any_more_leaves_nothing(each, tmp_path: Path) -> None:
    lake = tmp_path / "lake"

    def work(_session, item, folder):
        shutil.rmtree(lake / "work")  # as the next run does, once the driver has died
        folder.mkdir(parents=True)
        (folder / "late").touch()
        return item

    lake.mkdir()
    with pytest.raises(EngineError):
        each(work, [0, 1], lake / "work")

    assert not list(lake.rglob("*"))


def test_workers_that_do_not_see_the_storage_say_so(each, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(each_module, "OPEN", "elsewhere")

    with pytest.raises(EngineError, match=r"don't see .*work: all machines must reach the project's storage"):
        each(lambda _session, item, _folder: item, [0, 1], tmp_path / "work")


def test_workers_with_another_backbone_say_so(each, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(each_module, "Job", partial(each_module.Job, version="0.0.1"))

    with pytest.raises(EngineError, match=r"have Backbone .*, and it is 0\.0\.1 that runs"):
        each(lambda _session, item, _folder: item, [0, 1], tmp_path / "work")


def test_workers_without_backbone_say_so(each, spark, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'backbone':\n"
        '            raise ModuleNotFoundError(f"No module named {name!r}")\n'
        "sys.meta_path.insert(0, Missing())\n"
    )
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nPYTHONPATH="{tmp_path}:$PYTHONPATH" exec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    monkeypatch.setattr(spark.sparkContext, "pythonExec", str(other))

    with pytest.raises(EngineError, match="workers have no Backbone in their Python"):
        each(lambda _session, item, _folder: item, [0, 1], tmp_path / "work")
