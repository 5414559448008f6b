import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backbone.errors import DatasetError
from backbone.model.project import Analysis, Split

if TYPE_CHECKING:
    from conftest import Lab

ONE = """
from sklearn.linear_model import LogisticRegression

def churn():
    return {"logistic": LogisticRegression()}
"""
BOTH = """
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

def churn():
    return {"logistic": LogisticRegression(), "tree": DecisionTreeClassifier(max_depth=4)}
"""


def governance(staged: object, name: str) -> list[dict[str, object]]:
    tables = staged.governance  # type: ignore[attr-defined]
    return [dict(row) for table in tables if table.name == name for row in table.rows]


def test_candidates_are_compared_and_the_best_is_judged_beside_the_baseline(lab: "Lab", churn: Analysis) -> None:
    lab.function("churn", BOTH)
    staged = lab.run(replace(churn, baseline="spent > 0.7"))["analysis.churn"]
    counts = lab.rows(
        "SELECT data, chosen, count(DISTINCT candidate), count(*) FROM analysis.churn GROUP BY ALL ORDER BY ALL"
    )
    assert counts == [("cross_validation", False, 1, 8), ("cross_validation", True, 1, 8), ("validation", True, 1, 32)]
    ((model, baseline),) = lab.rows(
        "SELECT value, baseline FROM analysis.churn "
        "WHERE data = 'validation' AND metric = 'roc_auc' AND group_column IS NULL"
    )
    assert model > baseline > 0.6
    assert sorted(p.name for p in staged.artefacts) == [
        "calibration.svg", "importance.svg", "model.json", "model.skops", "roc.svg",
    ]  # fmt: skip
    assert all(p.stat().st_size for p in staged.artefacts)


def test_a_model_version_is_bound_to_what_made_it(lab: "Lab", churn: Analysis) -> None:
    (row,) = governance(lab.run(churn)["analysis.churn"], "model_version")
    known = {
        "analysis": "churn", "run": "run1", "version": "run1", "snapshot": 7, "seed": 0, "code": "c0de",
        "path": "churn/run1/model.skops", "registered": True, "train_rows": 672, "validate_rows": 228,
    }  # fmt: skip
    assert row | known == row
    card = json.loads((lab.folder / "models/churn/run1/model.json").read_text())
    assert (card["version"], card["snapshot"], card["target"]) == ("run1", 7, "left_us")
    assert 0 < row["train_seconds"] < 60  # type: ignore[operator]
    assert row["peak_memory_bytes"] > 1_000_000  # type: ignore[operator]


def test_the_same_seed_makes_the_same_model(lab: "Lab", churn: Analysis) -> None:
    lab.function("churn", "from sklearn.ensemble import *\ndef churn(): return {'f': RandomForestClassifier(9)}")
    found = [governance(lab.run(churn, run=r)["analysis.churn"], "metric") for r in ("run1", "run2")]
    for row in (*found[0], *found[1]):
        del row["version"]
    assert found[0] == found[1]
    first, second = ((lab.folder / f"models/churn/{r}/roc.svg").read_bytes() for r in ("run1", "run2"))
    assert first == second


def test_preparation_learns_from_training_rows_only(lab: "Lab", churn: Analysis) -> None:
    before = governance(lab.run(churn)["analysis.churn"], "preparation")
    lab.table(
        "exploitation.visits",
        "SELECT * REPLACE (spent * 1000 AS spent, 'new' || channel AS channel, NOT member AS member) "
        "FROM visits WHERE seen_at >= '2020-01-29' UNION ALL FROM visits WHERE seen_at < '2020-01-29'",
        {"visits": lab.extents["exploitation.visits"].added[0]},
    )
    after = governance(lab.run(churn, run="run2")["analysis.churn"], "preparation")
    assert [{**row, "version": "run1"} for row in after] == before
    assert [(r["feature"], r["task"]) for r in before] == [
        ("spent", "impute"), ("spent", "scale"), ("member", "impute"), ("channel", "impute"), ("channel", "one-hot"),
        ("seen_at", "parts of date"), ("seen_at", "impute"), ("seen_at", "scale"),
    ]  # fmt: skip


def test_a_missed_gate_records_the_model_and_registers_nothing(lab: "Lab", churn: Analysis) -> None:
    strict = replace(churn, gate=("roc_auc >= 0.5", "roc_auc >= baseline.roc_auc + 0.6"))
    with pytest.raises(DatasetError) as caught:
        lab.run(strict)
    failure = caught.value.failure
    assert failure.message.startswith("gate: roc_auc >= baseline.roc_auc + 0.6 is not met: 0.")
    assert failure.message.endswith(" < 1.1")
    assert [row["registered"] for t in failure.governance if t.name == "model_version" for row in t.rows] == [False]
    assert {t.name for t in failure.governance} == {"model_version", "metric", "feature", "preparation"}
    assert [(f.rule.name, f.level) for f in failure.findings] == [
        ("gate(roc_auc >= 0.5)", "passed"),
        ("gate(roc_auc >= baseline.roc_auc + 0.6)", "failed"),
    ]


def test_the_registered_version_is_judged_on_the_same_rows(lab: "Lab", churn: Analysis) -> None:
    lab.run(churn)
    worse = replace(churn, features=("channel",), gate=("brier <= current.brier",))
    with pytest.raises(DatasetError) as caught:
        lab.run(worse, run="run2")
    assert "gate: brier <= current.brier is not met" in caught.value.failure.message
    assert caught.value.failure.hint.endswith("version run1 stays in use")
    lab.run(replace(churn, gate=("brier <= current.brier",)), run="run3")


def test_a_registered_version_whose_features_are_gone_is_no_obstacle(lab: "Lab", churn: Analysis) -> None:
    lab.run(churn)
    view = "SELECT * EXCLUDE (member) FROM exploitation.visits"
    gone = replace(churn, view=view, features=("channel", "spent"), gate=("brier <= current.brier",))
    findings = lab.run(gone, run="run2")["analysis.churn"].findings
    assert findings[0].message == (
        "the registered model version run1 can't be compared: its member is no longer in the view"
    )


def test_tuned_candidates_are_told_apart(lab: "Lab", churn: Analysis) -> None:
    lab.run(replace(churn, tune=(("logistic", (("C", (0.1, 1.0)),)),)))
    names = lab.rows("SELECT DISTINCT candidate FROM analysis.churn ORDER BY ALL")
    assert names == [("logistic(C=0.1)",), ("logistic(C=1.0)",)]


def test_a_pipeline_of_ones_own_is_taken_as_it_is(lab: "Lab", churn: Analysis) -> None:
    lab.function(
        "churn",
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.naive_bayes import GaussianNB\n"
        "def churn(): return {'own': make_pipeline(StandardScaler(), GaussianNB())}",
    )
    own = replace(churn, features=("member",), select_by="brier")
    staged = lab.run(own)["analysis.churn"]
    assert [(r["feature"], r["task"]) for r in governance(staged, "preparation")] == [("*", "StandardScaler")]


@pytest.mark.parametrize("split", [Split("by_group", "person", validate=0.3), Split("at_random", validate=0.3)])
def test_other_splits_and_regressions(lab: "Lab", churn: Analysis, split: Split) -> None:
    lab.function("churn", "from sklearn.linear_model import Ridge\ndef churn(): return {'ridge': Ridge()}")
    analysis = replace(
        churn,
        kind="regression",
        target="value",
        split=split,
        features=("spent", "member"),
        select_by="mae",
        gate=("mae < baseline.mae",),
        predict="SELECT * FROM view WHERE id < 100",
    )
    done = lab.run(analysis)
    assert "predicted.svg" in [p.name for p in done["analysis.churn"].artefacts]
    predictions = done["exploitation.churn__predictions"]
    assert (predictions.rows, predictions.relation.domain("prediction")) == (100, "float")
    assert lab.rows("SELECT DISTINCT metric FROM analysis.churn ORDER BY ALL") == [
        ("mae",),
        ("mape",),
        ("r2",),
        ("rmse",),
    ]


def test_scikit_learn_warns_in_findings_and_prints_nothing(
    lab: "Lab", churn: Analysis, capfd: pytest.CaptureFixture[str]
) -> None:
    lab.function("churn", ONE.replace("LogisticRegression()", "LogisticRegression(max_iter=1)"))
    findings = lab.run(churn)["analysis.churn"].findings
    assert [f.rule.name for f in findings] == ["scikit-learn(ConvergenceWarning)"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def churn(): return 1", "churn returned int. Expected candidates by name"),
        ("def churn(): return {}", "churn returned dict"),
        ("def churn(): return {'x': 1}", "candidate 'x' (int) has no get_params, which a classification needs"),
        ("from sklearn.svm import LinearSVC\ndef churn(): return {'x': LinearSVC()}", "has no predict_proba"),
        ("def churn(): return 1 / 0", "ZeroDivisionError: division by zero"),
        ("from sklearn.linear_model import *\ndef churn(): return {'x': LogisticRegression(C=-1)}", "candidate 'x': "),
    ],
)
def test_what_is_wrong_with_candidates_is_told(lab: "Lab", churn: Analysis, code: str, message: str) -> None:
    lab.function("churn", code)
    with pytest.raises(DatasetError) as caught:
        lab.run(churn)
    assert message in caught.value.failure.message


def test_tuning_what_is_not_there_is_told(lab: "Lab", churn: Analysis) -> None:
    for tune, message in [
        ((("logistics", ()),), "tune: there is no candidate 'logistics'. Did you mean 'logistic'?"),
        ((("logistic", (("c", (1,)),)),), "tune: LogisticRegression has no parameter 'c'."),
    ]:
        with pytest.raises(DatasetError) as caught:
            lab.run(replace(churn, tune=tune))
        assert message in caught.value.failure.message


def test_a_baseline_must_be_a_probability(lab: "Lab", churn: Analysis) -> None:
    with pytest.raises(DatasetError) as caught:
        lab.run(replace(churn, baseline="value"))
    assert "baseline 'value' gives neither true and false nor probabilities" in caught.value.failure.message
