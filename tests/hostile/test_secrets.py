"""Secrets are told nowhere: not in what is printed, nor in any file of the project but the one that holds them."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from backbone.project.writing import init_project
from backbone.workspace.opening import open_workspace

CANARY = "kanari7f3a"
TABLE = "id,name\n1,x\n2,y\n3,z\n"
OKAY = {
    "sources/a.yml": "from: '${FOLDER}/a.csv'\ncolumns: {id: integer, name: text}\n",
    "sources/b.yml": "from: ['${FOLDER}/b-*.csv']\ncolumns: {id: integer, name: text}\n",
    "trusted/a.yml": "key: id\nrules:\n  - {in_range: id, from: 2, else: quarantine, tolerate: 100%}\n",
    "exploitation/c.sql": "SELECT a.id, b.name FROM trusted.a AS a JOIN trusted.b AS b USING (id)",
}
FAILING = {
    "sources/zipped.yml": "from: '${FOLDER}/zipped.zip'\ncolumns: {id: integer, name: text}\n",
    "sources/folder.yml": "from: '${FOLDER}/folder'\ncolumns: {id: integer}\n",
    "sources/broken.yml": "from: '${FOLDER}/broken.zip'\ncolumns: {id: integer}\n",
    "sources/gone.yml": "from: '${FOLDER}/nowhere/*.csv'\ncolumns: {id: integer}\n",
    "sources/odd.yml": "from: '${FOLDER}/odd.csv'\ncontract: freeze\ncolumns: {id: integer, more: text}\n",
    "exploitation/bad.sql": "SELECT error('no') AS e FROM trusted.a",
}
MISTAKEN = [
    ("backbone.yml", "name: s\nstorage: {catalogue: 'postgres:${PG_URL}', data: 's3://${TOKEN}/x'}\n"),
    ("backbone.yml", "name: s\nstorage: {catalogue: '${PG_URL}', data: '${PG_URL}'}\n"),
    ("sources/a.yml", "from: '${PG_URL}'\n"),
    ("sources/a.yml", "from: 'https://user:${TOKEN}@localhost/x.csv?key=${TOKEN}'\n"),
    ("sources/a.yml", "from: {postgres: '${PG_URL}', table: orders}\n"),
    ("sources/a.yml", "from: '${TOKENS}/${FOLDER}/${}'\n"),
    ("sources/a.yml", "from: '${FOLDER}/a.csv'\ncolumns: {id: nonsense}\n"),
]
FEW = [["plan"], ["run"], ["status"], ["history"], ["show", "a"], ["trace", "c", "id=2"], ["doctor"]]
TABLES = ("run", "step", "landed_file", "connection", "template", "nope")
ALL = [
    *FEW, ["plan", "--force"], ["run", "--force"], ["show", "b"], ["profile", "a"], ["quarantine", "list"],
    ["quarantine", "show", "trusted.a"], ["lineage", "c"], ["trace", "a", "id=2"], ["doctor", "--repair"], ["maintain"],
    *[["sql", f"from governance.{table}"] for table in TABLES], ["add", "a"], ["add", "again", "${FOLDER}/a.csv"],
    ["export", "a", "--to", "postgres:${PG_URL}"],
    ["sql", "select * from read_csv('x')"], ["show", "nope"],
]  # fmt: skip


@pytest.fixture
def vault(tmp_path, monkeypatch):
    """A folder whose name is a secret, with what the sources read; the other secrets are variables."""
    folder = tmp_path / f"vault-{CANARY}"
    (folder / "folder").mkdir(parents=True)
    for name in ("a.csv", "b-1.csv", "b-2.csv", "odd.csv"):
        (folder / name).write_text(TABLE)
    (folder / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(40))
    (folder / "zipped.zip").symlink_to("nowhere.zip")
    monkeypatch.setenv("TOKEN", f"token-{CANARY}")
    monkeypatch.setenv("PG_URL", f"postgres://me:{CANARY}@localhost/db")
    return folder


@pytest.fixture
def project(vault, tmp_path):
    root = tmp_path / "project"
    init_project(root, "s")
    (root / "secrets.env").write_text(f"FOLDER={vault}\n")
    write(root, OKAY)
    return root


@pytest.fixture
def outputs(project, capfd):
    """Run commands, each in every format, and keep what they print."""
    printed = []

    def run(*arguments):
        from backbone.cli import main

        for options in ([], ["--format", "json"], ["--debug"]):
            capfd.readouterr()
            with pytest.raises(SystemExit) as ended:
                main([*options, "--project", str(project), *arguments])
            printed.append((arguments, options, ended.value.code, "".join(capfd.readouterr())))

    run.printed = printed
    return run


@pytest.mark.parametrize("commands", [FEW, pytest.param(ALL, marks=pytest.mark.long)], ids=["few", "all"])
def test_a_secret_is_told_nowhere(commands, project, vault, outputs):
    for words in commands:
        outputs(*words)
    assert {code for words, _, code, _ in outputs.printed if list(words) in FEW} == {0}
    write(project, FAILING)
    for words in commands if commands is ALL else FEW[:2]:
        outputs(*words)
    (vault / "a.csv").write_text("id,name\nmany\n")
    outputs("run")
    for path, text in MISTAKEN if commands is ALL else MISTAKEN[:3]:
        before = (project / path).read_text()
        (project / path).write_text(text)
        for words in ("plan", "run", "status", "doctor") if commands is ALL else ("plan",):
            outputs(words)
        (project / path).write_text(before)

    assert [(words, options) for words, options, _, text in outputs.printed if CANARY in text] == []
    assert any("${FOLDER}" in text for *_, text in outputs.printed)
    assert found(project) == []


def test_no_completion_tells_a_secret(project):
    assert open_workspace(project).run().status == "published"
    asked = {"_BACKBONE_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    for words in ("backbone show ", "backbone add "):
        told = subprocess.run(
            [Path(sys.executable).with_name("backbone")], cwd=project, capture_output=True, text=True, check=True,
            env={**os.environ, **asked, "COMP_WORDS": words},
        )  # fmt: skip
        assert "a" in told.stdout
        assert CANARY not in told.stdout + told.stderr


def test_what_searches_would_find_a_secret(tmp_path):
    (tmp_path / "lake").mkdir()
    (tmp_path / "plain.log").write_text(f"x{CANARY}x")
    duckdb.sql(f"COPY (SELECT ['{CANARY}'] AS deep FROM range(5000)) TO '{tmp_path}/lake/a.parquet' (COMPRESSION zstd)")
    with sqlite3.connect(tmp_path / "lake/b.sqlite") as connection:
        connection.execute(f"CREATE TABLE t AS SELECT x'{CANARY.encode().hex()}' AS x")
    with duckdb.connect(str(tmp_path / "lake/c.duckdb")) as database:
        database.execute(f"CREATE TABLE t AS SELECT '{CANARY}' AS x FROM range(5000)")

    assert len(found(tmp_path)) == 4


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)


def found(root: Path) -> list[str]:
    """The files below a folder that hold a secret, whatever they are packed with; but `secrets.env`."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and path.name != "secrets.env"]
    names = [str(path) for path in sorted(root.rglob("*")) if CANARY in str(path.relative_to(root))]
    return names + [str(path) for path in files if CANARY in _text(path)]


def _text(path: Path) -> str:
    content = path.read_bytes()
    text = content.decode("latin-1")
    if content.startswith(b"PAR1"):
        text += str(duckdb.sql(f"SELECT to_json(t) FROM read_parquet('{path}') AS t").fetchall())
        text += str(duckdb.sql(f"FROM parquet_kv_metadata('{path}')").fetchall())
    elif content.startswith(b"SQLite"):
        with sqlite3.connect(path) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            text += str([connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables])
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as database:
            names = [name for (name,) in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
            text += str([database.execute(f'FROM "{name}"').fetchall() for name in names])
    elif path.suffix == ".json":
        text += json.dumps(json.loads(content or b"0"), ensure_ascii=False)
    return text
