"""Analyses whose candidates are Spark ML's: trained, judged, stored and asked by a real Spark."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from analysis_lab import CHURN, Lab, furnished, table_of

from backbone.engine.spark.engine import SparkEngine
from backbone.errors import DatasetError, EngineError
from backbone.model.project import Split

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600), pytest.mark.usefixtures("spark")]

LOGISTIC = """
from pyspark.ml.classification import LogisticRegression

def churn():
    return {"logistic": LogisticRegression()}
"""
OWN = """
from pyspark.ml import Pipeline
from pyspark.ml.feature import Imputer, VectorAssembler
from pyspark.ml.classification import LogisticRegression

def churn():
    stages = [Imputer(inputCols=["spent"], outputCols=["known"]), VectorAssembler(inputCols=["known"], outputCol="v")]
    return {"own": Pipeline(stages=[*stages, LogisticRegression(featuresCol="v")])}
"""
REGRESSION = """
from pyspark.ml.regression import GBTRegressor, LinearRegression

def churn():
    return {"linear": LinearRegression(), "trees": GBTRegressor(maxIter=3, subsamplingRate=0.5)}
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, spark: Any) -> Iterator[SparkEngine]:  # noqa: ARG001 - that one is used
    made = SparkEngine(scratch=tmp_path_factory.mktemp("ml") / "scratch")
    yield made
    made.close()


@pytest.fixture
def lab(tmp_path: Path, engine: SparkEngine) -> Lab:
    made = furnished(tmp_path, engine)
    made.function("churn", LOGISTIC)
    return made


CHURN_THERE = replace(CHURN, library="spark", predict="SELECT * FROM view WHERE id % 3 = 0")


@pytest.mark.long
def test_a_model_is_trained_judged_registered_and_asked_by_spark(lab: Lab) -> None:
    staged = lab.run(replace(CHURN_THERE, baseline="spent > 0.7", gate=("roc_auc >= baseline.roc_auc + 0.02",)))

    tables = {name: table_of(staged["analysis.churn"].governance, name).rows for name in ("model_version", "feature")}
    (version,) = tables["model_version"]
    assert version | {
        "algorithm": "LogisticRegression", "path": "churn/run1/model.spark", "registered": True, "train_rows": 672,
        "validate_rows": 228, "seed": 0,
    } == version  # fmt: skip
    assert "org.apache.spark.ml.classification.LogisticRegressionModel" in str(version["trusted_types"])
    importance = {str(row["feature"]): row["importance"] for row in tables["feature"]}
    assert max(importance, key=lambda name: importance[name]) == "spent"
    prepared = [(r["feature"], r["task"]) for r in table_of(staged["analysis.churn"].governance, "preparation").rows]
    assert {("spent", "impute"), ("member", "impute"), ("channel", "index"), ("seen_at__hour", "impute")} < set(
        prepared
    )
    names = sorted(
        path.relative_to(lab.folder / "models/churn/run1").parts[0] for path in staged["analysis.churn"].artefacts
    )
    assert set(names) == {"model.spark", "model.json", "roc.svg", "calibration.svg", "importance.svg"}
    counts = lab.rows("SELECT data, count(DISTINCT candidate), count(*) FROM analysis.churn GROUP BY ALL ORDER BY 1")
    assert counts == [("cross_validation", 1, 8), ("validation", 1, 32)]
    predicted = lab.rows(
        "SELECT count(*), count(DISTINCT id), count(*) FILTER (was_in = 'train'), "
        "count(*) FILTER (was_in = 'validate'), min(model_version), bool_and(probability BETWEEN 0 AND 1) "
        "FROM exploitation.churn__predictions"
    )
    assert predicted == [(300, 300, 224, 76, "run1", True)]
    right = lab.rows(
        "SELECT avg((prediction = left_us)::INT) FROM exploitation.churn__predictions "
        "JOIN exploitation.visits USING (id)"
    )
    assert right[0][0] > 0.8


def test_a_pipeline_of_ones_own_is_taken_as_it_is(lab: Lab) -> None:
    lab.function("churn", OWN)

    tune = (("own", (("regParam", (0.0, 0.5)),)),)
    analysis = replace(CHURN_THERE, features=("spent", "channel"), tune=tune, gate=("brier <= current.brier",))

    staged = lab.run(analysis)

    names = lab.rows("SELECT DISTINCT candidate FROM analysis.churn ORDER BY ALL")
    assert names == [("own(regParam=0.0)",), ("own(regParam=0.5)",)]
    tasks = table_of(staged["analysis.churn"].governance, "preparation").rows
    assert [(r["feature"], r["task"]) for r in tasks] == [("spent", "impute"), ("*", "VectorAssembler")]
    median = lab.rows("SELECT avg(spent) FROM analysis.churn__train")[0][0]
    assert json.loads(str(tasks[0]["parameters"]))["value"] == pytest.approx(median)  # of training rows alone
    predicted = lab.rows("SELECT count(*), count(probability), min(model_version) FROM exploitation.churn__predictions")
    assert predicted == [(300, 300, "run1")]
    again = lab.run(analysis, "train", run="run2")  # judged beside run1, whose files are read
    assert _metrics(again["analysis.churn"].governance) == _metrics(staged["analysis.churn"].governance)
    assert [(f.rule.name, f.level) for f in again["analysis.churn"].findings] == [
        ("gate(brier <= current.brier)", "passed")
    ]
    card = json.loads((lab.folder / "models/churn/run1/model.json").read_text())
    assert (card["library"], sorted(card["packages"])) == ("spark", ["numpy", "pyspark"])


@pytest.mark.long
def test_regressions_and_splits_by_group(lab: Lab) -> None:
    split = Split("by_group", "person", validate=0.3)
    lab.function("churn", REGRESSION)
    analysis = replace(
        CHURN_THERE, kind="regression", target="value", split=split, features=("spent", "channel"), select_by="mae",
        gate=("mae <= baseline.mae",),
    )  # fmt: skip

    lab.run(analysis)

    ((rows, error),) = lab.rows(
        "SELECT count(*), avg(abs(prediction - value)) FROM exploitation.churn__predictions "
        "JOIN exploitation.visits USING (id)"
    )
    assert rows == 300
    assert error < 1.5


STRANGE = """
from pyspark.ml import Pipeline, Transformer
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable

class _Same(Transformer, DefaultParamsReadable, DefaultParamsWritable):
    def _transform(self, dataset):
        return dataset

def churn():
    stages = [_Same(), VectorAssembler(inputCols=["member"], outputCol="features"), LogisticRegression()]
    return {"own": Pipeline(stages=stages)}
"""
LEAVES_OUT = OWN.replace('Imputer(inputCols=["spent"], outputCols=["known"]), ', "").replace(
    'inputCols=["known"]', 'handleInvalid="skip", inputCols=["spent"]'
)
OTHERS = {
    "sklearn": (
        "from sklearn.linear_model import LogisticRegression\ndef churn(): return {'a': LogisticRegression()}",
        "candidate 'a': LogisticRegression is no estimator of Spark ML (pyspark.ml)",
    ),
    "without probabilities": (
        "from pyspark.ml.classification import LinearSVC\ndef churn(): return {'svc': LinearSVC()}",
        "candidate 'svc': it gives no column 'probability', which a classification needs",
    ),
    "another label": (
        "from pyspark.ml.classification import NaiveBayes\ndef churn(): return {'nb': NaiveBayes(labelCol='y')}",
        "candidate 'nb': NaiveBayes has labelCol='y': the label is the column 'label'",
    ),
    "rows left out": (LEAVES_OUT, "rows, and its stages may leave none out: give those that do handleInvalid='keep'"),
    "a column that isn't there": (OWN.replace('inputCols=["spent"]', 'inputCols=["lost"]'), "lost"),
    "their own stage": (STRANGE, "_Same, and only Spark ML's own stages are loaded again"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_cant_be_a_candidate_is_refused(lab: Lab, case: str) -> None:
    code, said = OTHERS[case]
    lab.function("churn", code)
    with pytest.raises(DatasetError) as caught:
        lab.run(replace(CHURN_THERE, features=("spent", "member"), predict=None))
    assert said in caught.value.failure.message
    assert caught.value.failure.at == CHURN.at


def test_a_damaged_or_foreign_model_is_not_loaded(lab: Lab) -> None:
    lab.function("churn", OWN)
    lab.run(replace(CHURN_THERE, features=("spent",)))
    (metadata,) = (lab.folder / "models/churn/run1/model.spark/stages").glob("1_*/metadata/part-*")
    metadata.write_text(metadata.read_text().replace("org.apache.spark.ml.feature.", "org.elsewhere."))

    with pytest.raises((DatasetError, EngineError)) as caught:
        lab.run(replace(CHURN_THERE, features=("spent",)), "predict", run="run2")

    assert "it holds org.elsewhere.VectorAssembler, and only Spark ML's own stages" in str(caught.value)


def _metrics(governance: Any) -> list[dict[str, object]]:
    return [{k: v for k, v in row.items() if k != "version"} for row in table_of(governance, "metric").rows]
