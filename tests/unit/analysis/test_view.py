from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from backbone.errors import DatasetError
from backbone.model.project import Analysis

if TYPE_CHECKING:
    from conftest import Lab


def test_the_view_has_its_columns_and_the_target(lab: "Lab", churn: Analysis) -> None:
    staged = lab.run(replace(churn, target="value > 5"), "view")["analysis.churn__view"]
    assert (staged.rows, staged.relation.names[-2:], staged.relation.domain("target")) == (
        900,
        ("value", "target"),
        "boolean",
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": ("person",)}, 'key ("person") isn\'t unique: 90 values are double, such as person='),
        ({"key": ("spent",)}, 'key ("spent") is null in 82 of 900 rows'),
        ({"features": ("spend",)}, "features: column 'spend' is not in the view. Did you mean 'spent'?"),
        ({"fairness": ("colour",)}, "fairness: column 'colour' is not in the view."),
        ({"target": "left_you"}, "target: "),
        ({"view": "SELEC"}, "the view: "),
        ({"view": "SELECT * FROM exploitation.visits WHERE id < 0"}, "the view has no rows"),
        ({"view": "SELECT *, 1 AS target FROM exploitation.visits"}, "a column of the view is called target"),
    ],
)
def test_what_is_wrong_with_a_view_is_named(
    lab: "Lab", churn: Analysis, change: dict[str, object], message: str
) -> None:
    with pytest.raises(DatasetError) as caught:
        lab.run(replace(churn, **change), "view")  # type: ignore[arg-type]
    assert message in caught.value.failure.message
    assert caught.value.failure.dataset == "analysis.churn__view"


def test_a_column_called_target_may_be_the_target(lab: "Lab", churn: Analysis) -> None:
    own = replace(churn, view="SELECT *, left_us AS target FROM exploitation.visits", target="target")
    assert lab.run(own, "view")["analysis.churn__view"].relation.names.count("target") == 1
