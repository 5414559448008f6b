from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import DatasetError
from backbone.model.files import Column, FileNamePattern, LandedFile, Template
from backbone.model.project import Source
from backbone.model.steps import Extent, Format, Ledger, Staging, Step
from backbone.zones.formatted import stage_formatted

AMOUNTS = (Column("id", "text"), Column("amount", "integer"))


class Lake:
    """Stages files one run after the other, and holds what was staged, as the lake would."""

    def __init__(self, root: Path, source: Source) -> None:
        self.root, self.source = root, source
        self.files: list[LandedFile] = []
        self.numbers = count(1)
        self.current: Extent | None = None
        self.quarantine: list[tuple[object, ...]] = []

    def land(self, text: str, name: str | None = None) -> LandedFile:
        number = len(self.files) + 1
        path = self.root / f"landed-{number}"
        path.write_text(text, encoding="utf-8")
        arrived = datetime(2026, 1, number, tzinfo=UTC)
        file = LandedFile(number, "s", name or f"f{number}.csv", path, "", path.stat().st_size, "", arrived)
        self.files.append(file)
        return file

    def new_file(self, dataset: str) -> Path:
        return self.root / f"{dataset}-{next(self.numbers)}.parquet"

    def run(self, *texts: str, full: bool = False):
        files = tuple(self.land(text) for text in texts)
        dataset = "formatted.s"
        step = Step((dataset,), (), Format(self.source), {}, increments=True)
        how = "full" if full or self.current is None else "incremental"
        current = {dataset: self.current} if self.current else {}
        staging = Staging(
            step, how, "r1", self.root, self.new_file, 0, {}, current, files, tuple(self.files), scratch=self.root / "x"
        )
        with DuckDBEngine().session() as session:
            (staged,) = stage_formatted(staging, session)
            kept = () if staged.replaces or self.current is None else self.current.added
            self.current = Extent(dataset, staged.relation, added=(*kept, *staged.added))
            if staged.replaces:
                self.quarantine = []
            for path in staged.quarantined:
                rows = f"SELECT file, record, rule, reason, raw FROM read_parquet('{path}')"
                self.quarantine += session.rows(rows)
            assert staged.rows == self._count(session)
        return staged

    def _count(self, session) -> int:
        session.show(self.current)
        return session.rows("SELECT count(*) FROM formatted.s")[0][0]

    def rows(self):
        with DuckDBEngine().session() as session:
            session.show_system(True)
            session.show(self.current)
            return session.rows("SELECT * FROM formatted.s ORDER BY _file, _record")

    @property
    def columns(self):
        return {a.name: a.domain for a in self.current.relation.visible}


def test_rows_keep_file_and_record(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS))

    staged = lake.run("id,amount\n007,1\nx\n8, -2 \n", "amount,id\n3,a\n")

    assert lake.rows() == [(1, 1, "007", 1), (1, 3, "8", -2), (2, 1, "a", 3)]
    assert lake.quarantine == [(1, 2, "parser", "Expected Number of Columns: 2 Found: 1", "x")]
    assert staged.ledger == staged.delta == Ledger(4, 3, 1)
    assert staged.replaces
    assert [(f.rule.name, f.tested, f.broken, f.level) for f in staged.findings] == [("parser", 4, 1, "set_aside")]


GOOD = "".join(f"{i},{i}\n" for i in range(30))


@pytest.mark.parametrize("value", ["12.7", "1e3", "0x1F", "1_000", "abc", "9223372036854775808"])
def test_a_value_that_is_no_integer_sets_its_row_aside(tmp_path, value):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS))

    staged = lake.run(f"id,amount\n{GOOD}x,{value}\n")

    assert len(lake.rows()) == 30
    raw = f'{{"id":"x","amount":"{value}"}}'
    assert lake.quarantine == [(1, 31, "type(amount)", f"'{value}' is no integer", raw)]
    assert staged.findings[0].examples == (f"1:31 '{value}' is no integer",)


def test_a_value_that_is_no_integer_becomes_null_where_the_source_says_so(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS, bad_values="null"))

    staged = lake.run(f"id,amount\n{GOOD}x,abc\n")

    assert lake.rows()[30] == (1, 31, "x", None)
    assert [(f.rule.action, f.broken, f.level) for f in staged.findings] == [("null", 1, "repaired")]
    assert staged.ledger == Ledger(31, 31)


def test_null_tokens_of_a_column_replace_the_template_s(tmp_path):
    template = Template(null_tokens=("NA",))
    columns = (Column("code", "text", null_tokens=("",)), Column("n", "integer"))
    lake = Lake(tmp_path, Source("s", template=template, columns=columns))

    lake.run("code,n\nNA, NA \n,1\n")

    assert lake.rows() == [(1, 1, "NA", None), (1, 2, None, 1)]


def test_headers_match_by_spelling(tmp_path):
    columns = (Column("import_eur", "integer", ("Import_€",)), Column("city_name", "text", ("City  Name",)))
    lake = Lake(tmp_path, Source("s", columns=columns))

    lake.run('"Import_€     "," CITY NAME "\n1,x\n', "city_name,import_€\ny,2\n")

    assert lake.rows() == [(1, 1, 1, "x"), (2, 1, 2, "y")]


def test_a_new_column_is_null_in_earlier_rows(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS))
    lake.run("id,amount\na,1\n")

    staged = lake.run("id,amount,Shop No\nb,2,3\n")

    assert lake.rows() == [(1, 1, "a", 1, None), (2, 1, "b", 2, 3)]
    assert staged.note == "f2.csv brought column shop_no (integer)"
    assert not staged.replaces
    assert staged.ledger is None
    assert staged.delta == Ledger(1, 1)
    assert lake.run("id,amount\nc,3\n").note == ""
    assert lake.rows()[-1] == (3, 1, "c", 3, None)
    lake.run("id,amount,Shop No\nd,4,5\n")
    assert lake.rows()[-1] == (4, 1, "d", 4, 5)


def test_a_missing_column_is_null_and_noted(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS))

    assert lake.run("id\na\n").note == "f1.csv lacks column amount"
    assert lake.rows() == [(1, 1, "a", None)]


def test_a_type_that_drifts_is_read_again_from_landing(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS))
    lake.run("id,amount\na,007\n")

    staged = lake.run("id,amount\nb,A12\nc,x\n")

    assert lake.rows() == [(1, 1, "a", "007"), (2, 1, "b", "A12"), (2, 2, "c", "x")]
    assert staged.replaces
    assert staged.ledger == Ledger(3, 3)
    assert "amount became text" in staged.note
    assert not lake.run("id,amount\nd,1\n").replaces
    assert lake.rows()[-1] == (3, 1, "d", "1")


def test_an_integer_becomes_a_float_only_if_that_is_exact(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS))
    lake.run("id,amount\na,1\n")
    lake.run("id,amount\nb,1.5\nc,2.5\n")
    assert lake.columns["amount"] == "float"

    lake.run("id,amount\nd,9007199254740993\n")

    assert lake.columns["amount"] == "text"
    assert lake.rows()[-1] == (3, 1, "d", "9007199254740993")


def test_incremental_equals_full(tmp_path):
    texts = ["id,amount\na,1\nb\n", "id,amount,x\nb,2,1.5\n", "x,id,amount\ny,d,1.5\nz,e,2\n", "id,amount\nf,?\n"]
    step_by_step, at_once = Lake(tmp_path, Source("s", columns=AMOUNTS)), Lake(tmp_path, Source("s", columns=AMOUNTS))
    for text in texts:
        step_by_step.run(text)

    at_once.run(*texts)

    assert step_by_step.columns == {"id": "text", "amount": "text", "x": "text"}
    assert step_by_step.current.relation == at_once.current.relation
    assert step_by_step.rows() == at_once.rows()
    assert sorted(step_by_step.quarantine) == sorted(at_once.quarantine)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,amount,new\na,1,2\n", "new column 'new'"),
        ("id\na\n", "column amount is missing"),
        ("id,amount\na,x\nb,y\n", r"2 of 2 values of amount \(100.0%\) are no integer, such as 'x'"),
    ],
)
def test_frozen_contracts_fail_the_dataset(tmp_path, text, message):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS, contract="freeze"))

    with pytest.raises(DatasetError, match=message):
        lake.run(text)

    assert list(tmp_path.glob("*.parquet")) == []


def test_a_contract_can_set_a_whole_file_aside(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS, contract="quarantine"))
    lake.run("id,amount\na,1\n")

    staged = lake.run("id,amount,new\nb,2,3\n")

    raw = '{"id":"b","amount":"2","new":"3"}'
    assert lake.quarantine == [(2, 1, "contract", "new column 'new'", raw)]
    assert staged.delta == Ledger(1, 0, 1)
    assert len(lake.rows()) == 1


def test_a_column_may_have_a_contract_of_its_own(tmp_path):
    columns = (Column("id", "integer", contract="freeze"), Column("amount", "integer"))
    lake = Lake(tmp_path, Source("s", columns=columns))

    lake.run("id,amount,new\n1,x,2\n")

    with pytest.raises(DatasetError, match="values of id"):
        lake.run("id,amount\nx,1\ny,1\n")


def test_columns_from_the_name_of_the_file(tmp_path):
    pattern = FileNamePattern(r"f(\d)(x?)\.csv", (Column("number", "integer"), Column("mark", "text")))
    lake = Lake(tmp_path, Source("s", columns=(Column("id", "text"),), file_name=pattern))

    lake.run("id\na\n")

    assert lake.rows() == [(1, 1, "a", 1, "")]


def test_a_source_without_columns_infers_them(tmp_path):
    lake = Lake(tmp_path, Source("s"))
    lake.run("id,n\na,1\nb,NA\n")

    lake.run("id,n\nc,2\n")

    assert lake.columns == {"id": "text", "n": "integer"}
    assert [row[2:] for row in lake.rows()] == [("a", 1), ("b", None), ("c", 2)]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    lake = Lake(tmp_path, Source("s", template=Template(format="json"), columns=AMOUNTS))

    with pytest.raises(DatasetError, match=r"landed file 1, f1\.csv: .* can't be read as json"):
        lake.run('[{"id": 1')


def test_empty_files_make_an_empty_dataset(tmp_path):
    lake = Lake(tmp_path, Source("s", columns=AMOUNTS))

    staged = lake.run("id,amount\n")

    assert staged.ledger == Ledger(0, 0)
    assert lake.rows() == []


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        (Column("v", "decimal(2)"), "1.50", "1.50"),
        (Column("v", "decimal(2)", decimal=",", thousands="."), '"1.234,5"', "1234.50"),
        (Column("v", "float", thousands=","), '"1,234.5"', "1234.5"),
        (Column("v", "date", format="%d/%m/%Y"), "31/12/2024", "2024-12-31"),
        (Column("v", "timestamp"), "2024-12-31T10:00", "2024-12-31 10:00:00"),
        (Column("v", "timestamp_tz"), "2024-12-31T10:00+02:00", "2024-12-31 08:00:00+00"),
        (Column("v", "timestamp_tz"), "2024-12-31T10:00:00Z", "2024-12-31 10:00:00+00"),
        (Column("v", "boolean"), "Yes", "true"),
        (Column("v", "time"), "9:05", "09:05:00"),
        (Column("v", "json"), '"{""a"": 1}"', '{"a": 1}'),
        (Column("v", "text[]"), "x", "[x]"),
    ],
)
def test_domains(tmp_path, column, text, value):
    lake = Lake(tmp_path, Source("s", columns=(column,)))

    lake.run(f"v\n{text}\n")

    with DuckDBEngine().session() as session:
        session.show(lake.current)
        assert session.rows("SELECT v::VARCHAR FROM formatted.s") == [(value,)]


@pytest.mark.parametrize(
    ("domain", "text"),
    [
        ("decimal(2)", "1.555"),
        ("float", "nan"),
        ("float", "1e999"),
        ("date", "infinity"),
        ("date", "2024-02-30"),
        ("date", "2024-01-01 10:00"),
        ("timestamp", "2024-01-01T10:00+02:00"),
        ("timestamp", "2024-01-01T10:00:00.1234567"),
        ("time", "24:00"),
        ("boolean", "perhaps"),
        ("json", "{"),
    ],
)
def test_what_a_domain_cannot_hold_is_never_bent(tmp_path, domain, text):
    lake = Lake(tmp_path, Source("s", columns=(Column("v", domain),), contract="quarantine"))

    lake.run(f"v\n{text}\n")

    assert lake.rows() == []
    assert len(lake.quarantine) == 1


@pytest.mark.parametrize("bad_values", ["quarantine", "null"])
def test_numbers_of_many_records(tmp_path, bad_values):
    columns = (Column("id", "integer"), Column("amount", "integer"))
    lake = Lake(tmp_path, Source("s", columns=columns, bad_values=bad_values))
    bad = {1, 77_777, 150_000}
    text = "".join(f"{i},{'?' if i in bad else i}\n" for i in range(1, 150_001))

    staged = lake.run(f"id,amount\n{text}")

    rows = [(1, i, i, None if i in bad else i) for i in range(1, 150_001)]
    if bad_values == "quarantine":
        rows = [row for row in rows if row[1] not in bad]
        assert {entry[1] for entry in lake.quarantine} == bad
    assert lake.rows() == rows
    assert (staged.findings[0].tested, staged.findings[0].broken) == (150_000, 3)
