"""The shop of the faults, with its data in an object store and its catalogue in a folder.

People aren't allowed this combination (a copy of the folder would be another catalogue over the same data). Here nobody
copies it, and everything about data shows without a second server.
"""

import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from faults_shop import make_shop
from s3_server import BUCKET

from backbone.project import settings

_ALLOWED = """
import sys
from backbone.project import settings
settings.alone_refused = lambda catalogue: ""
from backbone.cli import main
sys.exit(main())
"""


def allowed() -> "patch[object]":
    """Let this process open such a project for as long as a block lasts."""
    return patch.object(settings, "alone_refused", lambda _: "")


def make_s3_shop(root: Path, prefix: str, more: str = "") -> Path:
    """The shop with its first deliveries, not run yet."""
    make_shop(root)
    (root / "backbone.yml").write_text(f"name: shop\nstorage: {{data: 's3://{BUCKET}/{prefix}'{more}}}\n")
    return root


def command(root: Path, *words: str, timeout: float = 120, **more: object) -> "subprocess.CompletedProcess[str]":
    """A command of `backbone` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", _ALLOWED, "--project", str(root), *words],
        capture_output=True, text=True, check=False, timeout=timeout, **more,
    )  # fmt: skip


def started(root: Path, *words: str) -> "subprocess.Popen[str]":
    """The same, not waited for."""
    return subprocess.Popen(
        [sys.executable, "-c", _ALLOWED, "--project", str(root), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
