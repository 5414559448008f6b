"""Small and read-only disks, for this process and those that it starts: mounted where nobody else sees them.

That takes root, or a system that lets anybody have a user namespace of their own.
"""

import contextlib
import ctypes
import multiprocessing
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_READ_ONLY, _REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 1, 32, 4096, 16384, 1 << 18


class NoDiskError(Exception):
    """The system doesn't let this process mount anything."""


def be_alone() -> None:
    """Mounts of this process are its own from now on.

    Raises:
        NoDiskError: the system refuses.
    """
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _NEW_MOUNTS if user == 0 else _NEW_MOUNTS | _NEW_USERS)
    if user != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            Path(f"/proc/self/{name}").write_text(text)
    _call("mount", b"none", b"/", None, _RECURSIVE | _PRIVATE, None)


def mount_small(folder: Path, megabytes: int) -> None:
    """An empty disk of so many megabytes in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _call("mount", b"tmpfs", bytes(folder), b"tmpfs", 0, f"size={megabytes}m".encode())


def make_read_only(folder: Path) -> None:
    """A folder that nobody can write to, root neither."""
    _call("mount", bytes(folder), bytes(folder), None, _BIND, None)
    _call("mount", None, bytes(folder), None, _BIND | _REMOUNT | _READ_ONLY, None)


BALLAST = "ballast"


def fill(root: Path, free: int = 0) -> None:
    """Fill the file system that a project is on, but for `free` bytes."""
    path = root.parent / BALLAST
    with contextlib.suppress(OSError), path.open("ab") as file:
        while (space := shutil.disk_usage(root).free - free) > 0:
            os.posix_fallocate(file.fileno(), path.stat().st_size, space)


def make_almost_full(folder: Path, free: int) -> None:
    """A small disk in a folder, on which `inside` has so many bytes left."""
    mount_small(folder, 1)
    (folder / "inside").mkdir()
    fill(folder / "inside", free)


def refusal() -> str:
    """Why no disk can be mounted here; nothing if one can."""
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_with_disk, args=(_nothing, (), there))
    process.start()
    told = here.recv()
    process.join()
    return told if isinstance(told, str) else ""


def _nothing() -> None:
    pass


def carried_out(disk: Callable[[], None], *commands: Sequence[str | Path]) -> list[tuple[int, str]]:
    """The exit codes of commands, and what they wrote, on a disk that only they see."""
    here, there = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_with_disk, args=(disk, commands, there))
    process.start()
    told = here.recv()
    process.join()
    if isinstance(told, str):
        raise NoDiskError(told)
    return list(told)


def _with_disk(disk: Callable[[], None], commands: Sequence[Sequence[str | Path]], told: Any) -> None:
    """Carry out commands; `told` is a pipe for what came of them, or for why the system doesn't let us."""
    try:
        be_alone()
        disk()
    except NoDiskError as error:
        told.send(str(error))
        return
    done = [subprocess.run(each, capture_output=True, text=True, check=False, timeout=120) for each in commands]
    told.send([(each.returncode, each.stdout + each.stderr) for each in done])


def make_full(folder: Path, project: Path) -> None:
    """A small disk in a folder, with a copy of a project on it, and no byte left."""
    mount_small(folder, 60)
    fill(shutil.copytree(project, folder / project.name))


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_ulong(a) if isinstance(a, int) and name == "mount" else a for a in arguments]
    if getattr(libc, name)(*values) != 0:
        raise NoDiskError(f"{name}: {os.strerror(ctypes.get_errno())}")
