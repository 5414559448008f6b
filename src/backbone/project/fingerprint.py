"""One digest over all that can change the meaning of a project, so that nothing-to-do is known without reading it.

Only the standard library's cheap modules are imported: this runs before anything else.
"""

import os
import re
import stat
import sys
from collections.abc import Iterator
from hashlib import sha256

import backbone

_FILES = ("backbone.yml", "glossary.yml", "secrets.env")
_FOLDERS = ("sources", "trusted", "exploitation", "analysis")
_NO_CODE = {"lake", "notebooks", "__pycache__", "node_modules"}
_MOST_BYTES = 10_000_000
_REFERENCE = re.compile(rb"\$\{(\w+)\}")


def fingerprint(root: str | os.PathLike[str]) -> str:
    """A digest of the project's files, of the variables that they name, and of the versions of Backbone and Python."""
    base = os.fspath(root)
    digest = sha256(f"{backbone.__version__} {sys.version}".encode())
    variables: set[bytes] = set()
    for path in project_files(base):
        content = _content(os.path.join(base, path))  # noqa: PTH118  pathlib is half of the time spent
        digest.update(f"\0{path}\0{len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
        if path.endswith(".yml") and b"${" in content:
            variables.update(_REFERENCE.findall(content))
    for name in sorted(variables):
        digest.update(b"\0" + name + b"=" + os.environb.get(name, b""))
    return digest.hexdigest()


def _content(path: str) -> bytes:
    """A file's bytes; of one that is too large to be read, or is none, what tells it from others."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123  as above
            state = os.fstat(file.fileno())
            if stat.S_ISREG(state.st_mode) and state.st_size <= _MOST_BYTES:
                return file.read()
            return f"{state.st_mode} {state.st_size} {state.st_mtime_ns}".encode()
    except OSError:
        return b"?"


def project_files(base: str) -> list[str]:
    """The files that count, by their path in the project: all of the zones' folders, and Python anywhere else."""
    paths = [name for name in _FILES if os.path.isfile(os.path.join(base, name))]  # noqa: PTH113, PTH118  as above
    return sorted([*paths, *_below(base, "")])


def _below(base: str, folder: str) -> Iterator[str]:
    declares = folder.partition("/")[0] in _FOLDERS
    try:
        entries = list(os.scandir(os.path.join(base, folder)))  # noqa: PTH118  as above
    except OSError:
        return
    for entry in entries:
        name = entry.name
        path = f"{folder}/{name}" if folder else name
        if name.startswith(".") or name in _NO_CODE:
            continue
        if entry.is_dir(follow_symlinks=False):
            if not _is_environment(entry.path):
                yield from _below(base, path)
        elif declares or name.endswith(".py"):
            yield path


def _is_environment(folder: str) -> bool:
    """Whether a folder is a virtual environment, with thousands of files that are no part of the project."""
    return os.path.exists(os.path.join(folder, "pyvenv.cfg"))  # noqa: PTH110, PTH118  as above
