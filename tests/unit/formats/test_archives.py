import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats import archives
from backbone.formats.peek import Wanted, peek_file
from backbone.formats.reading import read_records, scan_records

TABLE = b"a,b\n1,x\n2,y\n"


def rows(path: Path, member: str | None = None) -> list[tuple[object, ...]]:
    with DuckDBEngine().session() as session:
        scratch = path.parent / "scratch"
        template = peek_file(path, session, scratch=scratch, wanted=Wanted(member=member)).template
        records = read_records(path, template, session, scratch=scratch)
        found = session.rows(f"SELECT * FROM {records.table} ORDER BY _record")
        assert len(found) == records.records
        return found


def zstd(data: bytes) -> bytes:
    from backports import zstd

    return zstd.compress(data)


def tar(members: dict[str, bytes], mode: str = "w") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("f.csv.gz", gzip.compress(TABLE)),
        ("f.csv.bz2", bz2.compress(TABLE)),
        ("f.csv.xz", lzma.compress(TABLE)),
        ("f.csv.zst", zstd(TABLE)),
        ("f.tar", tar({"f.csv": TABLE})),
        ("f.tar.gz", tar({"f.csv": TABLE}, "w:gz")),
        ("f.tgz", tar({"f.csv": TABLE}, "w:gz")),
        ("f.tar.zst", zstd(tar({"f.csv": TABLE}))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_packed_files_are_read(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)

    assert rows(tmp_path / name) == [(1, "1", "x"), (2, "2", "y")]


def test_files_of_one_shape_are_read_one_after_the_other_by_their_headers(tmp_path):
    (tmp_path / "f.tar").write_bytes(tar({"n/2.csv": b"b,A\nz,3\n", "n/1.csv": TABLE, "._x": b"\x00"}))

    assert rows(tmp_path / "f.tar") == [(1, "1", "x"), (2, "2", "y"), (3, "3", "z")]
    assert rows(tmp_path / "f.tar", "*/2.csv") == [(1, "z", "3")]


def test_unreadable_records_of_members_are_numbered_through(tmp_path):
    (tmp_path / "f.tar").write_bytes(tar({"1.csv": b"a,b\n1,2\n3\n", "2.csv": b"a,b\n4\n5,6\n"}))

    with DuckDBEngine().session() as session:
        template = peek_file(tmp_path / "f.tar", session, scratch=tmp_path / "s").template
        records = read_records(tmp_path / "f.tar", template, session, scratch=tmp_path / "s")
        assert session.rows(f"SELECT _record FROM {records.table} ORDER BY 1") == [(1,), (4,)]
        assert session.rows(f"SELECT record, raw FROM {records.unreadable_table} ORDER BY 1") == [(2, "3"), (3, "4")]
        assert scan_records(tmp_path / "f.tar", template, session, scratch=tmp_path / "s") is None


def test_files_of_different_kinds_are_listed(tmp_path):
    (tmp_path / "f.tar").write_bytes(tar({"a.csv": TABLE, "b.json": b'[{"a": 1}]'}))

    with pytest.raises(UsageError, match=r"a\.csv \(csv\), b\.json \(json\)\. Say which: --member a\.csv"):
        rows(tmp_path / "f.tar")
    assert rows(tmp_path / "f.tar", "b.json") == [(1, "1")]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd])
def test_cut_files_are_damaged(tmp_path, pack):
    (tmp_path / "f.gz").write_bytes(pack(TABLE * 1000)[:-12])

    with pytest.raises(UsageError, match="damaged archive"):
        rows(tmp_path / "f.gz")


def test_what_unpacks_to_far_more_than_tables_do_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_SUSPECT_BYTES", 1 << 20)
    (tmp_path / "f.gz").write_bytes(gzip.compress(bytes(4 << 20)))

    with pytest.raises(UsageError, match="looks like a trap"):
        rows(tmp_path / "f.gz")


def test_a_workbook_in_a_zip_is_a_workbook(tmp_path):
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "b.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["a", "b"])
        sheet.write_row(1, 0, [1, "x"])
    with zipfile.ZipFile(tmp_path / "f.zip", "w") as archive:
        archive.write(tmp_path / "b.xlsx", "b.xlsx")

    assert rows(tmp_path / "f.zip") == [(1, "1", "x")]
