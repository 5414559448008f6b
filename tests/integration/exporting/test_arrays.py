"""Rows as NumPy arrays and in batches: no Python object for a value, and never more than the batches in hand."""

import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from backbone.errors import QueryError, UsageError
from backbone.workspace.opening import open_workspace

MANY = "SELECT i AS n, i * 0.5 AS x, i % 2 = 0 AS even, (i % 100)::DECIMAL(18,2) AS d FROM range({}) AS r(i)"


def test_columns_are_arrays_of_their_own_types(shop) -> None:
    found = shop.sql("SELECT * FROM types WHERE id BETWEEN 1 AND 5 ORDER BY id").numpy()

    assert {name: (array.dtype.str, array.ndim) for name, array in found.items()} == {
        "id": ("<i8", 1), "words": ("|O", 1), "empty": ("|O", 1), "amount": ("<f8", 1), "exact": ("<f8", 1),
        "float": ("<f8", 1), "even": ("|b1", 1), "day": ("<M8[D]", 1), "at": ("<m8[us]", 1), "local": ("<M8[us]", 1),
        "moment": ("<M8[us]", 1), "bytes": ("|O", 1), "document": ("|O", 1), "numbers": ("|O", 1),
        "texts": ("|O", 1), "nested": ("|O", 1), "none": ("<i8", 2),
    }  # fmt: skip
    assert found["amount"].tolist() == [10.5, 20.5, 30.5, 40.5, 50.5]
    assert found["day"][0] == np.datetime64("2026-01-01")
    assert found["moment"][0] == np.datetime64(datetime(2026, 1, 1, 10, 0, 0, 500000, tzinfo=UTC).replace(tzinfo=None))
    assert found["at"][0] == np.timedelta64(43_201_250_000, "us")
    assert not [name for name, array in found.items() if isinstance(array, np.ma.MaskedArray)]


def test_missing_values_are_masked_and_not_a_number_is_a_value(shop) -> None:
    found = shop.sql('SELECT id, amount, float, even, day, local, moment, "at" FROM types ORDER BY id').numpy()

    assert isinstance(found["id"], np.ndarray)
    assert not isinstance(found["float"], np.ma.MaskedArray)
    assert np.isnan(found["float"][0])
    for name in ("amount", "even", "day", "local", "moment", "at"):
        assert found[name].mask.tolist() == [True, *[False] * 6], name
    assert found["even"].tolist() == [None, False, True, False, True, False, True]


def test_lists_that_are_equally_long_are_a_matrix(shop) -> None:
    found = shop.sql("SELECT [i, i + 1] AS pair, range(i) AS uneven FROM range(3) r(i) ORDER BY i").numpy()

    assert found["pair"].tolist() == [[0, 1], [1, 2], [2, 3]]
    assert (found["uneven"].dtype, found["uneven"][2].tolist()) == (np.dtype("O"), [0, 1])


def test_no_python_object_is_made_for_a_value(shop) -> None:
    rows = 1_000_000
    result = shop.sql(MANY.format(rows))
    result.numpy()  # imports
    tracemalloc.start()
    found = result.numpy()
    made = tracemalloc.take_snapshot()
    tracemalloc.stop()

    assert sum(len(array) for array in found.values()) == 4 * rows
    assert sum(trace.count for trace in made.statistics("filename")) < rows / 100


def test_batches_are_as_large_as_wanted(shop) -> None:
    batches = shop.sql("SELECT i FROM range(100000) r(i) ORDER BY i").batches(rows=33_333)

    first, again = list(batches), list(batches)
    assert [batch.num_rows for batch in first] == [33_333, 33_333, 33_333, 1]
    assert isinstance(first[0], pa.RecordBatch)
    assert pa.Table.from_batches(first)["i"].to_pylist() == list(range(100_000))
    assert first == again
    assert [len(arrays["i"]) for arrays in batches.numpy()] == [33_333, 33_333, 33_333, 1]
    assert list(shop.sql("SELECT 1 AS n WHERE false").batches(7)) == []


def held(root: Path) -> int:
    """How many leases there are."""
    return len(list((root / "lake/dev/readers").glob("*.json")))


def test_batches_stay_at_their_snapshot_until_they_are_closed(made, tmp_path) -> None:
    import shutil

    root = tmp_path / "shop"
    shutil.copytree(made, root)
    shop = open_workspace(root)
    before = held(root)
    with shop.table("orders").batches(5) as batches:
        reading = iter(batches)
        assert next(reading).num_rows == 5
        assert held(root) == before + 1
        (root / "data/orders.csv").write_text("id,customer,amount,day,note\n1,c1,1,2026-01-01,\n")
        assert open_workspace(root).run().status == "published"
        assert [batch.num_rows for batch in reading] == [5, 2]
        assert sum(batch.num_rows for batch in batches) == 12
    assert held(root) == before
    with pytest.raises(QueryError, match=r"was closed.*Ask again"):
        next(iter(batches))


def test_what_goes_wrong_in_a_batch_is_told(shop) -> None:
    with pytest.raises(UsageError, match="at least one row"):
        shop.table("orders").batches(0)
    with pytest.raises(QueryError, match="no dataset 'nope'"):
        next(iter(shop.sql("FROM nope").batches()))
    failing = shop.sql("SELECT CASE WHEN i < 900000 THEN i ELSE error('too far') END AS i FROM range(1000000) r(i)")
    with pytest.raises(QueryError, match="too far"):
        list(failing.batches(10_000))
    with pytest.raises(QueryError, match="one SELECT"):
        list(shop.sql("DROP TABLE orders").batches())


def test_a_data_set_larger_than_memory_is_read_in_batches(shop, tmp_path) -> None:
    """1.6 GB pass through a process that may use one."""
    code = f"""
import pathlib, re, backbone
shop = backbone.open({str(shop.root)!r})
query = "SELECT i, repeat(chr(65 + (i % 26)::INTEGER), 400) AS text FROM range(4_000_000) r(i)"
rows = sum(batch.num_rows for batch in shop.sql(query).batches(50_000))
status = pathlib.Path("/proc/self/status").read_text()  # getrusage tells the highest of the parent, too
print(rows, int(re.search(r"VmHWM:\\s*(\\d+)", status)[1]) // 1024)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    rows, megabytes = map(int, told.stdout.split())

    assert rows == 4_000_000
    assert megabytes < 1_000
