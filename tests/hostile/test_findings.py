"""What `make fuzz` has found, once it is mended: each finding stays as a test."""

import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from pathlib import Path

import pytest
from fuzz import projects, try_project, write_project

from backbone.cli import main
from backbone.errors import ProjectError, QueryError
from backbone.project.load import load_project
from backbone.project.writing import init_project
from backbone.workspace.opening import open_workspace

HERE = Path(__file__).parent


def told(files):
    """The problems of a project, as the loader tells them: nothing else may come of it."""
    assert try_project(files) == ""
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder), files)
        try:
            load_project(Path(folder))
        except ProjectError as error:
            return [str(problem) for problem in error.problems]
    return []


@pytest.fixture
def small(tmp_path):
    """A project that may take 64 MB, with one dataset of a thousand rows."""
    init_project(tmp_path, "small")
    (tmp_path / "backbone.yml").write_text("name: small\nmemory_limit: 64MB\n")
    (tmp_path / "a.csv").write_text("x\n" + "".join(f"{n}\n" for n in range(1000)))
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/a.yml").write_text("from: a.csv\ncolumns: {x: integer}\n")
    assert open_workspace(tmp_path).run().status == "published"
    return tmp_path


@pytest.mark.parametrize(
    "query",
    [
        "select [y for y in range(1000000000)]",  # killed the machine at 24 GB: DuckDB doesn't count lists
        "select x, repeat('x', 100000) from a, range(100000)",  # rows given to Python
        "select a.x, b.x, hash(a.x, b.x) from a, a as b, range(100) order by 3",
    ],
)
def test_a_query_keeps_to_the_memory_limit_of_the_project(query, small):
    workspace = open_workspace(small)

    with pytest.raises(QueryError, match=r"more memory than memory_limit allows \(64MB\)"):
        workspace.sql(query).rows()

    assert workspace.sql("select max(x) from a").rows() == [(999,)]


def test_many_rows_are_counted_and_not_kept(small, capfd):
    with pytest.raises(SystemExit) as ended:
        main(["--project", str(small), "sql", "select a.x, repeat('long ', 20) as y from a, range(2000)"])

    assert ended.value.code == 0
    assert "1,999,900 more of 2,000,000 rows" in capfd.readouterr().out


def test_a_function_that_cannot_be_interrupted_ends_with_the_command():
    script = """
        import duckdb
        from backbone.cli.entry import ended_after
        with ended_after(1, "it took longer than 1 second"):
            duckdb.sql("select levenshtein(repeat('xy', 200000), repeat('yx', 300000))").fetchall()
        """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=False
    )

    assert (told.returncode, told.stdout, told.stderr) == (1, "", "it took longer than 1 second\n")


@pytest.mark.parametrize("amount", ["50%", "0MB", "1KB", "none", "-1", "4"])
def test_an_amount_of_memory_that_duckdb_would_not_take_is_a_problem_of_the_project(amount):
    files = {"backbone.yml": f"name: a\nmemory_limit: {amount}\n"}

    assert len(told(files)) == 1


def test_brackets_beyond_what_the_python_parser_holds():
    """`ast.parse` says MemoryError, not SyntaxError."""
    view = "from backbone import view\n\n@view('trusted.a')\ndef b(a):\n    return " + "(" * 5000 + "a" + ")" * 5000
    files = {"backbone.yml": "name: a\n", "exploitation/b.py": view}

    [problem] = told(files)

    assert problem.startswith("exploitation/b.py:")
    assert "nested" in problem


def test_what_python_only_warns_of_is_not_printed():
    view = "from backbone import view\n\n@view('trusted.a')\ndef b(a):\n    return a if 1if a else 2 else '\\d'\n"
    files = {"backbone.yml": "name: a\n", "sources/a.yml": "columns: {x: integer}\n", "exploitation/b.py": view}

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        told(files)

    assert warned == []


def test_thousands_of_columns_that_are_not_there_are_told_in_seconds():
    """Each looked through the whole query for the dataset it might be in."""
    view = f"SELECT {' + '.join(f'c{n}' for n in range(2000))} AS total FROM trusted.a"
    files = {"backbone.yml": "name: a\n", "sources/a.yml": "columns: {x: integer}\n", "exploitation/b.sql": view}
    started = time.process_time()

    problems = told(files)

    assert len(problems) == 2000
    assert "column 'c0' is not in trusted.a" in problems[0]
    assert time.process_time() - started < 20


def test_what_sqlglot_cannot_read_is_not_its_own_to_tell(small, capfd):
    with pytest.raises(QueryError):
        open_workspace(small).sql("with c as (explain select _file from a) from c").rows()

    assert capfd.readouterr().err == ""


def test_what_fuzzing_begins_with_is_well():
    assert [told(files) for files in projects()] == [[], []]
