"""Bytes that are no table: whatever is made of them, every record is counted once."""

import random
from pathlib import Path

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.detection import detect_template
from backbone.formats.reading import read_records


@pytest.mark.parametrize("seed", [103, 106, 147, *range(20)])
def test_every_record_of_random_bytes_is_in_one_place(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    path = tmp_path / "noise.csv"
    path.write_bytes(bytes(chosen.randrange(256) for _ in range(3000)))

    with DuckDBEngine().session() as session:
        try:
            records = read_records(path, detect_template(path), session, scratch=tmp_path / "scratch")
        except UsageError:
            return  # refused as a whole, in words
        readable = session.rows(f"SELECT _record FROM {records.table}")
        unreadable = session.rows(f"SELECT record FROM {records.unreadable_table}")

    numbers = [number for (number,) in (*readable, *unreadable)]
    assert sorted(numbers) == list(range(1, records.total + 1))
