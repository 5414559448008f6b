import numpy as np
import pytest

from backbone.analysis.metrics import best_threshold, measure, measure_groups

Y = np.array([0.0, 0.0, 1.0, 1.0])
P = np.array([0.1, 0.4, 0.35, 0.8])


def test_metrics_of_a_classification() -> None:
    assert measure(Y, P, 0.5) == pytest.approx(
        {"roc_auc": 0.75, "pr_auc": 5 / 6, "brier": 0.158125, "log_loss": 0.472288, "f1": 2 / 3, "precision": 1.0,
         "recall": 0.5, "accuracy": 0.75}, abs=1e-6,
    )  # fmt: skip


def test_one_class_has_no_ranking_metrics() -> None:
    found = measure(np.zeros(4), P, 0.5)
    assert (found["roc_auc"], found["pr_auc"], found["recall"], found["accuracy"]) == (None, None, None, 0.75)


def test_metrics_of_a_regression_leave_zeros_out_of_mape() -> None:
    found = measure(np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 2.0]), None)
    assert found == pytest.approx({"mae": 1.0, "rmse": (5 / 3) ** 0.5, "r2": 1 - 5 / 8, "mape": 0.25})


def test_the_threshold_is_the_best_for_f1() -> None:
    assert best_threshold(Y, P) == pytest.approx(0.35)


def test_small_groups_and_missing_values_are_no_groups() -> None:
    groups = np.array(["big"] * 30 + ["small"] * 29 + [None], dtype=object)
    y = np.tile([0.0, 1.0], 30)
    assert list(measure_groups(y, y, groups, 0.5)) == ["big"]
