from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backbone.errors import DatasetError
from backbone.model.project import Analysis

if TYPE_CHECKING:
    from conftest import Lab

ASK = "SELECT * FROM view WHERE id >= 600 UNION ALL BY NAME SELECT * REPLACE (id + 1000 AS id) FROM view WHERE id < 5"


@pytest.fixture(scope="module")
def trained(shared_lab: "Lab", churn: Analysis) -> "Lab":
    shared_lab.run(churn)
    return shared_lab


def test_predictions_say_what_the_model_had_seen(trained: "Lab", churn: Analysis) -> None:
    staged = trained.run(replace(churn, predict=ASK), "predict")["exploitation.churn__predictions"]
    assert staged.relation.names == ("id", "prediction", "probability", "model_version", "was_in")
    seen = trained.rows(
        "SELECT was_in, model_version, count(*), min(id) FROM exploitation.churn__predictions GROUP BY ALL ORDER BY ALL"
    )
    assert seen == [("train", "run1", 72, 600), ("validate", "run1", 228, 672), (None, "run1", 5, 1000)]
    decided = trained.rows(
        "SELECT prediction, min(probability) >= 0, max(probability) <= 1 "
        "FROM exploitation.churn__predictions GROUP BY ALL"
    )
    assert sorted(decided) == [(False, True, True), (True, True, True)]


def test_nothing_to_predict_is_no_error(trained: "Lab", churn: Analysis) -> None:
    staged = trained.run(replace(churn, predict="SELECT * FROM view WHERE id < 0"), "predict")[
        "exploitation.churn__predictions"
    ]
    assert (staged.rows, staged.relation.domain("prediction")) == (0, "boolean")


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        ("SELECT id, spent FROM view", "predict: column 'channel' is not in its rows."),
        ("SELECT * FROM view UNION ALL SELECT * FROM view", "isn't unique: 900 values are double"),
        ("SELECT * FROM nowhere", "predict: "),
    ],
)
def test_what_is_wrong_with_predict_is_told(trained: "Lab", churn: Analysis, predict: str, message: str) -> None:
    with pytest.raises(DatasetError) as caught:
        trained.run(replace(churn, predict=predict), "predict")
    assert message in caught.value.failure.message


def test_without_a_registered_model_nothing_is_predicted(
    trained: "Lab", churn: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trained, "registered", None)
    with pytest.raises(DatasetError, match="there is no registered model version"):
        trained.run(replace(churn, predict="SELECT * FROM view"), "predict")
