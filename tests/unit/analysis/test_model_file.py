import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from backbone.analysis.features import Feature
from backbone.analysis.model_file import Model, load_model, save_model
from backbone.analysis.preparation import default_preparation
from backbone.errors import DatasetError
from backbone.model.project import Analysis

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = (Feature("spent", "float", "number"), Feature("channel", "text", "text"), Feature("at", "date", "time"))


class Malicious:
    """What somebody may put into a model's file."""

    def fit(self, _x: object, _y: object = None) -> "Malicious":
        return self

    def transform(self, x: "NDArray[np.float64]") -> "NDArray[np.float64]":
        return x


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "spent": np.arange(40.0),
            "channel": np.array(["web", "shop"] * 20, dtype=object),
            "at": pd.date_range("2020-01-01", periods=40),
        }
    )


def test_a_model_predicts_the_same_after_a_round_trip(churn: Analysis, tmp_path: Path) -> None:
    pipeline = Pipeline(
        [("prepare", default_preparation(FEATURES)), ("model", HistGradientBoostingClassifier(max_iter=3))]
    )
    pipeline.fit(rows(), np.arange(40) > 20)
    trusted = save_model(churn, "analysis.churn", Model(pipeline, "r1", "classification", FEATURES, 0.4), tmp_path, {})
    model = load_model(churn, "analysis.churn", tmp_path / "model.skops")
    assert (model.pipeline.predict_proba(rows()) == pipeline.predict_proba(rows())).all()
    assert (model.version, model.features, model.threshold) == ("r1", FEATURES, 0.4)
    assert "backbone.analysis.preparation.date_parts" in trusted


def test_a_type_that_was_not_reviewed_is_neither_stored_nor_loaded(churn: Analysis, tmp_path: Path) -> None:
    bad = Pipeline([("evil", Malicious()), ("model", HistGradientBoostingClassifier())])
    with pytest.raises(DatasetError, match="Malicious, which wasn't reviewed"):
        save_model(churn, "analysis.churn", Model(bad, "r1", "classification", ()), tmp_path, {})
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "model.json").write_text(
        json.dumps({"version": "r1", "kind": "classification", "features": [], "threshold": None})
    )
    skops.io.dump(bad, tmp_path / "model.skops")
    with pytest.raises(DatasetError, match="Malicious, which wasn't reviewed"):
        load_model(churn, "analysis.churn", tmp_path / "model.skops")


def test_a_damaged_model_is_told(churn: Analysis, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text("{}")
    (tmp_path / "model.skops").write_bytes(b"PK nothing")
    with pytest.raises(DatasetError, match=r"the registered model model.skops can't be read"):
        load_model(churn, "analysis.churn", tmp_path / "model.skops")
