import zipfile
from pathlib import Path

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.peek import Peeked, peek_file
from backbone.model.files import Template


def peek(tmp_path: Path, data: str | bytes, name: str = "f.csv", template: Template | None = None) -> Peeked:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return look(path, template)


def look(path: Path, template: Template | None = None) -> Peeked:
    with DuckDBEngine().session() as session:
        return peek_file(path, session, scratch=path.parent / "scratch", template=template)


def column(tmp_path: Path, *values: str, header: str = "x"):
    peeked = peek(tmp_path, f"row,{header}\n" + "".join(f'r{i},"{v}"\n' for i, v in enumerate(values)))
    return peeked.columns[1], peeked


@pytest.mark.parametrize(
    ("values", "domain"),
    [
        (["1", "-2", "3"], "integer"),
        (["1", "2.5", ""], "float"),
        (["1e5", ".5", "2"], "float"),
        (["007", "123", "4"], "text"),
        (["1234567890123456789", "2", "3"], "text"),
        (["12", "12A", *map(str, range(100))], "text"),
        (["3-5", *map(str, range(100))], "text"),
        (["abc", *map(str, range(5))], "integer"),
        (["abc", "def", *map(str, range(5))], "text"),
        (["12 EUR", *map(str, range(50))], "integer"),
        (["true", "False"], "boolean"),
        (["yes", "no", "yes"], "boolean"),
        (["T", "F"], "boolean"),
        (["F", "F"], "text"),
        (["0", "1"], "integer"),
        (["2024-01-31", "2024-02-29"], "date"),
        (["2024-01-31 10:00", "2024-02-29T11:00:05.5"], "timestamp"),
        (["2024-01-31T10:00:00Z", "2024-02-29T11:00+02:00"], "timestamp_tz"),
        (["10:00", "23:59"], "time"),
        (["10:00 AM", "3:59 pm"], "time"),
        (["sí", "no", "NO"], "boolean"),
        (["Ja", "Nein"], "boolean"),
        (["VRAI", "FAUX"], "boolean"),
        (["N", "S"], "text"),
        (["no", "maybe"], "text"),
        (["1 234", "12 345 678", "5"], "integer"),
        (["1 234,5", "2"], "float"),
        (["1'234.50", "2\u2019000"], "float"),
        (["12,34,567", "1,23,456.5"], "float"),
        (["1.234,56", "1,234.56", "12.5", "12,5"], "float"),
        (["1.234", "1,234", "12.5", "12,5"], "text"),
        (["+34600123456", "+34600123457"], "text"),
        (["20240131", "20240229", "20240301", "20240401", "20240501", "20240601"], "date"),
        (["20240131", "20240231", "20240301", "20240401", "20240501", "20240601"], "integer"),
        (["2024-01-31 10:00:00 +0100", "2024-02-29 11:00 UTC"], "timestamp_tz"),
        (["Sat, 05 Jan 2013 10:00:00 +0100", "Sun, 06 Jan 2013 10:00:00 -0500"], "timestamp_tz"),
        (["12%", "3.5 %"], "text"),
        (["€5", "€ 6.50"], "text"),
        (["a", "b"], "text"),
        (["", ""], "text"),
    ],
)
def test_domains_are_inferred_from_all_values(tmp_path, values, domain):
    assert column(tmp_path, *values)[0].domain == domain


@pytest.mark.parametrize(
    ("values", "domain", "form"),
    [
        (["13/01/2024", "02/03/2024"], "date", "%d/%m/%Y"),
        (["01/13/2024", "02/03/2024"], "date", "%m/%d/%Y"),
        (["01.02.2024", "02.03.2024"], "date", "%d.%m.%Y"),
        (["13/01/2024 10:00", "02/03/2024 11:30"], "timestamp", "%d/%m/%Y %H:%M"),
        (["13/01/2024 1:00 PM", "02/03/2024 11:30 am"], "timestamp", "%d/%m/%Y %I:%M %p"),
        (["13/01/24", "02/03/24"], "date", "%d/%m/%y"),
        (["13-01-24", "02-03-24"], "text", None),
        (["31-01-99", "28-03-98"], "date", "%d-%m-%y"),
        (["2024.01.31", "2024.02.01"], "date", "%Y.%m.%d"),
        (["5 Jan 2024", "12 August 2024"], "date", "%d %B %Y"),
        (["5. März 2024", "12. Dezember 2024"], "date", "%d %B %Y"),
        (["sábado, 5 de enero de 2013", "6 de agosto de 2013"], "date", "%d %B %Y"),
        (["1er mars 2024", "12 août 2024"], "date", "%d %B %Y"),
        (["5 d'abril de 2024", "12 de maig de 2024"], "date", "%d %B %Y"),
        (["05JAN2013", "06FEB2013"], "date", "%d %B %Y"),
        (["January 5th, 2024", "Feb 6, 2024"], "date", "%B %d %Y"),
        (["2024 Jan 5", "2024-Feb-06"], "date", "%Y %B %d"),
        (["5-Jan-24", "12-Feb-23"], "date", "%d %B %y"),
        (["Jan 5, 2024, 3:04 PM", "Feb 6, 2024 11:30 AM"], "timestamp", "%B %d %Y %I:%M %p"),
        (["5 potatoes 2024", "12 apples 2024"], "text", None),
        (["01/02/2024", "02/03/2024"], "text", None),
        (["13/01/2024", "02/13/2024"], "text", None),
    ],
)
def test_the_order_of_day_and_month_is_decided_by_evidence(tmp_path, values, domain, form):
    found, _ = column(tmp_path, *values)

    assert (found.domain, found.format) == (domain, form)


def test_an_undecidable_date_is_noted(tmp_path):
    _, peeked = column(tmp_path, "01/02/2024", "02/03/2024")

    assert peeked.evidence == ("x: day or month first can't be told from the values: kept as text",)


@pytest.mark.parametrize(
    ("values", "decimal", "thousands", "domain"),
    [
        (["1,5", "2,25"], ",", ".", "float"),
        (["1.234,5", "2"], ",", ".", "float"),
        (["1,234.5", "1,234,567"], None, ",", "float"),
        (["1,234", "2,345"], None, None, "text"),
    ],
)
def test_decimal_commas_and_thousands(tmp_path, values, decimal, thousands, domain):
    found, _ = column(tmp_path, *values)

    assert (found.domain, found.decimal, found.thousands) == (domain, decimal, thousands)


@pytest.mark.parametrize(
    ("header", "values", "domain"),
    [
        ("zip", ["90210", "10001"], "text"),
        ("Código postal", ["28001", "08001"], "text"),
        ("Postal Code", ["28001", "28002"], "text"),
        ("phone", ["600123456", "NA"], "text"),
        ("tel", ["1", "2"], "integer"),
        ("zipped", ["90210", "10001"], "integer"),
    ],
)
def test_a_header_says_that_digits_are_no_quantity(tmp_path, header, values, domain):
    assert column(tmp_path, *values, header=header)[0].domain == domain


@pytest.mark.parametrize(
    ("values", "evidence"),
    [
        (["12%", "3.5 %"], "x: percentages, kept as text; as numbers: {type: float, unit: '%'}"),
        (["€5", "6.50 €"], "x: amounts of money, kept as text; as numbers: {type: float, unit: €}"),
        (["5 EUR", "USD 6"], "x: amounts of money, kept as text; as numbers: {type: float, unit: [EUR, USD]}"),
        (["12.5", "12,5"], "x: comma and point are both decimal signs, as each value shows"),
    ],
)
def test_what_was_concluded_is_told(tmp_path, values, evidence):
    assert column(tmp_path, *values)[1].evidence == (evidence,)


@pytest.mark.parametrize(
    ("values", "confidence"),
    [
        (["1"] * 8, 0.9),
        (["a"], 1.0),
        (["01/02/2024"], 0.5),
        (["13/01/2024", *["01/02/2024"] * 9], 2 / 3),
        (["x", *map(str, range(9))], 10 / 12),
    ],
)
def test_how_sure_a_type_is(tmp_path, values, confidence):
    assert column(tmp_path, *values)[1].confidence[1] == pytest.approx(confidence)


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        (["1", "NA", "2"], ("NA",)),
        (["1", "N/A", "-", "2"], ("-", "N/A")),
        (["America/New_York", "Asia/Tokyo", "NA"], ("NA",)),
        (["America/New_York", "Asia/Tokyo", "\\N"], ("\\N",)),
        (["DE", "FR", "NA", "ES"], ("",)),
        (["Smith", "Jones", "Null"], ("",)),
        (["USA", "DEU", "NULL"], ("NULL",)),
        (["None", "None"], ("None",)),
    ],
)
def test_what_means_missing_is_decided_by_evidence(tmp_path, values, tokens):
    assert column(tmp_path, *values)[1].template.null_tokens == tokens


def test_a_column_that_keeps_a_token_of_the_file_says_so(tmp_path):
    peeked = peek(tmp_path, "country,n\nNA,1\nDE,NA\nFR,3\n")

    assert peeked.template.null_tokens == ("NA",)
    assert [c.null_tokens for c in peeked.columns] == [("",), None]
    assert peeked.evidence == ("country: NA is a value like the others (1)", "n: NA means missing (1)")


def test_strays_are_told(tmp_path):
    _, peeked = column(tmp_path, "abc", *map(str, range(10)))

    assert peeked.evidence == ("x: 1 value is no integer, such as 'abc'",)


def test_names(tmp_path):
    peeked = peek(tmp_path, "Year,Temp (°F),1.1_ACCESS.TOT,_id, Année  ,a b,a_b\n1,2,3,4,5,6,7\n")

    assert [(c.name, c.headers) for c in peeked.columns] == [
        ("year", ()),
        ("temp_f", ("Temp (°F)",)),
        ("c_1_1_access_tot", ("1.1_ACCESS.TOT",)),
        ("id", ("_id",)),
        ("annee", ("Année",)),
        ("a_b_2", ("a b",)),
        ("a_b", ()),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1,5;2\n3,5;4\n", {"delimiter": ";"}),
        ("a\tb\n1\t2\n", {"delimiter": "\t"}),
        ("a|b\n1|2\n", {"delimiter": "|"}),
        ("a, b\n1, 2\n3, 4\n", {"delimiter": ", "}),
        ("a;b\n'x;y';1\n'it''s';2\n", {"delimiter": ";", "quotechar": "'", "escapechar": "'"}),
        ('a,b\n"x \\"y\\", z",1\n"u",2\n', {"escapechar": "\\"}),
        ("1,2\n3,4\n", {"header_rows": 0}),
        ("name,city\nAda,London\nBob,Paris\n", {"header_rows": 1}),
        ("USA,Reno\nDEU,Bonn\nFRA,Lyon\nESP,Vigo\n", {"header_rows": 0}),
        ("Report of 2024\n\na,b,c\n1,2,3\n4,5,6\n", {"preamble_rows": 2}),
        ("Report,,\na,b,c\n1,2,3\n4,5,6\n", {"preamble_rows": 1}),
        ("a,b,c\n1,2,3\n4,5,6\nSource: us\n", {"footer_rows": 1}),
        ("a,b,c\n1,2,3\n4,5,6\n\nas of May\n", {"footer_rows": 1}),
        ("a,b,c\n1,2,3\n4,5,6\ncut\n", {"footer_rows": 0}),
        ("name\nAda, Countess\nBob\nCy\n", {"delimiter": ";"}),
        ("name,said\nO'Hare,x\nD'Arcy,y\n", {"quotechar": '"'}),
    ],
)
def test_dialects(tmp_path, text, expected):
    template = peek(tmp_path, text).template

    assert {key: getattr(template, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("windows-1252", "windows-1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_encodings(tmp_path, encoding, detected):
    peeked = peek(tmp_path, "stadt,preis\nKöln,5\nMünchen,6\n".encode(encoding))

    assert peeked.template.encoding == detected
    assert [c.name for c in peeked.columns] == ["stadt", "preis"]
    assert peeked.records == 2


def test_one_broken_byte_does_not_change_the_encoding(tmp_path):
    peeked = peek(tmp_path, ("stadt,preis\n" + "Köln,5\n" * 50).encode() + b"\xff,1\n")

    assert peeked.template.encoding == "utf-8"
    assert (peeked.records, peeked.unreadable) == (51, 1)


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("f.json", '[{"a": 1, "tags": ["x"]}]', "json"),
        ("f.json", '{\n "a": 1, "tags": ["x"]\n}', "json"),
        ("f.ndjson", '{"a": 1, "tags": ["x"]}\n{"a": 2}\n', "ndjson"),
    ],
)
def test_json(tmp_path, name, data, form):
    peeked = peek(tmp_path, data, name)

    assert peeked.template.format == form
    assert [(c.name, c.domain) for c in peeked.columns] == [("a", "integer"), ("tags", "text[]")]


def test_parquet_keeps_its_types(tmp_path):
    with DuckDBEngine().session() as session:
        session.execute(f"COPY (SELECT '1' AS a, 2 AS b, DATE '2024-01-01' AS c) TO '{tmp_path}/f.parquet'")

    assert [c.domain for c in look(tmp_path / "f.parquet").columns] == ["text", "integer", "date"]


def zipped(tmp_path: Path, **members: str) -> Path:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_the_only_member_of_an_archive_is_read(tmp_path):
    path = zipped(tmp_path, **{"../../evil.csv": "a,b\n1,2\n", "__MACOSX/f.csv": "x"})

    assert look(path).records == 1
    assert not (tmp_path.parent / "evil.csv").exists()


def test_several_members_are_listed(tmp_path):
    path = zipped(tmp_path, **{"a.csv": "a\n1\n", "b.csv": "a,b\n1,2\n"})

    with pytest.raises(UsageError, match=r"several files: a\.csv, b\.csv"):
        look(path)
    assert len(look(path, Template(member="b.csv")).columns) == 2
    with pytest.raises(UsageError, match=r"no member 'c\.csv'"):
        look(path, Template(member="c.csv"))


@pytest.mark.parametrize("data", [b"7z\xbc\xaf\x27\x1c"])
def test_other_formats_are_refused_by_name(tmp_path, data):
    with pytest.raises(UsageError, match="is not built yet"):
        peek(tmp_path, data)


@pytest.mark.parametrize("data", ["", "\n", "a", "a,b\n", '"', "\x00", '{"a": ', "[", ",,,\n,,,\n", "a,a\n1,2\n"])
def test_any_file_can_be_looked_at_or_is_refused(tmp_path, data):
    try:
        peeked = peek(tmp_path, data)
    except UsageError:
        return
    assert len({c.name for c in peeked.columns}) == len(peeked.columns)


def test_a_large_file_is_judged_by_all_of_its_values(tmp_path):
    lines = [f"{i},{'12A' if i == 4999 else i}" for i in range(5000)]

    assert [c.domain for c in peek(tmp_path, "id,house\n" + "\n".join(lines) + "\n").columns] == ["integer", "text"]
