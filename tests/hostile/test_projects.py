"""Project files that are no files, never end, or would take all memory; places that lead out of the project."""

import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from conftest import listing

from backbone.errors import ProjectError, UsageError
from backbone.project.fingerprint import fingerprint
from backbone.project.load import load_project
from backbone.project.writing import init_project
from backbone.workspace.opening import open_workspace

MB = 1 << 20
ROOM_BYTES = 300 * MB
LAUGHS = "a: &a [ha, ha]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
)
BOMBS = {
    "a billion laughs": (LAUGHS, "is an anchor. Anchors are not used here"),
    "a merge of itself": ("a: &a {<<: *a}\n", "is an anchor. Anchors are not used here"),
    "10 MB of keys": ("".join(f"k{n}: v\n" for n in range(1_000_000)), "is larger than 1,000,000 bytes"),
    "10 MB in one line": ("name: " + "x" * (10 * MB), "is larger than 1,000,000 bytes"),
    "10,000 keys in one line": ("columns: {" + ", ".join(f"k{n}: text" for n in range(10_000)) + "}", ""),
    "10,000 brackets": ("from: " + "[" * 10_000 + "]" * 10_000, "is nested deeper than 20 levels"),
    "10,000 braces": ("from: " + "{a: " * 10_000 + "}" * 10_000, "is nested deeper than 20 levels"),
    "10,000 dashes": ("from:\n  " + "- " * 10_000 + "x", "is nested deeper than 20 levels"),
    "10,000 indents": ("".join(" " * n + "a:\n" for n in range(1_000)), "is nested deeper than 20 levels"),
    "brackets that stay open": ("from: " + "[" * 100_000, "is nested deeper than 20 levels"),
    "an object of Python": (
        "from: !!python/object/apply:os.system [touch escaped]\n",
        "is a tag. Tags are not used here",
    ),
}
FILES = ["backbone.yml", "glossary.yml", "sources/a.yml", "exploitation/b.sql", "exploitation/b.py", "tools.py"]
KINDS = ["pipe", "endless", "folder", "nowhere", "itself", "socket"]


@pytest.mark.parametrize("what", BOMBS)
@pytest.mark.parametrize("path", ["backbone.yml", "sources/a.yml", "trusted/a.yml", "glossary.yml"])
def test_a_bomb_of_yaml_is_refused_within_little_memory(what, path, outside):
    init_project(outside, "odd")
    (outside / path).parent.mkdir(exist_ok=True)
    text, told = BOMBS[what]
    (outside / path).write_text(text)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    problems = ""
    try:
        load_project(outside)
    except ProjectError as error:
        problems = str(error)

    assert told in problems
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < ROOM_BYTES // 1024
    assert not (Path.cwd() / "escaped").exists()


def test_a_bomb_in_the_header_of_a_view_is_refused(outside):
    init_project(outside, "odd")
    (outside / "exploitation").mkdir()
    (outside / "exploitation/b.sql").write_text(
        "/*---\n" + "".join(f"  {line}\n" for line in LAUGHS.splitlines()) + "---*/\nSELECT 1 AS a"
    )

    with pytest.raises(ProjectError, match=r"exploitation/b\.sql:2:6: .*is an anchor"):
        load_project(outside)


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("what", KINDS)
def test_what_is_no_file_is_refused_at_once(what, path, outside):
    init_project(outside, "odd")
    put(what, outside / path)

    if path == "tools.py":
        load_project(outside)  # nobody imports it
    elif path == "backbone.yml":
        with pytest.raises(UsageError, match=r"has no backbone\.yml"):
            load_project(outside)
    else:
        with pytest.raises(ProjectError) as refused:
            load_project(outside)
        assert [problem.at.path for problem in refused.value.problems] == [path]
    assert len(fingerprint(outside)) == 64


@pytest.mark.parametrize("what", KINDS)
def test_a_source_that_is_no_file_is_refused_at_once(what, outside, command):
    init_project(outside, "odd")
    put(what, outside / "data/odd.csv")
    (outside / "sources").mkdir()
    (outside / "sources/odd.yml").write_text("from: data/odd.csv\ncolumns: {a: integer}\n")

    report = open_workspace(outside).run()
    assert [step.status for step in report.steps if step.dataset == "formatted.odd"] == ["failed"]

    code, out, err = command("--project", str(outside), "add", "other", str(outside / "data/odd.csv"))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_a_command_among_pipes_ends(outside):
    init_project(outside, "odd")
    for path in ("secrets.env", "sources/a.yml", "exploitation/b.sql", "tools.py"):
        put("pipe", outside / path)

    code, out, err = limited("--project", str(outside), "plan")

    assert (code, out) == (2, "")
    assert sorted(err.splitlines()) == [
        "exploitation/b.sql:1:1: is no file of text but a pipe or a device",
        "sources/a.yml:1:1: is no file of text but a pipe or a device",
    ]


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("backbone.yml", "name: odd\nstorage: {data: '${}'}\n", "2:18: ${} is not set"),
        ("backbone.yml", "name: odd\nstorage: {data: '${NOBODY_KNOWS_IT}'}\n", "2:18: ${NOBODY_KNOWS_IT} is not set"),
        ("backbone.yml", "name: ${HOME}\nengine: ${HOME}\n", "2:9: `engine` can't be '${HOME}'"),
        ("sources/a.yml", "from: '${}'\n", "1:8: ${} is not set"),
        ("sources/a.yml", "from: [a.csv, '${NOBODY_KNOWS_IT}/x']\n", "${NOBODY_KNOWS_IT} is not set"),
        ("sources/a.yml", "from: a.csv\ntemplate: {member: ../../x}\n", ""),
    ],
)
def test_references_that_name_nothing(path, text, told, outside, command):
    init_project(outside, "odd")
    (outside / path).parent.mkdir(exist_ok=True)
    (outside / path).write_text(text)

    code, _, err = command("--project", str(outside), "plan")

    assert (code, told in err) == (2 if told else 0, True)


@pytest.mark.parametrize("stem", ["b c", "B", "é", "b'; DROP TABLE x; --", "1b", "b\nc", "b__c", "😀", "a" * 200])
def test_names_that_can_be_no_dataset(stem, outside):
    init_project(outside, "odd")
    for folder in ("sources", "trusted", "exploitation"):
        (outside / folder).mkdir()
    (outside / f"exploitation/{stem}.sql").write_text("SELECT 1 AS a")

    if stem == "a" * 200:
        open_workspace(outside).run()
        assert open_workspace(outside).sql(f"from {stem}").rows() == [(1,)]
        return
    with pytest.raises(ProjectError, match="can't name a dataset"):
        load_project(outside)


@pytest.mark.parametrize("storage", ["../elsewhere", "lake/../../elsewhere", "a/../../elsewhere"])
def test_storage_may_be_elsewhere_and_stays_there(storage, tmp_path):
    project = tmp_path / "project"
    init_project(project, "odd")
    (project / "backbone.yml").write_text(f"name: odd\nstorage: {{data: {storage}}}\n")
    (project / "exploitation").mkdir()
    (project / "exploitation/b.sql").write_text("SELECT 1 AS a")
    before = listing(project)

    open_workspace(project).run()

    assert [one for one in listing(project) if one[0] not in {row[0] for row in before}] == []
    assert (tmp_path / "elsewhere/dev").is_dir()


def put(what: str, path: Path) -> None:
    """Put something there that is no file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    match what:
        case "pipe":
            os.mkfifo(path)
        case "endless":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case "nowhere":
            path.symlink_to("gone")
        case "itself":
            path.symlink_to(path.name)
        case "socket":
            os.mknod(path, 0o140644)


def limited(*arguments: str) -> tuple[int, str, str]:
    """A command in a process of its own that may take 2 GB and a minute."""
    script = """
        import resource, sys
        resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
        from backbone.cli import main
        main(sys.argv[1:])
        """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in told.stderr
    assert "fault of Backbone" not in told.stderr
    return told.returncode, told.stdout, told.stderr
