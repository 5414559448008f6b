"""Reading a file in slices at once gives what the longer way gives, whatever is in the file."""

from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import DatasetError
from backbone.formats.delimited import slices
from backbone.model.files import Column, LandedFile, Template
from backbone.model.names import literal
from backbone.model.project import Source
from backbone.model.steps import Format, Staging, Step
from backbone.zones.formatted import reading, stage_formatted

PIECES = st.sampled_from(
    ["a", "7", "é", "NA", ",", ";", '"', '""', "\n", "\r\n", "\n\n", " ", "\\", "'", "x,1.5\n", '"q\n",2\n', "12,7\n"]
)
GOOD = [f"t{i},{i}.25\n" for i in range(40)]


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


@pytest.fixture
def tiny_slices(monkeypatch):
    monkeypatch.setattr(slices, "_SLICE_BYTES", 40)
    monkeypatch.setattr(slices, "CHUNK_BYTES", 16)
    monkeypatch.setattr(slices, "_WAVE", 3)


def staged(engine, text, source):
    """All that comes of one file, in an order that means nothing."""
    with TemporaryDirectory() as folder, engine.session() as session:
        root, numbers = Path(folder), count(1)
        path = root / "landed"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        file = LandedFile(1, "s", "f.csv", path, "", path.stat().st_size, "", datetime(2026, 1, 1, tzinfo=UTC))
        step = Step(("formatted.s",), (), Format(source), {}, increments=True)
        staging = Staging(
            step, "full", "r1", root, lambda name: root / f"{name}-{next(numbers)}", 0, {}, {}, (file,), (file,),
            scratch=root / "x",
        )  # fmt: skip
        try:
            (one,) = stage_formatted(staging, session)
        except DatasetError as error:
            return str(error)
        left = sorted(p.name for p in root.glob("*.*") if p not in {*one.added, *one.quarantined, path})
        found = [_read(session, paths) for paths in (one.added, one.quarantined)]
        return found, one.ledger, one.note, [(f.rule.name, f.tested, f.broken) for f in one.findings], left


def _read(session, paths):
    return sorted(
        (str(r) for p in paths for r in session.rows(f"SELECT * FROM read_parquet({literal(str(p))})")), key=str
    )


def both_ways(engine, text, source):
    at_once_way = staged(engine, text, source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "write_at_once", lambda *_: False)
        return at_once_way, staged(engine, text, source)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(PIECES, st.sampled_from(GOOD)), max_size=60).map("".join),
    st.sampled_from([0, 1]),
    st.sampled_from(["quarantine", "null"]),
    st.sampled_from(['"', ""]),
)
def test_any_text_is_read_as_the_longer_way_reads_it(engine, body, header, bad_values, quote):
    template = Template(header_rows=header, quotechar=quote, escapechar=quote, null_tokens=("NA",))
    columns = (Column("name", "text", ("column_1",)), Column("n", "float", ("column_2",)))
    source = Source("s", template=template, columns=columns, bad_values=bad_values)
    text = ("name,n\n" if header else "") + "".join(GOOD) + body

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "_SLICE_BYTES", 40)
        patch.setattr(slices, "CHUNK_BYTES", 16)
        patch.setattr(slices, "_WAVE", 3)
        quick, exact = both_ways(engine, text, source)

    assert quick == exact


@pytest.mark.usefixtures("tiny_slices")
def test_a_file_in_many_slices_is_numbered_through(engine, monkeypatch):
    monkeypatch.setattr(reading, "read_records", lambda *_, **__: pytest.fail("the longer way was taken"))
    lines = [f'"line\n{i} ""x""",{i}' if i % 7 else f"line,{'bad' if i == 70 else i}" for i in range(400)]
    columns = (Column("name", "text"), Column("n", "integer"))

    (rows, aside), ledger, *_, left = staged(engine, "name,n\n" + "\n".join(lines), Source("s", columns=columns))

    assert (ledger.rows_in, ledger.rows_out, ledger.quarantined) == (400, 399, 1)
    assert str((1, 1, "line", 0)) in rows
    assert str((1, 399, 'line\n398 "x"', 398)) in rows
    assert "71, 'type(n)'" in aside[0]
    assert left == []


@pytest.mark.usefixtures("tiny_slices")
def test_odd_quotes_and_blank_lines_need_no_longer_way(engine, monkeypatch):
    monkeypatch.setattr(reading, "read_records", lambda *_, **__: pytest.fail("the longer way was taken"))
    text = "name,n\n" + "".join(f'{i}" pipe,{i}\n\n' for i in range(101))
    columns = (Column("name", "text"), Column("n", "integer"))

    (rows, _), ledger, *_ = staged(engine, text, Source("s", columns=columns))

    assert ledger.rows_out == 101
    assert str((1, 101, '100" pipe', 100)) in rows


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=80).map("".join), st.integers(1, 30), st.sampled_from(['"', "'", ""]))
def test_slices_are_the_file(text, size, quote):
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "_SLICE_BYTES", size)
        patch.setattr(slices, "CHUNK_BYTES", 7)
        patch.setattr(slices, "_WAVE", 2)
        path = Path(folder) / "f"
        path.write_bytes(text.encode())
        template = Template(quotechar=quote, escapechar=quote, header_rows=0)

        parts = [
            (one.path.read_bytes().decode(), one)
            for wave in slices.waves(path, template, Path(folder) / "x", width=2)
            for one in wave
        ]

        assert "".join(part for part, _ in parts) == text
        assert [one.before for _, one in parts] == [sum(o.records for _, o in parts[:i]) for i in range(len(parts))]
        assert all(part.endswith("\n") for part, _ in parts[:-1])
        assert not list((Path(folder) / "x").glob("*"))


KEYS = st.sampled_from(['"a"', '"b"', '"other"'])
VALUES = st.sampled_from(
    [
        "1",
        "-7",
        "1.5",
        "1e3",
        '"12"',
        '" 7"',
        '"x"',
        '"[x"',
        '"{x"',
        "null",
        "true",
        '"NA"',
        '"é"',
        "[1]",
        "{}",
        '"\\n"',
    ]
)
OBJECTS = st.lists(st.tuples(KEYS, VALUES), max_size=3).map(lambda p: "{" + ", ".join(f"{k}: {v}" for k, v in p) + "}")
ODD_LINES = ["", " ", "5", "[]", "null", "{", '{"a": 1} {"a": 2}', '{"a":1,}', '{"b": "x", "a": 1}']
LINES = st.one_of(OBJECTS, OBJECTS, st.sampled_from(ODD_LINES))


@settings(max_examples=40, deadline=None)
@given(st.lists(LINES, max_size=12), st.sampled_from(["ndjson", "json"]), st.sampled_from(["quarantine", "null"]))
def test_any_json_is_read_as_the_longer_way_reads_it(engine, lines, form, bad_values):
    good = [f'{{"a": {i}, "b": "t{i}"}}' for i in range(60)]
    text = "\n".join([*good, *lines]) if form == "ndjson" else f"[{', '.join([*good, *filter(None, lines)])}]"
    source = Source(
        "s", template=Template(format=form, null_tokens=("NA",)), columns=(Column("a", "integer"), Column("b", "text")),
        bad_values=bad_values,
    )  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "_SLICE_BYTES", 300)
        patch.setattr(slices, "CHUNK_BYTES", 64)
        quick, exact = both_ways(engine, text, source)

    assert quick == exact


PARQUET = """SELECT * FROM (VALUES
    (1::{i}, 1.5::{f}, 1.25::{d}, true, DATE '2024-01-31', TIMESTAMP '2024-01-31 10:00:00.5', 'x', ['a', NULL]),
    (-7, 'nan', -0.01, false, DATE '0044-03-15 (BC)', TIMESTAMP '9999-12-31 23:59:59', 'NA', []),
    (NULL, 'inf', NULL, NULL, 'infinity', '-infinity', ' NA ', NULL),
    (100, -0.0, 99.99, true, DATE '10000-01-01', TIMESTAMP '10000-01-01', '', ['NA']))
    AS t(i, f, d, b, day, moment, s, l) UNION ALL
    SELECT n, n, 0.5, true, DATE '2020-01-01', TIMESTAMP '2020-01-01', 'y', ['z'] FROM range(1000) AS r(n)"""
TYPES = [("BIGINT", "DOUBLE", "DECIMAL(18,2)"), ("INTEGER", "FLOAT", "DECIMAL(9,2)"), ("SMALLINT", "DOUBLE", "DOUBLE")]


@pytest.mark.parametrize("types", TYPES)
@pytest.mark.parametrize("tokens", [("NA",), ("NA", "nan", "infinity"), ("-7", "100"), ("true",), ()])
@pytest.mark.parametrize("bad_values", ["quarantine", "null"])
def test_parquet_is_read_as_the_longer_way_reads_it(engine, types, tokens, bad_values, tmp_path):
    file = tmp_path / "f.parquet"
    rows = PARQUET.format(**dict(zip("ifd", types, strict=True)))
    engine.connection.execute(f"COPY ({rows}) TO {literal(str(file))} (FORMAT parquet)")
    domains = {"i": "integer", "f": "float", "d": "decimal(2)", "b": "boolean", "day": "date", "moment": "timestamp"}
    columns = tuple(Column(name, domain) for name, domain in {**domains, "s": "text", "l": "text[]"}.items())
    source = Source(
        "s", template=Template(format="parquet", null_tokens=tokens), columns=columns, bad_values=bad_values
    )

    quick, exact = both_ways(engine, file.read_bytes(), source)

    assert quick == exact


@pytest.mark.parametrize("form", ["json", "ndjson", "parquet"])
def test_usual_files_need_no_longer_way(engine, form, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "read_records", lambda *_, **__: pytest.fail("the longer way was taken"))
    file = tmp_path / "f"
    query = "SELECT n AS i, n / 4 AS f, n % 2 = 0 AS b, DATE '2024-01-31' AS d, 'é' || n AS s FROM range(1000) AS r(n)"
    kind = {"json": "json, ARRAY true", "ndjson": "json", "parquet": "parquet"}[form]
    engine.connection.execute(f"COPY ({query}) TO {literal(str(file))} (FORMAT {kind})")
    domains = {"i": "integer", "f": "float", "b": "boolean", "d": "date", "s": "text"}
    source = Source("s", template=Template(format=form), columns=tuple(Column(*one) for one in domains.items()))

    (rows, _), ledger, *_ = staged(engine, file.read_bytes(), source)

    assert ledger.rows_out == 1000
    assert str((1, 1000, 999, 249.75, False, date(2024, 1, 31), "é999")) in rows
