"""What a shell is offered: asked of the real command, and of a real bash on a terminal of its own."""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import backbone
from backbone.cli import shells
from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Published, Version
from backbone.runs.state import State, write_state
from backbone.workspace.naming import names

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as a run leaves it: files, and the cache of what is published."""
    root = tmp_path_factory.mktemp("shop")
    for path in ("sources/flights.yml", "sources/planes.yml", "exploitation/plane_use.sql", "analysis/late.py"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).touch()
    (root / "backbone.yml").write_text("name: shop\nenvironments: [dev, test, live]\n")
    (root / "lake/dev").mkdir(parents=True)
    columns = Relation(tuple(Attribute(name, "text") for name in ("_file", "_record", "carrier", "dest")))
    held = Published("trusted.flights", {}, Version(1, 1), {}, columns)
    write_state(
        root / "lake/dev/state.json",
        State("x", 1, {held.dataset: held}, labels={"tag": ("daily", "late"), "owner": ("ann@x.org",)}),
    )
    return root


@pytest.fixture
def offered(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """What bash would be given for a line, up to the cursor."""

    def ask(line: str) -> list[str]:
        monkeypatch.chdir(project)
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_BREAKS", "\"'@><=;|&(:")
        assert shells.complete("bash_complete", "_BACKBONE_COMPLETE") == 0
        return [entry.partition(",")[2] for entry in capsys.readouterr().out.splitlines() if entry]

    return ask


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("backbone tr", ["trace"]),
        ("backbone show trusted.", ["trusted.flights", "trusted.planes"]),
        ("backbone profile pl", ["plane_use", "planes"]),
        ("backbone --env ", ["dev", "test", "live"]),
        ("backbone plan --env t", ["test"]),
        ("backbone add fl", ["flights"]),
        ("backbone lineage trusted.flights.c", ["trusted.flights.carrier"]),
        ("backbone trace flights d", ["dest="]),
        ("backbone trace trusted.flights carrier=UA ", ["dest="]),
        ("backbone quarantine ", ["list", "show", "fix", "replay", "drop", "analysis.late",
                                  "exploitation.plane_use", "formatted.flights", "formatted.planes",
                                  "trusted.flights", "trusted.planes"]),
        ("backbone quarantine show exp", ["exploitation.plane_use"]),
        ("backbone plan --select st", ["state:"]),
        ("backbone plan --select state:", ["changed", "new"]),
        ("backbone plan --select=source:f", ["flights"]),
        ("backbone run --select tag:da", ["daily"]),
        ("backbone run --select +owner:", ["ann@x.org"]),
        ("backbone run --select 2+plane_", ["2+plane_use"]),
        ("backbone run --exclude zone:trusted,+formatted.p", ["trusted,+formatted.planes"]),
        ("backbone status --select 'planes path:ex", ["planes path:exploitation/plane_use.sql"]),
        ("backbone completion z", ["zsh"]),
        ("backbone nothing x", []),
        ("backbone --project /nowhere show ", []),
    ],
)  # fmt: skip
def test_names_are_completed(offered, line: str, expected: list[str]) -> None:
    assert offered(line) == expected


def test_a_run_remembers_the_tags_and_owners_to_offer(tmp_path: Path) -> None:
    (tmp_path / "exploitation").mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    (tmp_path / "exploitation/one.sql").write_text("/*---\ntags: [daily]\nowner: Ann\n---*/\nSELECT 1 AS n\n")

    backbone.open(tmp_path).run()

    assert names(tmp_path, None).labels() == {"tag": ("daily",), "owner": ("Ann",)}


def test_it_takes_no_engine_and_reads_no_project_file(project: Path) -> None:
    (project / "other").mkdir(exist_ok=True)
    (project / "other/backbone.yml").write_text("name: other\n")
    code = "import json, sys, backbone.cli\ntry: backbone.cli.main()\nfinally: print(json.dumps(list(sys.modules)))"
    asked = {"COMP_LINE": "backbone trace x ", "_BACKBONE_COMPLETE": "bash_complete"}

    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env={**os.environ, **asked}, cwd=project / "other", capture_output=True, check=True)

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "backbone.workspace.naming" in loaded
    assert not loaded & {"duckdb", "sqlglot", "ruamel.yaml", "rich", "pydantic", "sklearn"}


@pytest.mark.parametrize("shell", shells.SHELLS)
def test_each_shell_gets_its_script(backbone, shell: str) -> None:
    code, out, _ = backbone("completion", shell)

    assert code == 0
    assert f"_BACKBONE_COMPLETE={shell}_complete" in out
    if executable := shutil.which(shell):
        subprocess.run([executable, "-n"], input=out, text=True, check=True)


BASH = ("bash", "--norc", "--noprofile", "-i")
ZSH = ("zsh", "-f", "-i")
LOAD = {
    BASH: 'bind "set enable-bracketed-paste off"; eval "$(backbone completion bash)"; echo rea"dy"\n',
    ZSH: "unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; "
    'eval "$(backbone completion zsh)"; echo rea"dy"\n',
}


class Terminal:
    """A shell on a pseudo-terminal, with our completion."""

    def __init__(self, folder: Path, shell: tuple[str, ...]) -> None:
        process, self._end = pty.fork()
        if process == 0:
            os.chdir(folder)
            os.environ.update(PATH=f"{BIN}:{os.environ['PATH']}", PS1="> ", TERM="dumb", HISTFILE="")
            os.execvp(shell[0], shell)
        self._process = process
        self.type(LOAD[shell], "ready")

    def type(self, keys: str, until: str, seconds: float = 60) -> str:
        """Type keys, and read what is shown until a text comes up."""
        os.write(self._end, keys.encode())
        seen, ends = "", time.monotonic() + seconds
        while not re.search(until, seen) and time.monotonic() < ends:
            if select.select([self._end], [], [], 0.2)[0]:
                seen += os.read(self._end, 4096).decode(errors="replace")
        return seen

    def close(self) -> None:
        os.write(self._end, b"\x15exit\n")
        os.waitpid(self._process, 0)
        os.close(self._end)


@pytest.fixture
def terminal(project: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    if not shutil.which(request.param[0]):
        pytest.skip(f"there is no {request.param[0]}")
    one = Terminal(project, request.param)
    yield one
    one.close()


@pytest.mark.parametrize("terminal", [ZSH], indirect=True, ids=["zsh"])
def test_a_real_zsh_completes_names_and_values(terminal: Terminal) -> None:
    assert "trusted.flights" in terminal.type("backbone show trusted.fl\t", "flights")
    assert "tag:daily" in terminal.type("\x15backbone run --select tag:da\t", "daily")
    assert "carrier=" in terminal.type("\x15backbone trace trusted.flights carr\t", "carrier=")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("backbone tr", ["trace"]),
        ("backbone show trusted.", ["trusted.flights", "trusted.planes"]),
        ("backbone run --select tag:", ["tag:daily", "tag:late"]),
        ("backbone trace trusted.flights carr", ["carrier="]),
    ],
)
def test_a_real_fish_is_offered_names_and_values(project: Path, line: str, expected: list[str]) -> None:
    fish = shutil.which("fish")
    if not fish:
        pytest.skip("there is no fish")
    asked = f"backbone completion fish | source; complete --do-complete {json.dumps(line)}"
    named = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(project / "home")}

    done = subprocess.run((fish, "-N", "-c", asked), cwd=project, env=named, capture_output=True, text=True, check=True)

    assert [row.partition("\t")[0] for row in done.stdout.splitlines()] == expected


@pytest.mark.parametrize("terminal", [BASH], indirect=True, ids=["bash"])
def test_a_real_bash_completes_across_its_own_word_breaks(terminal: Terminal) -> None:
    assert "zone:formatted " in terminal.type("backbone plan --select zone:form\t", "formatted ")
    assert "carrier=" in terminal.type("\x15backbone trace trusted.flights carr\t", "carrier=")
    listed = terminal.type("\x15backbone show trusted.\t\t", r"trusted\.planes")
    assert "trusted.flights" in listed
