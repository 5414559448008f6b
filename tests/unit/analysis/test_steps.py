from dataclasses import replace
from pathlib import Path

import pytest

from backbone.analysis.steps import analysis_steps, normal_sql
from backbone.errors import ProjectError
from backbone.model.project import Analysis, Engine, Project, Split


def steps_of(analysis: Analysis) -> dict[str, dict[str, str]]:
    return {s.dataset: dict(s.definition) for s in analysis_steps(Project(Path("/p"), "p", analyses=(analysis,)))}


def test_a_prediction_is_view_sets_model_and_predictions(churn: Analysis) -> None:
    asked = replace(churn, predict="SELECT * FROM view", predict_inputs=("exploitation.visits",))
    steps = analysis_steps(Project(Path("/p"), "p", analyses=(asked,)))
    assert [(s.outputs, s.inputs) for s in steps] == [
        (("analysis.churn__view",), ("exploitation.visits",)),
        (("analysis.churn__train", "analysis.churn__validate"), ("analysis.churn__view",)),
        (("analysis.churn",), ("analysis.churn__train", "analysis.churn__validate")),
        (
            ("exploitation.churn__predictions",),
            ("analysis.churn", "analysis.churn__view", "analysis.churn__train", "analysis.churn__validate",
             "exploitation.visits"),
        ),
    ]  # fmt: skip


def test_clusters_have_no_sets(churn: Analysis) -> None:
    clusters = replace(
        churn,
        kind="clustering",
        target=None,
        split=None,
        fairness=(),
        select_by="silhouette",
        gate=("stability > 0.5",),
    )
    assert list(steps_of(clusters)) == ["analysis.churn__view", "analysis.churn", "exploitation.churn__clusters"]


def test_a_changed_gate_changes_training_alone(churn: Analysis) -> None:
    before, after = steps_of(churn), steps_of(replace(churn, gate=("brier <= 0.2",)))
    changed = {(d, part) for d, parts in after.items() for part, digest in parts.items() if digest != before[d][part]}
    assert changed == {("analysis.churn", "gate")}


def test_a_comment_in_the_view_changes_nothing(churn: Analysis) -> None:
    assert steps_of(churn) == steps_of(replace(churn, view="SELECT *  -- all\nFROM /* these */ exploitation.visits"))


def test_blanks_and_dashes_in_a_literal_count() -> None:
    assert normal_sql("SELECT 'a  -- b',\n \"x  y\" -- c") == "SELECT 'a  -- b', \"x  y\""


def test_spark_ml_is_refused_where_it_cant_be(churn: Analysis) -> None:
    there = replace(churn, library="spark", features=("spent", "label"))
    on_duckdb, on_spark = (Project(Path("/p"), "p", engine=Engine(m), analyses=(there,)) for m in ("", "local[*]"))

    with pytest.raises(ProjectError) as refused:
        analysis_steps(on_duckdb)
    with pytest.raises(ProjectError) as taken:
        analysis_steps(on_spark)

    assert "candidates of Spark ML (pyspark.ml) are trained by Spark, and the engine is DuckDB" in str(refused.value)
    assert "Write `engine: spark` into backbone.yml" in str(refused.value)
    assert [p.message for p in taken.value.problems] == [
        "churn: feature label is called as a column that Spark ML makes. Give it another name in the view."
    ]
    assert [s.dataset for s in analysis_steps(replace(on_spark, analyses=(replace(there, features=("spent",)),)))] == [
        "analysis.churn__view", "analysis.churn__train", "analysis.churn",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gate": ("roc_acu >= 0.7",)}, "'roc_acu' is no metric of a classification"),
        ({"gate": ("gap(recall, chanel) <= 0.1",)}, "'chanel' is not in fairness. Did you mean 'channel'?"),
        ({"select_by": "mae"}, "select_by 'mae' is no metric"),
        ({"threshold": 1.5}, "threshold 1.5"),
        ({"target": None}, "target is missing"),
        ({"target": "member"}, "feature member is the target itself"),
        ({"features": ("spent", "spent")}, "features names spent twice"),
        ({"split": Split("by_group", "person", validate=1.0)}, "validate 1.0"),
        ({"split": Split("at_random", validate=0.2), "key": ("id", "person"), "entity": "person"}, "by_group('person'"),
    ],
)
def test_what_can_be_known_is_an_error_before_anything_runs(
    churn: Analysis, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ProjectError) as caught:
        steps_of(replace(churn, **change))  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert str(caught.value).startswith("analysis/churn.py:3:1: churn: ")
