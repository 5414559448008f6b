"""Runs that kill themselves with -9 at a chosen call: the next run finishes the work, and nothing tells of the kill.

Each starts from the same project, before its first run or after one with a delivery more. Then the state is compared
with an undisturbed run's. Moments that nobody chose are in `test_faults.py`.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults_run import Point, kill_at, run_to_the_end
from faults_shop import (
    DELIVERIES,
    DROPPED,
    LATER,
    Content,
    arrivals,
    content,
    deliver,
    differences,
    landed_texts,
    leftovers,
    make_shop,
    unsound,
)

import backbone

STAGES = ("first", "later")

CHOSEN = [
    ("first", Point("connection opened")),
    ("first", Point("lake initialised", before=True)),
    ("later", Point("file renamed", before=True)),
    ("first", Point("landed file registered", 6)),  # the one from the drop folder
    ("later", Point("step audited", 4)),
    ("first", Point("dataset replaced", 4)),
    ("later", Point("dataset changed", 2)),
    ("first", Point("published")),
    ("later", Point("journal closed", before=True)),
    ("first", Point("file renamed", 9)),  # a formatted file, moved among the tables
    ("first", Point("file renamed", 15, before=True)),  # the state's
]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What each stage begins from, and comes to without a kill."""

    root: Path
    starts: dict[str, Path]
    contents: dict[str, Content]

    def begin(self, stage: str) -> Path:
        """The project as the stage begins, always at the same place, since origins are absolute."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.starts[stage], self.root)
        return self.root


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    folder = tmp_path_factory.mktemp("undisturbed")
    root = folder / "shop"
    found = Undisturbed(root, {}, {})
    make_shop(root)
    for stage in STAGES:
        if stage == "later":
            deliver(root, LATER)
        found.starts[stage] = folder / stage
        shutil.copytree(root, found.starts[stage])
        assert run_to_the_end(root) == 0
        found.contents[stage] = content(root)
    return found


def _history(root: Path) -> list[str]:
    return [entry.status for entry in backbone.open(root).history()]


def _expect_finished(undisturbed: Undisturbed, stage: str, moment: str) -> None:
    """The next run finishes the work, and leaves what an undisturbed one does."""
    root = undisturbed.root
    before = _history(root)
    entries = list((root / "lake" / "dev" / "runs").glob("*"))

    code = run_to_the_end(root)

    assert code == 0, moment
    assert differences(content(root), undisturbed.contents[stage]) == [], moment
    assert leftovers(root) == [], moment
    expected = DELIVERIES | DROPPED | (LATER if stage == "later" else {})
    assert landed_texts(root) == dict.fromkeys(expected.items(), 1), moment
    assert arrivals(root) == len(expected), moment
    assert not list((root / "lake/landing/temporal/visits").iterdir()), moment
    assert unsound(backbone.open(root).doctor()) == [], moment
    history = _history(root)
    published = 1 if stage == "first" else 2
    assert history.count("published") == published, f"{moment}: {history}"
    committed = before.count("published") == published
    assert history.count("killed") == (1 if entries and not committed else 0), f"{moment}: {history}"
    assert backbone.open(root).run().status == "nothing", moment


def _die_at(undisturbed: Undisturbed, stage: str, point: Point) -> None:
    root = undisturbed.begin(stage)
    assert kill_at(root, point), f"a {stage} run never came to {point}"
    _expect_finished(undisturbed, stage, f"{stage} run killed {point}")


@pytest.mark.parametrize(("stage", "point"), CHOSEN, ids=str)
def test_a_run_killed_at_a_chosen_call_is_finished_by_the_next(undisturbed, stage, point):
    _die_at(undisturbed, stage, point)


@pytest.mark.parametrize(
    "point",
    [
        Point("swept"),
        Point("journal cleared", before=True),
        pytest.param(Point("dead runs found"), marks=pytest.mark.long),
        pytest.param(Point("rows inserted"), marks=pytest.mark.long),
    ],
    ids=str,
)
def test_a_recovery_that_is_killed_is_finished_by_the_next(undisturbed, point):
    root = undisturbed.begin("later")
    assert kill_at(root, Point("rows written", 3))

    assert kill_at(root, point), f"no recovery came to {point}"

    assert run_to_the_end(root) == 0
    assert differences(content(root), undisturbed.contents["later"]) == []
    assert leftovers(root) == []
    assert _history(root) == ["published", "killed", "published"]


def test_the_history_tells_of_a_killed_run_before_and_after_the_next_records_it(undisturbed):
    root = undisturbed.begin("first")
    assert kill_at(root, Point("rows written"))

    (entry,) = backbone.open(root).history()
    assert entry.status == "killed"
    assert "backbone run" in entry.message
    assert kill_at(root, Point("rows written"))
    assert [one.status for one in backbone.open(root).history()] == ["killed", "killed"]
    assert backbone.open(root).history()[1].run == entry.run
    assert run_to_the_end(root) == 0
    assert _history(root) == ["published", "killed", "killed"]


def test_the_history_tells_of_a_run_that_is_under_way(undisturbed):
    root = undisturbed.begin("first")
    seen = []

    backbone.open(root).run(on_event=lambda _: seen.extend(backbone.open(root).history()))

    assert {entry.status for entry in seen} == {"running"}
    assert len({entry.run for entry in seen}) == 1


def test_runs_killed_one_after_the_other_leave_one_trace_each(undisturbed):
    root = undisturbed.begin("later")

    for nth in (2, 4, 6):
        assert kill_at(root, Point("rows written", nth))

    assert run_to_the_end(root) == 0
    assert differences(content(root), undisturbed.contents["later"]) == []
    assert leftovers(root) == []
    assert sorted(_history(root)) == ["killed"] * 3 + ["published"] * 2
