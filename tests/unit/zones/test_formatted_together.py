"""Small files are read together, and give what each gives by itself, whatever is in one of them."""

from datetime import UTC, datetime
from itertools import count

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import DatasetError
from backbone.model.files import Column, FileNamePattern, LandedFile, Template
from backbone.model.names import literal
from backbone.model.project import Source
from backbone.model.steps import Format, Staging, Step
from backbone.zones.formatted import reading, stage_formatted

USUAL = ["name,n\na,1\nb,NA\n", "name,n\nc,3\n", 'name,n\n"d, e",4\n']
COLUMNS = (Column("name", "text"), Column("n", "integer"))


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


def staged(engine, root, texts, source, *, together):
    """All that comes of some files, and the number of files written."""
    numbers, files = count(1), []
    root.mkdir()
    for i, text in enumerate(texts, 1):
        path = root / f"f[{i}]*?.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        arrived = datetime(2026, 1, 1, tzinfo=UTC)
        files.append(LandedFile(i, "s", path.name, path, "", path.stat().st_size, "", arrived))
    step = Step(("formatted.s",), (), Format(source), {}, increments=True)
    staging = Staging(
        step, "full", "r1", root, lambda _: root / f"{next(numbers)}.parquet", 0, {}, {}, tuple(files), tuple(files),
        scratch=root / "x",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, engine.session() as session:
        patch.setattr(reading, "_TOGETHER", together)
        try:
            (one,) = stage_formatted(staging, session)
        except DatasetError as error:
            return str(error), 0
        rows, aside = (
            sorted(str(r) for p in paths for r in session.rows(f"SELECT * FROM {literal(str(p))}"))
            for paths in (one.added, one.quarantined)
        )
    left = {p.name for p in root.glob("*.parquet")} - {p.name for p in (*one.added, *one.quarantined)}
    findings = [(f.rule.name, f.tested, f.broken) for f in one.findings]
    return (rows, aside, one.ledger, one.note, findings, left), len(one.added)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "name,n\n",
        "name,n",
        "name,n\nlast,5",
        "name,n\nbad,late\n",
        "name,n\n+,+5\n pad, 7\nblank, NA\n",
        "name,n\nshort\n",
        'name,n\n"open,1\n',
        'name,n\n"two\nlines",1\n',
        "name,n\n\n\nafter blanks,1\n\n",
        "n,name\n1,swapped\n",
        "name\nlacks\n",
        "name,n,more\na,1,2\n",
        "name,n\r\ncarriage,1\r\n",
        b"name,n\n\xff,1\n",
        b"name,n\nnul\x00,1\n",
    ],
)
def test_a_file_among_others_gives_what_it_gives_by_itself(engine, tmp_path, odd):
    source = Source("s", template=Template(null_tokens=("NA",)), columns=COLUMNS)
    texts = [*USUAL, odd, *USUAL]

    quick, _ = staged(engine, tmp_path / "together", texts, source, together=100)
    exact, _ = staged(engine, tmp_path / "singly", texts, source, together=1)

    assert quick == exact


def test_usual_files_are_written_as_one(engine, tmp_path):
    source = Source("s", template=Template(null_tokens=("NA",)), columns=COLUMNS)

    (rows, aside, ledger, *_), written = staged(engine, tmp_path / "x", USUAL * 20, source, together=30)

    assert written == 2
    assert ledger.rows_in == ledger.rows_out == 80
    assert str((60, 1, "d, e", 4)) in rows
    assert aside == []


def test_columns_from_file_names_are_those_of_each_file(engine, tmp_path):
    pattern = FileNamePattern(r"f\[(\d+)\].*", (Column("number", "integer"),))
    source = Source("s", template=Template(null_tokens=("NA",)), columns=COLUMNS, file_name=pattern)

    (rows, *_), _ = staged(engine, tmp_path / "x", USUAL, source, together=100)

    assert str((3, 1, "d, e", 4, 3)) in rows
