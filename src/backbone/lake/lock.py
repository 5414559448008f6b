"""File locks between processes of one machine: released by the system when their holder dies."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backbone.errors import LakeError


@contextmanager
def locked(path: Path, *, on_wait: Callable[[str], None] | None = None, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on `path`; wait for it, and say so once through `on_wait`.

    Args:
        path: the lock file; it is made, with the holder's process id in it, and stays.
        on_wait: called with what the present holder wrote, if one must wait.
        wait: whether to wait at all.

    Raises:
        LakeError: another process holds it, and `wait` is False.
    """
    handle = _taken(path, on_wait, wait=wait)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def _taken(path: Path, on_wait: Callable[[str], None] | None, *, wait: bool) -> int:
    """A handle with the lock of the file that is at `path`: while one waited, a restored lake may have come there."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(handle, on_wait, wait=wait)
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, on_wait: Callable[[str], None] | None, *, wait: bool) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(handle, 100, 0).decode(errors="replace").strip()
        if not wait:
            raise LakeError(f"Another run is under way, {who}, and you asked not to wait for it") from None
        if on_wait:
            on_wait(who)
        fcntl.flock(handle, fcntl.LOCK_EX)
