"""What was measured, as JSON: every sample, with the machine and the versions it was measured on."""

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.workload import Budget, Samples

PACKAGES = ("duckdb", "duckdb-extension-ducklake", "sqlglot", "pydantic", "pyspark")


@dataclass(frozen=True, slots=True)
class Record:
    """One workload as it was measured: samples and failures by side, notes on what a side doesn't do.

    `load` is the machine's load average before and after.
    """

    name: str
    about: str
    rows: int
    samples: Samples
    budgets: tuple[Budget, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    load: tuple[float, float] = (0.0, 0.0)
    when: str = ""
    machine: dict[str, str | int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


def machine() -> dict[str, str | int]:
    """What the machine is."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    return {"cpus": os.cpu_count() or 0, "processor": model, "memory_gib": memory, "system": platform.system()}


def versions() -> dict[str, str]:
    """What was measured, and with what: the commit of Backbone, `+` where the product differs from it."""
    commit, changed = _git("rev-parse", "--short", "HEAD"), _git("status", "--porcelain", "--", "src", "uv.lock")
    found = f" ({commit}{'+' if changed else ''})" if commit else ""
    ours = {"backbone": version("backbone") + found}
    return ours | {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _git(*arguments: str) -> str:
    """What git says of this repository; nothing where there is none."""
    command = ("git", "-C", str(Path(__file__).parents[1]), *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def load_records(path: Path) -> list[Record]:
    """The records of a JSON file; none where there is no file."""
    if not path.exists():
        return []
    return [_record(one) for one in json.loads(path.read_text(encoding="utf-8"))]


def _record(one: dict[str, object]) -> Record:
    found = Record(**one)  # type: ignore[arg-type] # what `save_records` wrote
    return replace(found, budgets=tuple(Budget(**b) for b in one["budgets"]))  # type: ignore[attr-defined] # as above


def save_records(path: Path, found: Iterable[Record]) -> None:
    """Write records into a JSON file: those of the same names are replaced, others stay, each with its own time."""
    new = {one.name: one for one in found}
    kept = {one.name: one for one in load_records(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in (kept | new).values()], indent=1) + "\n", encoding="utf-8")
