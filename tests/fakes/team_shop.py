"""The small shop on a catalogue in PostgreSQL: a checkout for each machine, data in a folder that they share."""

import os
import subprocess
import sys
from pathlib import Path

from faults_shop import make_shop

import backbone

BACKBONE = str(Path(sys.executable).with_name("backbone"))


def storage_of(data: str = "lake") -> str:
    """The lines of `backbone.yml` that say so."""
    return f"storage: {{catalogue: 'postgres:${{PG_URL}}', data: '{data}'}}\n"


def make_team_shop(root: Path, url: str, more: str = "") -> Path:
    """The shop's project, not run yet."""
    make_shop(root)
    (root / "backbone.yml").write_text(f"name: shop\n{storage_of()}{more}")
    (root / "secrets.env").write_text(f"PG_URL={url}\n")
    return root


def start(root: Path, *words: str, **environment: str) -> "subprocess.Popen[str]":
    """A command in a process of its own."""
    return subprocess.Popen(
        [BACKBONE, "--project", str(root), *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment},
    )  # fmt: skip


def ended(process: "subprocess.Popen[str]", timeout: float = 240) -> tuple[int, str]:
    """How it ended, and what it said."""
    said, _ = process.communicate(timeout=timeout)
    return process.returncode, said


def snapshot_of(root: Path) -> int:
    """The last snapshot."""
    return backbone.open(root).status().snapshot or 0
