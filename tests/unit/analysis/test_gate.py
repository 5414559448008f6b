import pytest

from backbone.analysis.gate import Evidence, GateError, check_gate, judge
from backbone.model.project import Analysis

EVIDENCE = Evidence(
    model={"roc_auc": 0.9, "brier": 0.1, "recall": 0.6, "f1": None},
    baseline={"roc_auc": 0.8},
    groups={"channel": {"web": {"recall": 0.7, "brier": 0.2}, "shop": {"recall": 0.4, "brier": 0.1}}},
)


@pytest.mark.parametrize(
    ("line", "met"),
    [
        ("roc_auc >= baseline.roc_auc + 0.03", True),
        ("roc_auc >= baseline.roc_auc + 0.2", False),
        ("brier <= current.brier", True),  # there is none
        ("gap(recall, channel) <= 0.3", True),
        ("gap(recall, channel) <= 0.29", False),
        ("worst(recall, channel) > 0.4", False),
        ("worst(brier, channel) <= 0.2", True),
        ("0.5 < recall < 2 * 0.35", True),
        ("-brier / 2 > -1", True),
        ("f1 > 0", False),
    ],
)
def test_a_line_is_judged(line: str, met: bool) -> None:
    assert judge((line,), EVIDENCE)[0].met is met


def test_what_is_missed_is_shown_with_both_sides() -> None:
    (judgement,) = judge(("roc_auc >= baseline.roc_auc + 0.2",), EVIDENCE)
    assert judgement.message == "gate: roc_auc >= baseline.roc_auc + 0.2 is not met: 0.9 < 1"


def test_a_metric_that_cannot_be_computed_meets_no_gate() -> None:
    (judgement,) = judge(("f1 > 0",), EVIDENCE)
    assert judgement.message == "gate: f1 > 0 can't be judged: f1 can't be computed on this validation set."


def test_the_current_version_counts_where_there_is_one() -> None:
    evidence = Evidence(model={"brier": 0.1}, current={"brier": 0.09})
    assert [j.met for j in judge(("brier <= current.brier", "brier <= current.brier + 0.01"), evidence)] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    "line",
    [
        "__import__('os').system('true') > 0", "roc_auc", "roc_auc == 1", "roc_auc >", "open('x') > 1", "'a' > 0",
        "baseline.other.roc_auc > 0", "roc_auc ** 9 > 0", "[1][0] > 0", "worst(recall) > 0", "True > 0", "mae < 1",
        "(lambda: 1)() > 0", "gap(recall, person) < 1",
    ],
)  # fmt: skip
def test_nothing_but_metrics_is_read(churn: Analysis, line: str) -> None:
    with pytest.raises(GateError):
        check_gate(line, churn)
