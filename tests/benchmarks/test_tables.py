"""What is told of samples: medians, ratios, verdicts, differences."""

from benchmarks.measuring import Side
from benchmarks.records import Record, load_records, save_records
from benchmarks.tables import peer_rows, rows_of
from benchmarks.workload import Budget, Difference, Workload, difference

SAMPLES = {
    "backbone": [{"cpu_s": 1.0, "peak_mb": 90.0}, {"cpu_s": 3.0, "peak_mb": 100.0}, {"cpu_s": 1.2, "peak_mb": 95.0}],
    "floor": [{"cpu_s": 1.0, "peak_mb": 50.0}] * 3,
}
BUDGETS = (Budget(1.25, of_floor=True), Budget(1.1), Budget(90, "peak_mb"))


def test_a_row_tells_medians_ratios_and_a_verdict_for_each_budget(tmp_path) -> None:
    save_records(tmp_path / "r.json", [Record("w", "", 10, SAMPLES, BUDGETS)])

    row = rows_of(load_records(tmp_path / "r.json"))[0]

    assert row[:4] == ("w", "1.20 (1.00–3.00)", "1.00 (1.00–1.00)", "1.20×")
    assert row[-3:] == (
        "95",
        "≤ 1.25 × floor; ≤ 1.1 CPU-s; ≤ 90 MB at peak",
        "met; missed: 1.20; missed: 95.0",
    )


def test_a_record_is_replaced_by_the_next_of_its_name_and_others_stay(tmp_path) -> None:
    path = tmp_path / "r.json"
    save_records(path, [Record("a", "", 1, {}), Record("b", "", 1, {})])

    save_records(path, [Record("a", "", 2, {})])

    assert [(one.name, one.rows) for one in load_records(path)] == [("a", 2), ("b", 1)]


def test_a_difference_is_taken_pair_by_pair_for_each_step() -> None:
    more = {"backbone": [{"cpu_s": 5.0, "peak_mb": 1.0}, {"cpu_s": 7.0, "peak_mb": 1.0}], "floor": [{"cpu_s": 9.0}]}
    less = {"backbone": [{"cpu_s": 1.0, "peak_mb": 1.0}, {"cpu_s": 1.0, "peak_mb": 1.0}]}

    found = difference(Difference("d", "", "more", "less", steps=4), {"more": more, "less": less})

    assert found == {"backbone": [{"cpu_s": 1.0}, {"cpu_s": 1.5}]}


def test_a_side_that_failed_is_told_beside_those_that_did_not() -> None:
    record = Record("w", "", 1, SAMPLES, failures={"dbt": "dbt run ended with 2:"}, notes={"floor": "by hand"})

    assert [(row[1], row[3], row[-1]) for row in peer_rows([record])] == [
        ("backbone", "1.00×", ""),
        ("floor", "0.833×", "by hand"),
        ("dbt", "", "failed"),
    ]


def test_peers_are_measured_after_backbone_and_the_floor() -> None:
    side = Side(("true",))

    assert list(Workload("w", "", side, side, peers={"dbt": side}).sides) == ["backbone", "floor", "dbt"]
