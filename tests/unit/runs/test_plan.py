from datetime import UTC, datetime
from pathlib import Path

from backbone.model.files import LandedFile
from backbone.model.project import Source, Trusted, View
from backbone.model.relations import Relation
from backbone.model.steps import Derive, Drop, Format, Published, Step, Trust, Version
from backbone.runs.plan import make_plan

FORMAT = Step(("formatted.a",), (), Format(Source("a")), {"template": "t1"}, increments=True)
TRUST = Step(("trusted.a",), ("formatted.a",), Trust(Trusted("a")), {"rule trim": "r1", "versions": "v"}, True)
VIEW = Step(("exploitation.b",), ("trusted.a",), Derive(View("b", ("trusted.a",))), {"query": "q1"})
OTHER = Step(("exploitation.c",), ("exploitation.b",), Derive(View("c", ("exploitation.b",))), {"query": "q2"})
STEPS = (OTHER, VIEW, TRUST, FORMAT)


def file(number: int) -> LandedFile:
    moment = datetime(2026, 1, number, tzinfo=UTC)
    return LandedFile(number, "a", f"day{number}.csv", Path(f"day{number}.csv"), "", 1, "", moment)


def publish(step: Step, snapshot: int = 1, *, until: int = 0, **inputs: int) -> Published:
    seen = {name: Version(1, inputs.get(name.split(".")[0], snapshot)) for name in step.inputs}
    return Published(step.dataset, step.definition, Version(1, snapshot), seen, Relation(()), until)


def everything(**more) -> dict[str, Published]:
    return {s.dataset: publish(s, until=1 if s is FORMAT else 0) for s in STEPS} | more


def decisions(plan) -> dict[str, tuple]:
    return {one.step.dataset: (one.action, one.how, *one.reasons) for one in plan.steps}


def test_a_new_project_makes_everything_inputs_first():
    plan = make_plan(STEPS, {}, {"a": [file(1)]})

    assert [one.step.dataset for one in plan.runs] == [
        "formatted.a", "trusted.a", "exploitation.b", "exploitation.c",
    ]  # fmt: skip
    assert {one.reasons for one in plan.runs} == {("new",)}


def test_nothing_landed_yet_makes_nothing():
    plan = make_plan(STEPS, {}, {})

    assert plan.runs == ()
    assert decisions(plan)["formatted.a"] == ("skip", "full", "nothing has landed yet")
    assert decisions(plan)["trusted.a"] == ("skip", "full", "formatted.a is not there yet")


def test_unchanged_is_skipped():
    plan = make_plan(STEPS, everything(), {"a": [file(1)]})

    assert set(decisions(plan).values()) == {("skip", "incremental", "unchanged")}


def test_a_new_file_flows_through_incrementally():
    plan = make_plan(STEPS, everything(), {"a": [file(1), file(2)]})

    assert decisions(plan) == {
        "formatted.a": ("run", "incremental", "new landed file day2.csv (2 of 2)"),
        "trusted.a": ("run", "incremental", "formatted.a changes"),
        "exploitation.b": ("run", "full", "trusted.a changes"),
        "exploitation.c": ("run", "full", "exploitation.b changes"),
    }
    assert plan.steps[0].files == (file(2),)


def test_a_changed_rule_rebuilds_what_depends_on_it_and_says_why():
    changed = Step(TRUST.outputs, TRUST.inputs, TRUST.work, {"rule trim": "r2", "versions": "v"}, True)

    plan = make_plan((FORMAT, changed, VIEW, OTHER), everything(), {"a": [file(1)]})

    assert decisions(plan)["formatted.a"] == ("skip", "incremental", "unchanged")
    assert decisions(plan)["trusted.a"] == ("run", "full", "rule trim changed: all rows")
    assert decisions(plan)["exploitation.b"] == ("run", "full", "trusted.a changes")


def test_what_an_earlier_run_missed_is_caught_up():
    published = everything(**{"trusted.a": publish(TRUST, 5, formatted=1)})

    plan = make_plan(STEPS, published, {"a": [file(1)]})

    assert decisions(plan)["trusted.a"][0] == "skip"
    assert decisions(plan)["exploitation.b"] == ("run", "full", "trusted.a changed")


def test_what_no_step_makes_is_dropped_and_says_why():
    gone = Step(("exploitation.b__clusters",), (), VIEW.work, {})
    published = everything(**{gone.dataset: publish(gone)})

    plan = make_plan((FORMAT, TRUST, VIEW), published, {"a": [file(1)]})

    assert plan.drops == (
        Drop("exploitation.c", "its file is gone"),
        Drop("exploitation.b__clusters", "its file says so no longer"),
    )


def test_a_selection_or_another_project_s_dataset_drops_nothing():
    assert make_plan((FORMAT,), everything(), {}, chosen=frozenset({"formatted.a"})).drops == ()
    assert make_plan((FORMAT,), everything(), {}, foreign=set(everything())).drops == ()
