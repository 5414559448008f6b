"""Sources in an object store, from a real S3 server on loopback: each lands once, in order, and again if changed."""

from pathlib import Path

import pytest
from s3_server import BUCKET, S3Server

import backbone
from backbone.storage.s3_client import client

pytestmark = pytest.mark.xdist_group("s3")


def put(key: str, text: str) -> None:
    client().put_object(Bucket=BUCKET, Key=key, Body=text.encode())


@pytest.fixture
def project(tmp_path: Path, s3: S3Server) -> Path:
    assert s3.pid
    for number in (1, 2, 10):
        put(f"in/{tmp_path.name}/day-{number}.csv", f"day,sold\n{number},{number * 100}\n")
    (tmp_path / "sources").mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    (tmp_path / "sources/days.yml").write_text(
        f"from: s3://{BUCKET}/in/{tmp_path.name}/day-*.csv\ncolumns: {{day: integer, sold: integer}}\n"
    )
    return tmp_path


def names(root: Path) -> list[str]:
    return [file.name for file in backbone.open(root).environment.landing.registry.files("days")]


def test_objects_land_in_the_order_of_their_numbers_and_once(project):
    assert backbone.open(project).run().status == "published"
    assert names(project) == ["day-1.csv", "day-2.csv", "day-10.csv"]

    put(f"in/{project.name}/day-2.csv", "day,sold\n2,222\n")
    put(f"in/{project.name}/day-11.csv", "day,sold\n11,1100\n")
    put(f"in/{project.name}/other.csv", "x\n1\n")
    backbone.open(project).run()

    assert names(project) == ["day-1.csv", "day-2.csv", "day-10.csv", "day-2.csv", "day-11.csv"]
    assert backbone.open(project).run().status == "nothing"


@pytest.mark.usefixtures("s3")
def test_a_first_look_takes_one_object(tmp_path):
    put(f"look/{tmp_path.name}/a.csv", "n\n1\n")

    with backbone.peek(f"s3://{BUCKET}/look/{tmp_path.name}/*.csv") as found:
        assert [c.name for c in found.columns] == ["n"]


def test_what_is_not_there_fails_alone_and_says_where(project):
    (project / "sources/gone.yml").write_text(f"from: s3://{BUCKET}/nothing/here.csv\ncolumns: {{n: integer}}\n")

    report = backbone.open(project).run()

    assert [step.dataset for step in report.failed] == ["formatted.gone"]
    assert "there is no such object" in report.failed[0].failure.message
    assert names(project) == ["day-1.csv", "day-2.csv", "day-10.csv"]
