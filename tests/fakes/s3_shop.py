"""The shop of the faults, with its data in an object store and its catalogue in a folder.

People aren't allowed this combination (a copy of the folder would be another catalogue over the same data). Here nobody
copies it, and everything about data shows without a second server.
"""

import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from faults_shop import DELIVERIES, FILES, deliver, make_shop, write_files
from s3_server import BUCKET

import backbone
from backbone.lake.catalogue import registered_files
from backbone.project import settings

_ALLOWED = """
import sys
import backbone
from backbone.lake.catalogue import registered_files
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


SMALL = ("sources/orders.yml", "trusted/orders.yml", "exploitation/customer_days.sql", "exploitation/totals.sql")
SMALL_DATASETS = ("formatted.orders", "trusted.orders", "exploitation.customer_days", "exploitation.totals")


def make_small(root: Path, prefix: str = "") -> Path:
    """Orders alone, with what is made of them; in a folder where no prefix is named."""
    settled = f"storage: {{data: 's3://{BUCKET}/{prefix}'}}\n" if prefix else ""
    write_files(root, {"backbone.yml": f"name: shop\n{settled}", **{name: FILES[name] for name in SMALL}})
    deliver(root, {name: text for name, text in DELIVERIES.items() if name.startswith("orders")})
    return root


def strangers(root: Path) -> list[str]:
    """Objects that neither catalogue nor registry knows, but for what DuckLake wrote in a transaction that failed."""
    environment = backbone.open(root).environment
    known = {f"tables/{name}" for name in registered_files(environment.site)}
    tables = [one.name for one in environment.site.data.list("tables/")]
    landed = {environment.landing.name_of(file) for file in environment.landing.registry.files()}
    found = [name for name in tables if name not in known and "/ducklake-" not in name]
    return found + [one.name for one in environment.landing.data.list("") if one.name not in landed]


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
