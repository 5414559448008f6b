from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.formats.peek import Peeked
from backbone.model.domains import SCALAR_DOMAINS
from backbone.model.files import Column, Template
from backbone.model.project import Source
from backbone.project.load import load_project
from backbone.project.writing import add_origins, init_project, source_text

ANY_TEXT = st.text(max_size=12)
CHARACTER = st.characters(exclude_categories=["Cs"]).filter(lambda c: c != "\r")
NAMES = st.from_regex(r"[^\W\d_]\w{0,8}", fullmatch=True)
DOMAINS = st.sampled_from([*SCALAR_DOMAINS, "decimal(2)", "text[]", "decimal(0)[][]"])
COLUMNS = st.lists(
    st.builds(
        Column,
        name=NAMES,
        domain=DOMAINS,
        headers=st.lists(ANY_TEXT, max_size=3).map(tuple),
        null_tokens=st.none() | st.lists(ANY_TEXT, max_size=3).map(tuple),
        format=st.none() | ANY_TEXT.filter(bool),
        decimal=st.none() | CHARACTER | st.just(".,"),
        thousands=st.none() | CHARACTER,
        unit=st.lists(st.sampled_from(["€", "EUR", "%", "'", "# x", "[kg]"]), max_size=3).map(tuple),
        contract=st.sampled_from([None, "evolve", "freeze", "quarantine"]),
        description=ANY_TEXT,
    ),
    max_size=4,
    unique_by=lambda column: column.name.lower(),
).map(tuple)
TEMPLATES = st.builds(
    Template,
    format=st.sampled_from(["csv", "json", "ndjson", "parquet"]),
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16"]),
    delimiter=CHARACTER.filter(lambda c: c not in "\n\0"),
    quotechar=CHARACTER | st.just(""),
    escapechar=CHARACTER | st.just(""),
    header_rows=st.integers(0, 3),
    preamble_rows=st.integers(0, 3),
    footer_rows=st.integers(0, 3),
    null_tokens=st.lists(ANY_TEXT, max_size=4).map(tuple),
    member=st.none() | ANY_TEXT.filter(bool),
)
ORIGINS = st.lists(
    ANY_TEXT.filter(lambda t: t.strip() and t[0] != "{" and "${" not in t and "://" not in t and "\0" not in t),
    max_size=3,
    unique=True,
).map(tuple)


def read_back(text: str, name: str = "orders") -> Source:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "backbone.yml").write_text("name: shop\n")
        (root / "sources").mkdir()
        (root / "sources" / f"{name}.yml").write_text(text, encoding="utf-8", newline="")
        return load_project(root).sources[0]


@settings(max_examples=60, deadline=None)
@given(origins=ORIGINS, template=TEMPLATES, columns=COLUMNS, evidence=st.lists(ANY_TEXT, max_size=2), command=ANY_TEXT)
def test_what_is_written_reads_back_equal(origins, template, columns, evidence, command):
    text = source_text("orders", origins, Peeked(template, columns, 0, 0, ()), evidence, command)

    assert read_back(text) == Source("orders", origins=origins, template=template, columns=columns)


def test_a_source_is_written_as_people_would():
    template = Template(null_tokens=("", "NA"), delimiter=";")
    columns = (
        Column("faa", "text"),
        Column("temp_f", "float", headers=("Temp (°F)",)),
        Column("delay", "integer", headers=("delay", "departure_delay"), null_tokens=("~", "null")),
    )

    text = source_text(
        "airports",
        ["data/airports.csv"],
        Peeked(template, columns, 0, 0, ()),
        ["tzone: NA means missing (3)"],
        "backbone add airports",
    )

    assert text == (
        "# Written by `backbone add airports`. Yours to edit.\n"
        "# tzone: NA means missing (3)\n"
        "from: data/airports.csv\n"
        "template: {format: csv, delimiter: ';', null_tokens: ['', NA]}\n"
        "contract: evolve                     # header or type drift: evolve | freeze | quarantine\n"
        "columns:\n"
        "  faa: text\n"
        "  temp_f: {type: float, header: 'Temp (°F)'}\n"
        "  delay: {type: integer, header: [delay, departure_delay], null_tokens: [~, null]}\n"
    )


def written(tmp_path: Path, text: str, origins: list[str]) -> str:
    path = tmp_path / "sources" / "orders.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    add_origins(path, origins)
    return path.read_text()


def test_a_location_is_added_beside_the_one_there(tmp_path):
    text = "# mine\nfrom: a.csv  # the first\ncontract: freeze\n"

    assert written(tmp_path, text, ["b, c.csv"]) == "# mine\nfrom: [a.csv, 'b, c.csv']  # the first\ncontract: freeze\n"


def test_a_location_is_added_to_a_list_in_brackets(tmp_path):
    assert written(tmp_path, "from: [a.csv, b.csv]\n", ["c.csv", "a.csv"]) == "from: [a.csv, b.csv, c.csv]\n"


def test_a_location_is_added_to_a_list_over_lines(tmp_path):
    text = "from:\n    - a.csv\n    - b.csv  # two\ncontract: freeze\n"

    assert (
        written(tmp_path, text, ["c.csv"]) == "from:\n    - a.csv\n    - b.csv  # two\n    - c.csv\ncontract: freeze\n"
    )


def test_a_location_is_added_where_there_was_none(tmp_path):
    assert written(tmp_path, "# mine\ncontract: freeze\n", ["c.csv"]) == "# mine\nfrom: c.csv\ncontract: freeze\n"


def test_a_location_that_is_there_changes_nothing(tmp_path):
    assert written(tmp_path, "from: 'a.csv'\n", ["a.csv"]) == "from: 'a.csv'\n"


@settings(max_examples=30, deadline=None)
@given(st.lists(ORIGINS, min_size=1, max_size=3))
def test_added_locations_read_back_in_order(batches):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sources" / "orders.yml"
        path.parent.mkdir()
        path.write_text("contract: freeze\n")
        for origins in batches:
            add_origins(path, origins)
        text = path.read_text(encoding="utf-8")

    assert read_back(text).origins == tuple(dict.fromkeys(o for origins in batches for o in origins))


def test_a_new_project_loads_and_ignores_its_lake(tmp_path):
    (tmp_path / ".gitignore").write_text("*.bak\n")

    made = init_project(tmp_path, "shop 24: Überland")

    assert made == ["backbone.yml", ".gitignore"]
    assert (tmp_path / ".gitignore").read_text() == "*.bak\nlake/\nsecrets.env\n"
    assert load_project(tmp_path).name == "shop 24: Überland"
