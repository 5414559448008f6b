from pathlib import Path

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.reading import read_records
from backbone.model.files import Template


def read(tmp_path: Path, data: str | bytes, template: Template | None = None, name: str = "f.csv"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    with DuckDBEngine().session() as session:
        records = read_records(path, template or Template(), session, scratch=tmp_path / "scratch")
        good = session.rows(f"SELECT * FROM {records.table} ORDER BY _record")
        bad = session.rows(f"SELECT record, raw FROM {records.unreadable_table} ORDER BY record")
        assert records.records == len(good)
        assert records.unreadable == len(bad)
        records.drop(session)
        return records.headers, good, bad


def test_records_keep_their_exact_text_and_number(tmp_path):
    headers, good, bad = read(tmp_path, 'id,name\n007, x \n1.10,"a, ""b"""\n')

    assert headers == ("id", "name")
    assert good == [(1, "007", " x "), (2, "1.10", 'a, "b"')]
    assert bad == []


def test_unreadable_records_are_counted_between_the_good_ones(tmp_path):
    _, good, bad = read(tmp_path, 'a,b,c\n1,2,3\n4,5\n"x\ny",2,3\n"q"z,1,2,3\n7,8,9\n1,2,3,4,5\n')

    assert good == [(1, "1", "2", "3"), (3, "x\ny", "2", "3"), (5, "7", "8", "9")]
    assert bad == [(2, "4,5"), (4, '"q"z,1,2,3'), (6, "1,2,3,4,5")]


def test_blank_lines_are_no_records(tmp_path):
    _, good, bad = read(tmp_path, "a,b\n\n1,2\n\n\n3\n\n4,5\n\n6\n7,8\n")

    assert good == [(1, "1", "2"), (3, "4", "5"), (5, "7", "8")]
    assert bad == [(2, "3"), (4, "6")]


def test_preamble_header_and_footer_are_no_records(tmp_path):
    template = Template(preamble_rows=2, footer_rows=1)

    _, good, bad = read(tmp_path, "Report\n\na,b\n1,2\n3\n4,5\nSource: us\n", template)

    assert good == [(1, "1", "2"), (3, "4", "5")]
    assert bad == [(2, "3")]


@pytest.mark.parametrize(
    ("data", "headers", "expected"),
    [
        ("", ("column_1",), []),
        ("a,b\n", ("a", "b"), []),
        ("a,b", ("a", "b"), []),
        ("a\n1\n2\n", ("a",), [(1, "1"), (2, "2")]),
        ("a,b,\n1,2,\n", ("a", "b"), [(1, "1", "2")]),
        ("\ufeffa,b\n1,2\n", ("a", "b"), [(1, "1", "2")]),
        ("a,b\r\n1,2\r\n", ("a", "b"), [(1, "1", "2")]),
        ("a,b\r1,2\r", ("a", "b"), [(1, "1", "2")]),
        ("a,b\r\n1,2\n3,4\r\n", ("a", "b"), [(1, "1", "2"), (2, "3", "4")]),
        ('a,"b\n  "\n1,2\n', ("a", "b\n  "), [(1, "1", "2")]),
    ],
)
def test_small_files(tmp_path, data, headers, expected):
    assert read(tmp_path, data) == (headers, expected, [])


def test_a_file_of_another_encoding(tmp_path):
    template = Template(encoding="windows-1252", delimiter=";")

    assert read(tmp_path, "n;p\nZoë;5€\n".encode("windows-1252"), template)[1] == [(1, "Zoë", "5€")]


def test_broken_utf8_is_one_unreadable_record(tmp_path):
    _, good, bad = read(tmp_path, b"a,b\n1,2\n\xff\xfe,3\n4,5\n")

    assert good == [(1, "1", "2"), (3, "4", "5")]
    assert [record for record, _ in bad] == [2]


def test_an_open_quote_takes_only_its_own_line(tmp_path):
    _, good, bad = read(tmp_path, 'a,b\n1,2\n3,"4\n5,6\n')

    assert good == [(1, "1", "2"), (3, "5", "6")]
    assert bad == [(2, '3,"4')]


def test_many_records_keep_their_order(tmp_path):
    lines = [f"{i},{i * 7}" if i % 1000 else f"{i}" for i in range(1, 200_001)]

    _, good, bad = read(tmp_path, "a,b\n" + "\n".join(lines) + "\n")

    assert all(number == int(a) for number, a, _ in good)
    assert [(r, raw) for r, raw in bad] == [(i, str(i)) for i in range(1000, 200_001, 1000)]


def test_json_array(tmp_path):
    data = '[{"id": "007", "n": 12.5, "t": ["x", "y"]}, 17, {"id": null, "more": true}]'

    headers, good, bad = read(tmp_path, data, Template(format="json"), "f.json")

    assert headers == ("id", "n", "t", "more")
    assert good == [(1, "007", "12.5", ["x", "y"], None), (3, None, None, None, "true")]
    assert bad == [(2, "17")]


def test_lines_of_json(tmp_path):
    data = '{"a": 1, "b/c": "x"}\n{"a": \n\n[1]\n{"a": 2}\n'

    headers, good, bad = read(tmp_path, data, Template(format="ndjson"), "f.ndjson")

    assert headers == ("a", "b/c")
    assert good == [(1, "1", "x"), (5, "2", None)]
    assert bad == [(2, '{"a": '), (4, "[1]")]


def test_json_that_is_none_says_so(tmp_path):
    with pytest.raises(UsageError, match=r"f\.json can't be read as json"):
        read(tmp_path, '[{"a": 1}, {"a": ', Template(format="json"), "f.json")


def test_parquet(tmp_path):
    with DuckDBEngine().session() as session:
        session.execute(f"COPY (SELECT 1 AS n, 1.50::DECIMAL(9,2) AS d, ['a'] AS l) TO '{tmp_path}/f.parquet'")
        records = read_records(tmp_path / "f.parquet", Template(format="parquet"), session, scratch=tmp_path)

        assert records.domains == ("integer", "decimal(2)", "text[]")
        assert session.rows(f"SELECT * FROM {records.table}") == [(1, "1", "1.50", ["a"])]


def test_formats_that_are_not_built_yet_are_named(tmp_path):
    with pytest.raises(UsageError, match="format 'hdf5' is not built yet"):
        read(tmp_path, "<a/>", Template(format="hdf5"))
