"""What `pip install backbone` brings, without extras, into an environment of its own."""

import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measuring import MEGA, PYTHON, Side, disk_mb
from benchmarks.workload import Budget, Measurable, Workload

REPOSITORY = Path(__file__).parents[2]
UV = shutil.which("uv") or str(REPOSITORY / ".tools/bin/uv")


def environment_with(*requirements: str) -> str:
    """A shell command that makes the environment `env`, with packages from the package index."""
    names = " ".join(shlex.quote(one) for one in requirements)
    return f"{UV} venv -q --python {PYTHON} env && {UV} pip install -q --python env/bin/python {names}"


def installed(folder: Path) -> Mapping[str, float]:
    """How much is in the environment `env`, and of how many packages."""
    packages = next(folder.glob("env/lib/python*/site-packages"))
    return {
        "installed_mib": round(disk_mb(packages) * MEGA / 2**20, 1),
        "packages": len(list(packages.glob("*.dist-info"))),
    }


def workloads(_: int) -> list[Measurable]:
    """The core alone."""
    side = Side(("sh", "-c", environment_with(str(REPOSITORY))), facts=installed)
    budgets = (Budget(150, "installed_mib"), Budget(20, "packages"))
    return [Workload("core install", "uv pip install into a new environment", side, None, budgets, 1)]
