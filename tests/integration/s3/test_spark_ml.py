"""A model of Spark ML is a folder: with data on S3 all of it is sent, and fetched again to be compared with."""

import shutil

import pytest
from faults_shop import deliver, unsound
from s3_server import BUCKET
from spark_leavers import make_leavers, visits

import backbone

pytestmark = [pytest.mark.spark, pytest.mark.long, pytest.mark.timeout(3600), pytest.mark.usefixtures("java", "s3")]


def test_a_model_of_spark_ml_is_sent_and_fetched(tmp_path, prefix):
    make_leavers(tmp_path, "local[2]", f"storage: {{data: 's3://{BUCKET}/{prefix}'}}\n")
    (tmp_path / "analysis/leavers.py").unlink()
    assert backbone.open(tmp_path).run().status == "published"
    sent = [one.name for one in backbone.open(tmp_path).environment.site.data.list("models/leavers_there/")]
    assert len([name for name in sent if "/model.spark/stages/" in name]) > 10
    shutil.rmtree(tmp_path / "lake/dev/staged", ignore_errors=True)  # as on another machine

    deliver(tmp_path, {"visits-2.csv": visits(400, 500)})
    later = backbone.open(tmp_path).run()

    assert [s.failure for s in later.steps if s.failure] == []
    gates = [f.level for s in later.steps for f in s.findings if f.rule.name.startswith("gate(brier <= current")]
    assert gates == ["passed"]
    assert unsound(backbone.open(tmp_path).doctor()) == []
