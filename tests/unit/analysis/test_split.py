from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.analysis.sides import set_sql
from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import DatasetError
from backbone.model.names import literal
from backbone.model.project import Analysis, Split
from backbone.model.relations import Attribute, Relation

if TYPE_CHECKING:
    from conftest import Lab

ROWS = Relation((Attribute("id", "integer"), Attribute("grp", "text"), Attribute("day", "date")))
ENGINE = DuckDBEngine()


def sides(
    rows: list[tuple[int, str | None, int]], split: Split, seed: int = 0
) -> dict[str, list[tuple[int, str | None]]]:
    analysis = Analysis("s", "regression", "", "", (), ("id",), (), "", "", target="t", split=split, seed=seed)
    with ENGINE.session() as session:
        values = ", ".join(
            f"({i}, {'NULL' if g is None else literal(g)}, DATE '2020-01-01' + {d}, 1.0)" for i, g, d in rows
        )
        session.execute("CREATE SCHEMA analysis")
        session.execute(f"CREATE TABLE analysis.s__view AS FROM (VALUES {values}) AS v(id, grp, day, target)")
        return {
            name: sorted(r[:2] for r in session.rows(set_sql(analysis, ROWS, name))) for name in ("train", "validate")
        }


people = st.lists(
    st.tuples(st.integers(0, 10**6), st.one_of(st.none(), st.sampled_from("abcdefgh")), st.integers(0, 60)),
    min_size=1, max_size=40, unique_by=lambda row: row[0],
)  # fmt: skip
shares = st.floats(0.05, 0.95)


@settings(max_examples=25, deadline=None)
@given(rows=people, validate=shares, seed=st.integers(0, 5))
def test_no_group_is_on_both_sides_and_no_row_is_lost(rows: list, validate: float, seed: int) -> None:
    found = sides(rows, Split("by_group", "grp", validate=validate), seed)
    assert not {g for _, g in found["train"]} & {g for _, g in found["validate"]}
    assert sorted(i for side in found.values() for i, _ in side) == sorted(i for i, *_ in rows)


@settings(max_examples=25, deadline=None)
@given(rows=people, more=people, validate=shares, kind=st.sampled_from(["by_group", "at_random"]))
def test_new_rows_move_nobody(rows: list, more: list, validate: float, kind: str) -> None:
    split = Split(kind, "grp" if kind == "by_group" else None, validate=validate)  # type: ignore[arg-type]
    known = {i for i, *_ in rows}
    before, after = sides(rows, split), sides(rows + [m for m in more if m[0] not in known], split)
    assert {name: {i for i, _ in side} for name, side in before.items()} == {
        name: {i for i, _ in side} & known for name, side in after.items()
    }


@settings(max_examples=25, deadline=None)
@given(rows=people, gap=st.integers(0, 20))
def test_every_validated_time_is_after_the_gap(rows: list, gap: int) -> None:
    found = sides(rows, Split("by_time", "day", train_until="2020-01-31", gap=f"{gap} days"))
    day = {i: d for i, _, d in rows}
    assert all(day[i] <= 30 for i, _ in found["train"])
    assert all(day[i] >= 31 + gap for i, _ in found["validate"])


def test_a_stratum_gives_its_exact_share() -> None:
    rows = [(i, "a" if i < 20 else "b", 0) for i in range(60)]
    found = sides(rows, Split("at_random", validate=0.25, stratify="grp"))
    assert [[g for _, g in found["validate"]].count(x) for x in "ab"] == [5, 10]


def test_training_ends_with_the_day(lab: "Lab", churn: Analysis) -> None:
    staged = lab.run(churn, "view", "split")["analysis.churn__train"]
    assert lab.rows("SELECT max(seen_at)::VARCHAR FROM analysis.churn__train") == [("2020-01-28 23:00:00",)]
    assert lab.rows("SELECT min(seen_at)::VARCHAR FROM analysis.churn__validate") == [("2020-01-29 00:00:00",)]
    assert staged.note == "672 rows to train, 228 to validate"


def test_rows_without_a_target_are_in_neither_set_and_counted(lab: "Lab", churn: Analysis) -> None:
    some = replace(churn, target="CASE WHEN id % 2 = 0 THEN left_us END")
    note = lab.run(some, "view", "split")["analysis.churn__train"].note
    assert note == "336 rows to train, 114 to validate, 450 without a target"


def test_a_repeating_text_is_warned_about(lab: "Lab", at_random: Analysis) -> None:
    findings = lab.run(at_random, "view", "split")["analysis.churn__train"].findings
    assert [(f.level, f.rule.name) for f in findings] == [("warned", "at_random(person)")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entity": "person"}, "split at_random: person has several rows (900 rows, 90 values)"),
        ({"view": "SELECT *, value AS v2 FROM exploitation.visits", "features": ("v2",), "target": "value > 5"},
         "feature v2 is computed from value, as the target is"),
        ({"view": "SELECT *, value / 60 AS v2 FROM exploitation.visits", "features": ("v2",), "target": "value > 5"},
         "feature v2 is computed from value, as the target is"),
        ({"features": ("spent", "value"), "target": "value > 5"}, "target 'value > 5' is computed from feature value"),
        ({"view": "SELECT *, 1 - left_us::INT AS kept FROM exploitation.visits", "features": ("kept",),
          "target": "(SELECT left_us)"}, "leakage: feature kept "),
        ({"view": "SELECT id % 450 AS n, * EXCLUDE (id, seen_at, spent, value, person, channel, member, left_us), id, "
                  "id % 2 = 0 AS left_us FROM exploitation.visits", "features": ("n",), "fairness": ()},
         "validation rows equal a training row in every column but the key"),
        ({"split": Split("by_time", "seen_at", train_until="1999-01-01")}, "split: there are no rows to train"),
        ({"split": Split("by_time", "seen_at", train_until="2999-01-01")}, "split: there are no rows to validate"),
        ({"target": "value", "features": ("spent",)}, "and not true and false"),
        ({"target": "value > 100"}, "target is False in every row"),
        ({"view": "SELECT *, seen_at + INTERVAL 20 DAY AS paid_at FROM exploitation.visits", "features": ("paid_at",),
          "split": Split("by_time", "seen_at", train_until="2020-01-28")}, "feature paid_at is after the split in 480"),
    ],
)  # fmt: skip
def test_leaks_and_useless_sets_are_errors(
    lab: "Lab", at_random: Analysis, change: dict[str, object], message: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        lab.run(replace(at_random, **change), "view", "split")  # type: ignore[arg-type]
    assert message in caught.value.failure.message


def test_a_feature_may_look_at_earlier_rows_of_the_target(lab: "Lab", churn: Analysis) -> None:
    view = "SELECT *, lag(left_us) OVER (ORDER BY seen_at) AS before FROM exploitation.visits"
    lab.run(replace(churn, view=view, features=("before", "spent")), "view", "split")


def test_equal_features_are_normal_in_time(lab: "Lab", churn: Analysis) -> None:
    findings = lab.run(replace(churn, features=("channel", "member")), "view", "split")[
        "analysis.churn__train"
    ].findings
    assert [f.rule.name for f in findings] == ["leakage(equal features)"]
