"""Real processes: imports, pipes, closed streams, locales and terminals."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

FAKE = str(Path(__file__).parents[1] / "fakes" / "front_door.py")


def run(*arguments, shell_tail="", **env):
    command = f'exec "{sys.executable}" "{FAKE}" {" ".join(arguments)} {shell_tail}'
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, timeout=60, env={**os.environ, **env}, check=False
    )


def on_a_terminal(*arguments, columns=100, **env):
    """What a terminal of so many columns gets on both output streams."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm-256color", **env}
    process = subprocess.Popen(
        [sys.executable, FAKE, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    received = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:
            break
        if not piece:
            break
        received += piece
    os.close(controller)
    return process.wait(), received.decode()


def test_version_imports_nothing_heavy():
    program = (
        "import sys\nfrom backbone.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass\n"
        "print(sorted({'duckdb', 'rich', 'sqlglot', 'pydantic', 'ruamel', 'backbone.workspace'} & set(sys.modules)))"
    )

    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert out == "backbone, version 0.1.0\n[]\n"


def test_nothing_to_do_imports_no_rich():
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", FAKE, "run"],
        capture_output=True, text=True, check=True, env={**os.environ, "BACKBONE_FAKE": "nothing"},
    )  # fmt: skip

    assert ended.stdout == "nothing to do: 25 datasets unchanged\n"
    assert " rich" not in ended.stderr


def test_piped_there_are_no_colours_no_progress_and_nothing_is_cut():
    ended = run("sql", "x")

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"\x1b" not in ended.stdout
    assert "…" not in ended.stdout.decode()


def test_a_reader_that_goes_away_is_no_error():
    for arguments in (("run",), ("sql", "x", "--format", "json"), ("history",), ("--help",)):
        ended = run(*arguments, shell_tail="> >(exec 0<&-; sleep 0.1)")
        assert (ended.returncode, ended.stderr) == (0, b""), arguments


def test_the_exit_code_of_a_run_survives_a_closed_pipe():
    ended = run("run", shell_tail="> >(exec 0<&-; sleep 0.1)", BACKBONE_FAKE="failed")

    assert (ended.returncode, ended.stderr) == (1, b"")


def test_closed_streams():
    assert run("run", shell_tail=">&-").returncode == 0
    assert run("run", shell_tail=">&- 2>&- <&-").returncode == 0
    assert run("plan", shell_tail="2>&-", BACKBONE_FAKE="misconfigured").returncode == 2


def test_a_full_disk_is_said():
    ended = run("sql", "x", "--format", "csv", shell_tail="> /dev/full")

    assert ended.returncode == 1
    assert ended.stderr.startswith(b"standard output: no space left where it goes. Send it elsewhere, or make space")


def test_names_are_safe_in_the_c_locale():
    ended = run("show", "x", LC_ALL="C", LANG="C")

    assert ended.returncode == 0
    assert "日本航空" in ended.stdout.decode()


def test_json_is_utf8_even_where_the_terminal_is_ascii():
    assert "Zoë" in run("sql", "x", "--format", "json", PYTHONIOENCODING="ascii").stdout.decode()
    assert b"Zo\\xeb" in run("sql", "x", PYTHONIOENCODING="ascii").stdout


def test_a_terminal_sees_progress_that_goes_away_then_the_summary():
    code, seen = on_a_terminal("run", columns=60, BACKBONE_FAKE_SECONDS="0.15")

    assert code == 0
    assert "trusted.flights" in seen
    assert "━" in seen
    assert "2/5" in seen
    last = seen.rsplit("\x1b[?25h", 1)[1]  # the cursor is back
    assert "━" not in last
    assert "published snapshot 14, run 2f9c." in last


def test_no_color_is_honoured():
    _, seen = on_a_terminal("status", NO_COLOR="1")

    assert "\x1b" not in seen
    assert "\x1b" in on_a_terminal("status")[1]


def test_an_error_is_one_red_line_on_a_terminal():
    code, seen = on_a_terminal("run", BACKBONE_FAKE="locked")

    assert code == 1
    assert seen == "\x1b[31manother run (2f9b) is writing\x1b[0m\r\n"
