"""The tutorial is a test: every file of it is written, every command run, every line that it shows compared."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
VARIES = (
    (re.compile(r"\b[0-9a-f]{8,}\b…?"), "ID"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "TIME"),
    (re.compile(r" +"), " "),
)


def settled(line: str) -> str:
    """A line without what differs from run to run, and without the padding that follows from it."""
    for pattern, word in VARIES:
        line = pattern.sub(word, line)
    return line.strip()


def commands(console: str) -> list[tuple[str, int, list[str]]]:
    """The commands of a console block, each with its exit code and the lines it is said to print."""
    found = []
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        code = EXIT_CODE.search(command)
        found.append((EXIT_CODE.sub("", command), int(code[1]) if code else 0, lines))
    return found


def shows(printed: list[str], expected: list[str]) -> bool:
    """Whether these lines were printed, in this order. `…` stands for any text; alone on a line, for any lines."""
    pattern = "".join(
        r"(.*\n)*?" if line == "…" else ".*".join(map(re.escape, settled(line).split("…"))) + r"\n" for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{settled(line)}\n" for line in printed)) is not None


def test_the_tutorial_prints_what_it_says(tmp_path: Path) -> None:
    environment = os.environ | {"COLUMNS": "200", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("BACKBONE_ENV", None)

    compared = 0
    for language, name, text in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")):
        if name:
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "console":
            for command, code, lines in commands(text):
                ran = subprocess.run(
                    shlex.split(command), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
                )
                printed = (ran.stdout + ran.stderr).splitlines()
                assert ran.returncode == code, (command, ran.stdout, ran.stderr)
                assert shows(printed, lines), f"$ {command}\n" + "\n".join(printed)
                compared += 1
    assert compared > 10
