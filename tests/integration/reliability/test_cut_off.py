"""A rebuilt dataset that is equal to the published one is noticed; one that only looks alike isn't taken for it."""

import backbone


def run_with(root, rows):
    (root / "exploitation" / "pairs.sql").write_text(f"SELECT n, t FROM (VALUES {rows}) AS v(n, t)\n")
    (step,) = [step for step in backbone.open(root).run().steps if step.dataset == "exploitation.pairs"]
    return step.status


def test_rows_in_another_order_are_equal_and_values_swapped_between_rows_are_not(tmp_path):
    (tmp_path / "exploitation").mkdir()
    (tmp_path / "backbone.yml").write_text("name: pairs\n")
    run_with(tmp_path, "(1, 'a'), (2, 'b'), (2, 'b')")

    assert run_with(tmp_path, "(2, 'b'), (1, 'a'), (2, 'b')") == "unchanged"
    assert run_with(tmp_path, "(2, 'a'), (1, 'b'), (2, 'b')") == "done"
    assert run_with(tmp_path, "(2, 'a'), (2, 'a'), (1, 'b')") == "done"
