from datetime import date
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.peek import Peeked, peek_file
from backbone.formats.reading import read_records

WRITERS = {"f.dta": pyreadstat.write_dta, "f.sav": pyreadstat.write_sav, "f.xpt": pyreadstat.write_xport}


def look(path: Path) -> tuple[Peeked, list[tuple[object, ...]]]:
    with DuckDBEngine().session() as session:
        peeked = peek_file(path, session, scratch=path.parent / "scratch")
        records = read_records(path, peeked.template, session, scratch=path.parent / "scratch")
        return peeked, session.rows(f"SELECT * FROM {records.table} ORDER BY _record")


def write(path: Path, **options: object) -> None:
    frame = pd.DataFrame(
        {"id": [1.0, 2.0, 3.0], "x": [0.5, None, 2.0], "name": ["007", "Zoë", "z"], "day": [date(2024, 1, 5)] * 3}
    )
    WRITERS[path.name](frame, str(path), column_labels=["the id", "", "who", "when"], **options)


@pytest.mark.parametrize("name", WRITERS)
def test_values_types_and_labels(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)

    peeked, rows = look(tmp_path / name)

    assert rows == [
        (1, "1", "0.5", "007", "2024-01-05"),
        (2, "2", None, "Zoë", "2024-01-05"),
        (3, "3", "2.0", "z", "2024-01-05"),
    ]
    assert [c.domain for c in peeked.columns] == ["integer", "float", "text", "date"]
    assert [c.description for c in peeked.columns] == ["the id", "", "who", "when"]


def test_labels_of_values_are_told_and_user_missing_values_are_missing(tmp_path: Path) -> None:
    write(
        tmp_path / "f.sav",
        variable_value_labels={"id": {1: "one", 2: "two"}},
        missing_ranges={"x": [{"lo": 2, "hi": 2}]},
    )

    peeked, rows = look(tmp_path / "f.sav")

    assert peeked.evidence[0] == "id: 1.0 = one, 2.0 = two"
    assert [row[2] for row in rows] == ["0.5", None, None]


@pytest.mark.parametrize("name", ["f.dta", "f.sav"])
def test_cut_and_misnamed_files_are_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:200])
    with pytest.raises(UsageError, match=f"{name} can't be read as"):
        look(tmp_path / name)
    (tmp_path / name).write_bytes(b"a,b\n1,2\n")
    with pytest.raises(UsageError, match="whatever its name says"):
        look(tmp_path / name)
