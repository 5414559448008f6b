"""Rows as tensors, for those who have torch: it takes gigabytes, so it is in no default environment."""

import tracemalloc

import pytest

from backbone.errors import MissingExtraError, UsageError

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'backbone[torch]'")

MANY = "SELECT i AS n, i * 0.5 AS x, (i % 100)::DECIMAL(18,2) AS d, i % 2 = 0 AS even FROM range({}) AS r(i)"


def test_columns_are_tensors_of_their_own_types(shop) -> None:
    found = shop.sql("SELECT id, amount, float, even, [id, 2] AS pair FROM types WHERE id BETWEEN 1 AND 5 ORDER BY id")

    tensors = found.tensors()
    assert {name: (tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()} == {
        "id": (torch.int64, (5,)), "amount": (torch.float64, (5,)), "float": (torch.float64, (5,)),
        "even": (torch.bool, (5,)), "pair": (torch.int64, (5, 2)),
    }  # fmt: skip
    assert tensors["amount"].tolist() == [10.5, 20.5, 30.5, 40.5, 50.5]
    assert {t.dtype for t in found.tensors("id", "amount", dtype=torch.float32).values()} == {torch.float32}
    assert list(found.tensors("amount", "id")) == ["amount", "id"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT customer FROM orders",
            r"'customer' is text.*dense_rank\(\).*\.tensors\('amount'",
        ),
        ("SELECT day FROM orders", r"'day' is a date or timestamp.*epoch\(day\)"),
        ("SELECT TIME '12:00' AS at", r"'at' is a time of day"),
        ("SELECT ['a'] AS words", r"'words' is text"),
        ("SELECT range(id) AS uneven FROM orders", r"'uneven' is a column of lists that differ in length"),
        ("SELECT amount FROM types", r"'amount' misses 1 of 7 values.*fill=0"),
    ],
)
def test_what_has_no_tensor_is_refused_with_what_to_do(shop, query, message) -> None:
    with pytest.raises(UsageError, match=message):
        shop.sql(query).tensors()


def test_missing_values_are_filled(shop) -> None:
    result = shop.sql("SELECT NULLIF(id, 2) AS m, NULLIF(even, true) AS odd FROM types ORDER BY id LIMIT 3")

    assert result.tensors("m", fill=-1)["m"].tolist() == [-9223372036854775807, 1, -1]
    assert result.tensors("m", fill=0.5)["m"].dtype is torch.float64
    assert result.tensors("odd", fill=False)["odd"].tolist() == [False, False, False]
    assert result.tensors("m", fill=0, dtype=torch.int32)["m"].dtype is torch.int32


def test_no_python_object_is_made_for_a_value_and_none_is_copied(shop) -> None:
    rows = 1_000_000
    result = shop.sql(MANY.format(rows))
    result.tensors()  # imports
    tracemalloc.start()
    found = result.tensors()
    made = tracemalloc.take_snapshot()
    tracemalloc.stop()

    assert sum(len(tensor) for tensor in found.values()) == 4 * rows
    assert sum(trace.count for trace in made.statistics("filename")) < rows / 100


def test_batches_feed_a_training(shop) -> None:
    class Orders(torch.utils.data.IterableDataset):
        def __init__(self, batches):
            self.batches = batches

        def __iter__(self):
            return iter(self.batches)

    batches = shop.sql(MANY.format(10_000)).batches(rows=4_096).tensors("n", "x", dtype=torch.float32)
    loader = torch.utils.data.DataLoader(Orders(batches), batch_size=None)

    for _ in range(2):  # epochs
        seen = [batch["n"] for batch in loader]
        assert [len(part) for part in seen] == [4_096, 4_096, 1_808]
        assert torch.cat(seen).sum() == pytest.approx(10_000 * 9_999 / 2)


def test_workers_share_the_batches(shop) -> None:
    from itertools import islice

    class Orders(torch.utils.data.IterableDataset):
        def __init__(self, batches):
            self.batches = batches

        def __iter__(self):
            worker = torch.utils.data.get_worker_info()
            return islice(iter(self.batches), worker.id, None, worker.num_workers)

    batches = shop.sql("SELECT id FROM orders ORDER BY id").batches(rows=2).tensors()
    loader = torch.utils.data.DataLoader(
        Orders(batches), batch_size=None, num_workers=2, multiprocessing_context="fork"
    )

    assert sorted(n for batch in loader for n in batch["id"].tolist()) == list(range(1, 13))


def test_without_torch_the_extra_is_named(shop, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"backbone\[torch\]"):
        shop.sql("SELECT 1 AS n").tensors()
