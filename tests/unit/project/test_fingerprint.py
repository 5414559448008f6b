import subprocess
import sys

import pytest

from backbone.project.fingerprint import fingerprint


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("backbone.yml", True),
        ("glossary.yml", True),
        ("sources/orders.yml", True),
        ("exploitation/new.sql", True),
        ("analysis/_tools.py", True),
        ("tools/deep/sums.py", True),
        ("data/orders.csv", False),
        ("notebooks/try.py", False),
        ("lake/x.py", False),
        (".venv/x.py", False),
        ("README.md", False),
    ],
)
def test_what_can_change_the_projects_meaning_counts(project, path, counts):
    root = project()
    before = fingerprint(root)

    project({path: "# changed\n"})

    assert (fingerprint(root) != before) == counts


def test_a_renamed_file_counts(project):
    root = project()
    before = fingerprint(root)

    (root / "exploitation" / "big.sql").rename(root / "exploitation" / "large.sql")

    assert fingerprint(root) != before


def test_a_variable_that_a_source_names_counts(project, monkeypatch):
    root = project({"sources/far.yml": "from: ${PLACE}/x.csv\n"})
    monkeypatch.setenv("PLACE", "a")
    before = fingerprint(root)

    monkeypatch.setenv("PLACE", "b")

    assert fingerprint(root) != before


def test_nothing_heavy_is_imported():
    code = (
        "import sys, backbone.project.fingerprint\n"
        "print(sorted({'sqlglot', 'duckdb', 'ruamel', 'pydantic'} & {m.partition('.')[0] for m in sys.modules}))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
