"""Analyses in whole runs on Spark: scikit-learn's and Spark ML's, from files to predictions, killed and run again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faults_shop import Content, backbone_run, content, deliver, differences, leftovers
from spark_leavers import make_leavers, visits

import backbone

pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600), pytest.mark.usefixtures("java")]

SECONDS = 1200


@pytest.mark.long
def test_from_files_to_predictions_though_killed_in_between(tmp_path: Path) -> None:
    make_leavers(tmp_path, "local[2]")
    killed_while_a_model_is_written(tmp_path)
    ran(tmp_path)

    shop, models = backbone.open(tmp_path), tmp_path / "lake/dev/models"
    assert leftovers(tmp_path) == []
    assert [len(list(models.glob(f"{name}/*"))) for name in ("leavers", "leavers_there")] == [1, 1]
    versions = shop.sql("SELECT analysis, algorithm, path, parameters, trusted_types FROM governance.model_version")
    found = {row["analysis"]: row for row in versions.arrow().to_pylist()}
    assert {name: row["algorithm"] for name, row in found.items()} == {
        "leavers": "LogisticRegression", "leavers_there": "RandomForestClassifier",
    }  # fmt: skip
    assert found["leavers_there"]["path"].endswith("/model.spark")
    parameters = json.loads(found["leavers_there"]["parameters"])
    assert (parameters["seed"], parameters["numTrees"]) == (0, 3)
    assert (
        "org.apache.spark.ml.classification.RandomForestClassificationModel" in found["leavers_there"]["trusted_types"]
    )
    files = shop.sql("SELECT path FROM governance.data_file WHERE starts_with(path, 'models/leavers_there/')")
    there = [path for path in models.glob("leavers_there/**/*") if path.is_file()]
    assert len(there) > 10
    assert sorted(r["path"] for r in files.arrow().to_pylist()) == sorted(
        str(p.relative_to(models.parent)) for p in there
    )
    told = "SELECT count(*), count(DISTINCT visit), count(probability), min(model_version) = max(model_version) FROM"
    for name in found:
        (predicted,) = shop.sql(f"{told} exploitation.{name}__predictions").arrow().to_pylist()
        assert list(predicted.values()) == [200, 200, 200, True]
        features = shop.sql(f"SELECT feature, importance FROM governance.feature WHERE analysis = '{name}'")
        importance = {row["feature"]: row["importance"] for row in features.arrow().to_pylist()}
        assert max(importance, key=lambda feature: importance[feature]) == "spent"
    assert [check.ok for check in shop.doctor() if check.name == "models"] == [True]
    assert [one.status for one in shop.history()] == ["published", "killed"]

    deliver(tmp_path, {"visits-2.csv": visits(400, 500)})
    ran(tmp_path)

    again = shop.sql(
        "SELECT count(*) AS n, count(DISTINCT version) AS v FROM governance.model_version WHERE registered"
    )
    assert again.arrow().to_pylist() == [{"n": 4, "v": 2}]
    rows = shop.sql(
        "SELECT count(*) AS n, count(DISTINCT model_version) AS v FROM exploitation.leavers_there__predictions"
    )
    assert rows.arrow().to_pylist() == [{"n": 250, "v": 1}]
    assert "nothing to do" in ran(tmp_path)


@pytest.fixture(scope="module")
def on_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Content:
    return predictions(tmp_path_factory.mktemp("here") / "shop", "local[2]")


@pytest.mark.cluster
def test_a_cluster_makes_the_same_model(tmp_path: Path, cluster, on_this_machine: Content) -> None:
    assert differences(predictions(tmp_path / "shop", cluster.url), on_this_machine) == []


@pytest.mark.cluster
def test_spark_connect_makes_the_same_model(tmp_path: Path, connect, on_this_machine: Content) -> None:
    assert differences(predictions(tmp_path / "shop", connect), on_this_machine) == []


def predictions(root: Path, url: str) -> Content:
    """What Spark ML's model says of each visit, to the last bit, and its metrics."""
    make_leavers(root, url)
    (root / "analysis/leavers.py").unlink()
    ran(root)
    return content(root, ("exploitation.leavers_there__predictions", "analysis.leavers_there"))


def ran(root: Path) -> str:
    ended = backbone_run(root, seconds=SECONDS)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def killed_while_a_model_is_written(root: Path) -> None:
    command = [str(Path(sys.executable).with_name("backbone")), "run"]
    with (root / "run.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=root, stdout=log, stderr=log)
    until = time.monotonic() + SECONDS
    while not any((root / "lake/dev/models/leavers_there").glob("*/model.spark/stages")):
        assert process.poll() is None, (root / "run.log").read_text()
        assert time.monotonic() < until, (root / "run.log").read_text()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(SECONDS) == -signal.SIGKILL
