"""Files with types of their own: values and types are those that were written."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.peek import Peeked, peek_file
from backbone.formats.reading import read_records, scan_records

MOMENT = datetime(2024, 1, 5, 10, 11, 12, 345000, tzinfo=UTC)
TABLE = pa.table(
    {
        "t": pa.array(["007", "Zoë", None]),
        "i": pa.array([1, -(2**40), None]),
        "d": pa.array([Decimal("1.10"), Decimal("-2.05"), None]),
        "f": pa.array([0.1, 1e300, None]),
        "b": pa.array([True, False, None]),
        "day": pa.array([date(2024, 1, 5), date(1999, 12, 31), None]),
        "at": pa.array([MOMENT.replace(tzinfo=None), None, None], pa.timestamp("us")),
    }
)
TEXTS = [
    (1, "007", "1", "1.10", "0.1", "true", "2024-01-05", "2024-01-05 10:11:12.345"),
    (2, "Zoë", "-1099511627776", "-2.05", "1e+300", "false", "1999-12-31", None),
    (3, None, None, None, None, None, None, None),
]
DOMAINS = ["text", "integer", "decimal(2)", "float", "boolean", "date", "timestamp"]


def look(path: Path) -> tuple[Peeked, list[tuple[object, ...]]]:
    with DuckDBEngine().session() as session:
        peeked = peek_file(path, session, scratch=path.parent / "scratch")
        records = read_records(path, peeked.template, session, scratch=path.parent / "scratch")
        scan = scan_records(path, peeked.template, session, scratch=path.parent / "scratch")
        assert scan is not None
        assert scan.headers == records.headers
        return peeked, session.rows(f"SELECT * FROM {records.table} ORDER BY _record")


def feather(path: Path) -> None:
    pa.feather.write_feather(TABLE, path, compression="lz4")


def stream(path: Path) -> None:
    with pa.ipc.new_stream(path, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=2)


def orc(path: Path) -> None:
    pa.orc.write_table(TABLE, path)


def avro(path: Path) -> None:
    import fastavro

    kinds = {
        "t": "string", "i": "long", "d": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
        "f": "double", "b": "boolean", "day": {"type": "int", "logicalType": "date"},
        "at": {"type": "long", "logicalType": "local-timestamp-micros"},
    }  # fmt: skip
    fields = [{"name": name, "type": ["null", kind], "doc": f"about {name}"} for name, kind in kinds.items()]
    with path.open("wb") as file:
        fastavro.writer(file, {"type": "record", "name": "R", "fields": fields}, TABLE.to_pylist(), codec="deflate")


@pytest.mark.parametrize(
    ("name", "write"), [("f.feather", feather), ("f.arrows", stream), ("f.orc", orc), ("f.avro", avro)]
)
def test_values_and_types_are_those_of_the_file(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)

    peeked, rows = look(tmp_path / name)

    assert rows == TEXTS
    assert [c.domain for c in peeked.columns] == DOMAINS


@pytest.mark.parametrize(("name", "write"), [("f.feather", feather), ("f.orc", orc), ("f.avro", avro)])
def test_cut_files_are_refused_by_what_they_are(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])

    with pytest.raises(UsageError, match=f"{name} can't be read as"):
        look(tmp_path / name)


@pytest.mark.parametrize("name", ["f.feather", "f.orc", "f.avro"])
def test_misnamed_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"a,b\n1,2\n")

    with pytest.raises(UsageError, match="whatever its name says"):
        look(tmp_path / name)


def test_descriptions_of_avro_are_those_of_columns(tmp_path: Path) -> None:
    avro(tmp_path / "f.avro")

    assert look(tmp_path / "f.avro")[0].columns[1].description == "about i"


def test_times_dictionaries_and_lists_of_arrow(tmp_path: Path) -> None:
    table = pa.table(
        {
            "c": pa.array(["x", "y", "x"]).dictionary_encode(),
            "l": pa.array([["a"], [], None]),
            "z": pa.array([MOMENT, None, None], pa.timestamp("s", "UTC")),
            "k": pa.array([time(9, 30), None, None]),
        }
    )
    pa.feather.write_feather(table, tmp_path / "f.feather")

    peeked, rows = look(tmp_path / "f.feather")

    assert [c.domain for c in peeked.columns] == ["text", "text[]", "timestamp_tz", "time"]
    assert rows[0] == (1, "x", ["a"], "2024-01-05 10:11:12+00", "09:30:00")
