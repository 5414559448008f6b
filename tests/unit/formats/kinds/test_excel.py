from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
import xlsxwriter

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.kinds import kind_named
from backbone.formats.kinds.excel import number_text
from backbone.formats.peek import Peeked, Wanted, peek_file
from backbone.formats.reading import read_records

ENCRYPTED = bytes(600) + "EncryptedPackage".encode("utf-16-le")


def look(path: Path, part: str | None = None) -> tuple[Peeked, list[tuple[object, ...]]]:
    with DuckDBEngine().session() as session:
        scratch = path.parent / "scratch"
        peeked = peek_file(path, session, scratch=scratch, wanted=Wanted(part))
        records = read_records(path, peeked.template, session, scratch=scratch)
        return peeked, session.rows(f"SELECT * FROM {records.table} ORDER BY _record")


@pytest.fixture
def book(tmp_path):
    book = xlsxwriter.Workbook(tmp_path / "f.xlsx", {"default_date_format": "yyyy-mm-dd"})
    yield book
    if not book.fileclosed:
        book.close()


def test_cells_are_exact_stable_text(tmp_path, book):
    moment, clock = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}), book.add_format({"num_format": "hh:mm:ss"})
    hours = book.add_format({"num_format": "[hh]:mm:ss"})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["id", "whole", "part", "is", "day", "at", "clock", "took"])
    sheet.write_row(1, 0, ["007", 1, 0.1, True])
    sheet.write_datetime(1, 4, date(2024, 1, 5))
    sheet.write_datetime(1, 5, datetime.fromisoformat("2024-01-05 10:11:12"), moment)
    sheet.write_datetime(1, 6, time(9, 30, 1), clock)
    sheet.write_datetime(1, 7, timedelta(hours=30, minutes=5), hours)
    sheet.write_row(2, 0, ["Zoë, 'x'\n\"y\"", -3, 1e-7, False])
    book.close()

    peeked, rows = look(tmp_path / "f.xlsx")

    assert rows == [
        (1, "007", "1", "0.1", "true", "2024-01-05", "2024-01-05 10:11:12", "09:30:01", "30:05:00"),
        (2, "Zoë, 'x'\n\"y\"", "-3", "1e-07", "false", None, None, None, None),
    ]
    domains = ["text", "integer", "float", "boolean", "date", "timestamp", "time", "text"]
    assert [c.domain for c in peeked.columns] == domains


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1 + 0.2, "0.3"),
        (0.1, "0.1"),
        (1e20, "1e+20"),
        (-2.5, "-2.5"),
        (1 / 3, repr(1 / 3)),
        (2.0**53, "9007199254740992"),
    ],
)
def test_numbers_have_no_noise_and_lose_nothing(value, text):
    assert number_text(value) == text


def test_title_merged_headers_empty_rows_and_a_remark_are_no_records(tmp_path, book):
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 4, "A report")
    sheet.merge_range(2, 1, 3, 1, "Name")
    sheet.merge_range(2, 2, 2, 3, "Scores")
    sheet.write_row(3, 2, ["first", "second"])
    for i in range(6):
        sheet.write_row(5 + i + i // 3, 1, [f"n{i}", i, i / 2])
    sheet.write(14, 1, "Source: us")
    book.close()

    peeked, rows = look(tmp_path / "f.xlsx")

    assert [c.name for c in peeked.columns] == ["name", "scores_first", "scores_second"]
    assert rows == [(i + 1, f"n{i}", str(i), number_text(i / 2)) for i in range(6)]
    place = kind_named("excel").place(tmp_path / "f.xlsx", peeked.template, 4)
    assert place == "row 10 of sheet 'Sheet1'"


def test_the_largest_visible_sheet_is_chosen_and_the_others_are_named(tmp_path, book):
    book.add_worksheet("Cover").write(0, 0, "hello")
    for name, rows in (("Data", 3), ("Hidden", 9)):
        sheet = book.add_worksheet(name)
        for i in range(rows):
            sheet.write_row(i, 0, ["a", "b"] if not i else [i, name])
    book.get_worksheet_by_name("Hidden").hide()
    book.close()

    peeked, _ = look(tmp_path / "f.xlsx")

    assert peeked.template.sheet == "Data"
    assert "the others are 'Cover', 'Hidden'" in peeked.evidence[0]
    assert look(tmp_path / "f.xlsx", "Hidden")[0].records == 8
    with pytest.raises(UsageError, match=r"no sheet 'Date'\. Did you mean 'Data'"):
        look(tmp_path / "f.xlsx", "Date")


def test_old_workbooks_and_open_documents(tmp_path):
    import xlwt
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    old = xlwt.Workbook()
    sheet = old.add_sheet("S")
    document, table = OpenDocumentSpreadsheet(), Table(name="S")
    for i, row in enumerate([["n", "m"], [1, "x"], [2.5, "ÿ"]]):
        line = TableRow()
        for j, value in enumerate(row):
            sheet.write(i, j, value)
            kind = "float" if not isinstance(value, str) else "string"
            cell = TableCell(valuetype=kind, **({"value": value} if kind == "float" else {}))
            cell.addElement(P(text=str(value)))
            line.addElement(cell)
        table.addElement(line)
    old.save(str(tmp_path / "f.xls"))
    document.spreadsheet.addElement(table)
    document.save(str(tmp_path / "f.ods"))

    for name in ("f.xls", "f.ods"):
        assert look(tmp_path / name)[1] == [(1, "1", "x"), (2, "2.5", "ÿ")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04 broken", "damaged workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged workbook"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password",
        ),
        (b"a,b\n1,2\n", "no workbook, whatever its name says"),
        (b"", "no workbook, whatever its name says"),
    ],
)
def test_what_is_no_workbook_says_so(tmp_path, data, message):
    (tmp_path / "f.xlsx").write_bytes(data)

    with pytest.raises(UsageError, match=message):
        look(tmp_path / "f.xlsx")


def test_a_workbook_without_values(tmp_path, book):
    book.add_worksheet()
    book.close()

    with pytest.raises(UsageError, match="no cells with values"):
        look(tmp_path / "f.xlsx")
