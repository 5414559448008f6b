"""Each file of the corpus works, or is refused in one sentence; every record is in one place.

What is odd, and where it is tried:

| odd | tried in |
| --- | --- |
| nothing, one or 5,000 columns, long cells, binary, NUL, encodings, values at the ends | corpus.py |
| names of columns and files with blanks, quotes, line ends, emoji, SQL, reserved words, equal up to case | corpus.py |
| names that can be no dataset; pipes, devices, folders, links as files of project or source | test_projects.py |
| `../`, absolute names, links and bombs in zips; links in drop folders and out of the landing zone | corpus.py, below |
| billion laughs, 10 MB and 10,000 levels of YAML; `${}`; storage outside the project | test_projects.py |
| JSON and Parquet that are deep, broken, encrypted, or hold what has no place in a domain | corpus.py |
| ways out of `sql`, and queries without end | test_escapes.py |
| secrets in messages, plans, logs, governance and files | test_secrets.py |
| any text as a value, through every zone | test_values.py |
| whatever chance makes of projects and queries | fuzz.py, test_findings.py |
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import EXPECTED, LONG, READ, REFUSED, listing
from corpus import MADE
from thoroughness import some

import backbone
from backbone.errors import UsageError
from backbone.project.writing import init_project, source_text
from backbone.workspace.peeking import peek

SHOWN = 4

pytestmark = pytest.mark.xdist_group("corpus")  # one run for all of them


def test_every_case_has_an_expectation():
    assert set(MADE) - LONG == set(EXPECTED)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_before_anything_is_made(name, corpus_files, outside, command):
    file = corpus_files[name]

    code, out, err = command("--project", str(outside), "add", "odd", str(file))

    assert (code, out) == (2, "")
    assert EXPECTED[name]["refused"] in err
    assert len(err.splitlines()) == 1
    assert listing(outside) == []


@pytest.fixture(scope="module")
def project(corpus_files, tmp_path_factory):
    """One project with a source for each file that can be read, its drop folder filled, and run once."""
    root = tmp_path_factory.mktemp("odd")
    init_project(root, "odd")
    (root / "sources").mkdir()
    for name in READ:
        with peek(corpus_files[name]) as found:
            text = source_text(name, [], found.peeked, found.evidence, "backbone add")
        (root / "sources" / f"{name}.yml").write_text(text, encoding="utf-8")
        drop = root / "lake/landing/temporal" / name
        drop.mkdir(parents=True)
        shutil.copy2(corpus_files[name], drop / corpus_files[name].name)
    return root


@pytest.fixture(scope="module")
def report(project):
    return {step.dataset: step for step in backbone.open(project).run().steps}


@pytest.fixture(scope="module")
def first_rows(project, report):
    """The first rows of every trusted dataset, as text: in one query, since opening a sealed lake has its price."""
    assert report
    queries = [
        f"SELECT '{name}' AS name, to_json(list(t))::VARCHAR AS rows FROM "
        f"(SELECT CAST(COLUMNS(*) AS VARCHAR) FROM trusted.{name} ORDER BY _file, _record LIMIT {SHOWN}) AS t"
        for name in READ
    ]
    found = backbone.open(project).sql(" UNION ALL ".join(queries)).rows()
    return {name: json.loads(rows) if rows else [] for name, rows in found}


@pytest.mark.parametrize("name", ["empty_file", "zero_rows", "one_value", "header_repeated", "json_keys_twice"])
def test_peek_shows_what_there_is(name, corpus_files):
    with peek(corpus_files[name]) as found:
        assert len(found.summary.sample.rows) == min(5, EXPECTED[name]["rows"])


@pytest.mark.parametrize("name", READ)
def test_every_record_is_a_row_or_set_aside(name, report):
    step = report[f"formatted.{name}"]

    assert step.status == "done"
    assert report[f"trusted.{name}"].status == "done"
    assert (step.ledger.rows_in, step.ledger.rows_out, step.ledger.quarantined) == tuple(
        EXPECTED[name][key] for key in ("records", "rows", "aside")
    )


@pytest.mark.parametrize("name", [name for name in READ if "first" in EXPECTED[name]])
def test_values_are_those_of_the_file(name, first_rows):
    first = EXPECTED[name]["first"]

    assert first_rows[name][: len(first)] == first


def test_nothing_is_left_half_done(project, report):
    assert report
    with pytest.raises(StopIteration):
        next((project / "lake/dev/scratch").rglob("*.csv"))
    assert not any(Path("/tmp").glob("backbone-hostile-escaped*"))
    assert backbone.open(project).run().status == "nothing"


@pytest.mark.long
@pytest.mark.parametrize("name", READ)
def test_each_dataset_can_be_looked_at(name, project, report, command):
    assert report
    say = ("--project", str(project))

    looks = [("show", name), ("profile", name), ("quarantine", "show", f"formatted.{name}")]
    looks += [("sql", f"from {name}", "--format", form) for form in ("table", "csv", "json")]
    for words in looks[some(READ.index(name) % 3, 0) :: some(3, 1)]:
        code, out, err = command(*say, *words)
        assert (code, err) == (0, "")
        assert "\x1b" not in out or words[-1] in {"csv", "json"}
    if EXPECTED[name]["rows"]:
        column = next(iter(backbone.open(project).sql(f"from {name} limit 0").columns))
        code, _, err = command(*say, "trace", name, "_record=1")
        assert code == 0 or "has no row with" in err, (column, err)


@pytest.mark.parametrize(
    "name", ["name_with_globs", "name_with_line_end", "name_with_a_dash", "name_sql", "name_escapes", "headers_sql"]
)
def test_add_takes_odd_names_all_the_way(name, corpus_files, outside, command):
    code, _, err = command("--project", str(outside), "add", "odd", str(corpus_files[name]))
    assert (code, err) == (0, "")

    code, out, err = command("--project", str(outside), "sql", "select count(*) as n from odd", "--format", "csv")
    assert (code, out, err) == (0, "n\n1\n", "")


def test_a_pattern_in_a_files_name_matches_no_other(tmp_path):
    for name in ("a*.csv", "ab.csv", "a[b].csv"):
        (tmp_path / name).write_text(f"name\n{name}\n")

    for name in ("a*.csv", "ab.csv", "a[b].csv"):
        with peek(tmp_path / name) as found:
            assert found.summary.sample.rows == ((name,),)


def test_a_dropped_file_without_a_utf_8_name_lands_under_a_readable_one(tmp_path):
    init_project(tmp_path, "odd")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/odd.yml").write_text("columns: {a: integer}\n")
    drop = tmp_path / "lake/landing/temporal/odd"
    drop.mkdir(parents=True)
    (drop / os.fsdecode(b"caf\xe9.csv")).write_text("a\n1\n")

    report = backbone.open(tmp_path).run()

    assert [landed.name for landed in report.landed] == ["caf%E9.csv"]
    assert backbone.open(tmp_path).sql("from odd").rows() == [(1,)]
    assert backbone.open(tmp_path).run().status == "nothing"


def test_a_link_in_a_drop_folder_is_not_followed(outside, command):
    init_project(outside, "odd")
    (outside / "sources").mkdir()
    (outside / "sources/odd.yml").write_text("columns: {a: integer}\n")
    drop = outside / "lake/landing/temporal/odd"
    drop.mkdir(parents=True)
    (drop / "x.csv").symlink_to(outside.parent / "precious.csv")

    code, out, _ = command("--project", str(outside), "run")

    assert code == 1
    assert "x.csv can't be landed: it is a link, and whoever may drop files may not read all others" in out
    assert not list((outside / "lake/landing").glob("persistent/*/*/x.csv"))


def test_sweeping_follows_no_link_out_of_the_landing_zone(outside):
    init_project(outside, "odd")
    (outside / "sources").mkdir()
    (outside / "sources/odd.yml").write_text("columns: {a: integer}\n")
    persistent = outside / "lake/landing/persistent"
    persistent.mkdir(parents=True)
    (persistent / "odd").symlink_to(outside.parent / "lake")
    (outside.parent / "lake/empty").mkdir()

    backbone.open(outside).run()

    assert (outside.parent / "lake/empty").is_dir()
    (outside.parent / "lake/empty").rmdir()


def test_a_project_that_is_broken_stays_as_it_was(outside, corpus_files, command):
    (outside / "backbone.yml").write_text("name: shop\nengin: duckdb\n")
    before = listing(outside)

    code, _, err = command("--project", str(outside), "add", "odd", str(corpus_files["one_column"]))

    assert code == 2
    assert "backbone.yml:2:1: unknown key `engin`" in err
    assert listing(outside) == before


def test_a_file_that_only_looks_like_a_table_can_be_added_by_hand(corpus_files, outside, command):
    init_project(outside, "odd")
    (outside / "sources").mkdir()
    (outside / "sources/odd.yml").write_text(
        f"from: {corpus_files['zip_of_several']}\ntemplate: {{member: notes/c.csv}}\n"
    )

    code, _, _ = command("--project", str(outside), "run")
    assert code == 0
    assert backbone.open(outside).sql("from odd").rows() == [(3,)]


@pytest.mark.long
def test_five_thousand_columns(corpus_files, outside):
    add = [Path(sys.executable).with_name("backbone"), "--project", outside, "add", "odd", corpus_files["columns_5000"]]
    added = subprocess.run(add, capture_output=True, text=True, check=False)
    assert added.returncode == 0, added.stdout[-2000:] + added.stderr[-2000:]

    rows = backbone.open(outside).sql("select c0, c4999 from odd").rows()
    assert rows == [(1, 1)] * 3


def test_peek_says_who_is_to_blame(tmp_path):
    with pytest.raises(UsageError, match="There is no file"):
        peek(tmp_path)


@pytest.mark.parametrize("size", [33, 60])
def test_a_cell_beyond_the_readers_buffer_is_refused_not_lost(size, outside, command):
    file = outside.parent / "project" / "odd.csv"
    file.write_bytes(b"a,b\n1," + b"x" * (size << 20) + b"\n2,y\n")

    code, out, err = command("--project", str(outside), "add", "odd", str(file))

    assert (code, out) == (2, "")
    assert "odd.csv has a line of more than 28 MB" in err or "more than 29 MB" in err
