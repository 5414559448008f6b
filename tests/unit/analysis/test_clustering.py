from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backbone.errors import DatasetError
from backbone.model.project import Analysis

if TYPE_CHECKING:
    from conftest import Lab

POINTS = """
SELECT 'p' || i AS name, (i % 3) * 10 + i / 100.0 AS x, (i % 3) * -5 + (i * 7 % 11) / 20.0 AS y FROM range(60) AS r(i)
"""
KMEANS = """
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

def shapes():
    return {"two": KMeans(2, n_init=2), "three": KMeans(3, n_init=2), "mixture": GaussianMixture(4)}
"""


@pytest.fixture
def shapes(lab: "Lab") -> Analysis:
    lab.table("exploitation.points", POINTS)
    lab.function("shapes", KMEANS)
    return Analysis(
        "shapes", "clustering", "Which are alike?", "SELECT * FROM exploitation.points", ("exploitation.points",),
        ("name",), ("x", "y"), "analysis/shapes.py", "c0de", select_by="silhouette",
        gate=("silhouette >= 0.8", "stability >= 0.9"),
    )  # fmt: skip


def test_the_candidate_with_the_best_silhouette_makes_the_clusters(lab: "Lab", shapes: Analysis) -> None:
    done = lab.run(shapes)
    assert done["analysis.shapes"].note.startswith("three: silhouette 0.9")
    assert [p.name for p in done["analysis.shapes"].artefacts] == ["model.skops", "model.json", "clusters.svg"]
    assert done["exploitation.shapes__clusters"].relation.names == ("name", "cluster", "distance")
    groups = lab.rows(
        "SELECT count(*), count(DISTINCT substr(name, 2)::INT % 3), bool_and(distance < 1) "
        "FROM exploitation.shapes__clusters GROUP BY cluster"
    )
    assert groups == [(20, 1, True)] * 3
    counted = lab.rows("SELECT candidate, chosen, data, count(*) FROM analysis.shapes GROUP BY ALL ORDER BY ALL")
    assert counted == [("mixture", False, "training", 2), ("three", True, "training", 2), ("two", False, "training", 2)]


def test_estimators_without_centres_are_given_those_of_the_rows(lab: "Lab", shapes: Analysis) -> None:
    lab.function("shapes", KMEANS.replace('"two"', '"a"').replace("KMeans(3, n_init=2)", "GaussianMixture(3)"))
    lab.run(shapes)
    assert lab.rows("SELECT max(distance) < 1, min(distance) > 0 FROM exploitation.shapes__clusters") == [(True, True)]


def test_a_second_version_is_compared_with_the_registered_one(lab: "Lab", shapes: Analysis) -> None:
    lab.function("shapes", "from sklearn.cluster import KMeans\ndef shapes(): return {'three': KMeans(3)}")
    lab.run(shapes)
    lab.run(replace(shapes, gate=("silhouette >= current.silhouette",)), run="run2")
    with pytest.raises(DatasetError, match=r"current\.silhouette \+ 0\.01 is not met"):
        lab.run(replace(shapes, gate=("silhouette >= current.silhouette + 0.01",)), run="run3")


def test_rows_that_are_all_alike_have_no_clusters(lab: "Lab", shapes: Analysis) -> None:
    alike = replace(shapes, view="SELECT name, 1.0 AS x, 2.0 AS y FROM exploitation.points")
    with pytest.raises(DatasetError, match="no candidate tells two clusters apart"):
        lab.run(alike)
