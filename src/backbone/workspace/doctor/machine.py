"""The machine: disk, locks, and the parts of DuckDB that Backbone installs."""

import fcntl
import os
import shutil
from pathlib import Path

from backbone.engine.duckdb.extensions import load_extension
from backbone.errors import BackboneError
from backbone.lake.known_files import known_files
from backbone.runs.environment import Environment
from backbone.wiring import open_engine
from backbone.workspace.doctor.verdict import Verdict, sound

_EXTENSIONS = ("ducklake", "sqlite_scanner")
_LEAST_FREE = 50_000_000


def check_extensions() -> Verdict:
    """Whether DuckDB's extensions are there and fit its version."""
    wrong = []
    with open_engine() as engine:
        for name in _EXTENSIONS:
            try:
                load_extension(engine.connection, name)
            except (BackboneError, RuntimeError, OSError) as error:
                wrong.append(f"{name}: {str(error).splitlines()[0]}")
    hint = "Install Backbone's own versions again: pip install --force-reinstall backbone"
    return Verdict("extensions", f"{', '.join(_EXTENSIONS)} load", tuple(wrong), hint)


def check_disk(environment: Environment, *, lake: bool) -> Verdict:
    """Whether there is space to run in, and whether all could be made again."""
    free = shutil.disk_usage(_there(environment.storage)).free
    held = sum(file.bytes for file in known_files(environment.folder) if file.live) if lake else 0
    detail = f"{free / 1e9:,.1f} GB free; to make everything again takes about {held / 1e9:,.1f} GB"
    if free >= _LEAST_FREE:
        return sound("disk", detail)
    return Verdict("disk", "", (detail,), "Make space: a run needs room for what it makes")


def _there(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.is_dir())


def holder(path: Path) -> str:
    """Who holds a lock, as it wrote itself down; empty where nobody does."""
    if not path.exists():
        return ""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(handle, 100, 0).decode(errors="replace").strip() or "another process"
    finally:
        os.close(handle)
    return ""
