"""Every kind of polluted file is read as what it is, with nothing said of it; see pollution.py."""

from dataclasses import replace
from itertools import islice

import pytest
from pollution import Polluted, files

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.formats.detection import detect_template
from backbone.formats.reading import read_records

MANY = 7
"""Tables, each written in more than 300 ways: 2,000 files and more."""


def relation(one: Polluted, session, folder, *, lenient: bool):
    """The headers, rows and number of unreadable records that are found in a file."""
    path = folder / "odd.csv"
    path.write_bytes(one.data)
    template = replace(detect_template(path), lenient=lenient)
    records = read_records(path, template, session, scratch=folder / "scratch")
    try:
        rows = session.rows(f"SELECT * EXCLUDE (_record) FROM {records.table} ORDER BY _record")
        header = list(records.headers) if template.header_rows else None
        return header, [[cell or "" for cell in row] for row in rows], records.unreadable
    finally:
        records.drop(session)


def misread(seed: int, folder, some: int = 1) -> list[str]:
    """The files of a seed, or every so many of them, that are read as anything else than what was written."""
    wrong = []
    with DuckDBEngine().session() as session:
        for one in islice(files(seed), None, None, some):
            found = relation(one, session, folder, lenient=not one.certain)
            if found != (one.header, one.rows, 0):
                wrong.append(f"{seed}: {one.name}")
    return wrong


def test_polluted_files_are_read_as_what_was_written(tmp_path):
    assert misread(0, tmp_path, some=4) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, MANY))
def test_many_polluted_files_are_read_as_what_was_written(tmp_path, seed):
    assert misread(seed, tmp_path) == []


def test_what_is_not_certain_is_set_aside(tmp_path):
    torn = [one for one in files(0) if one.name.startswith(("too few", "line end within"))]
    with DuckDBEngine().session() as session:
        for one in torn[::3]:
            _, rows, unreadable = relation(one, session, tmp_path, lenient=False)
            assert unreadable > 0, one.name
            assert all(row in one.rows for row in rows), one.name


def test_blank_lines_of_one_column_are_records_when_mended_too(tmp_path):
    odd = Polluted("", b'n\n1\n\n"2\n\n3\n', ["n"], [["1"], [""], ['"2'], [""], ["3"]])
    with DuckDBEngine().session() as session:
        assert relation(odd, session, tmp_path, lenient=True) == (odd.header, odd.rows, 0)
