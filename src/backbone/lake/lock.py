"""File locks between processes of one machine: released by the system when their holder dies.

Who holds several took them in this order, so that no two wait for each other: an environment's `run.lock`, the landing
zone's `landing.lock`, the readers' guard (`readers/lock`), `lake.lock`.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backbone.errors import BusyError, LakeError

PATIENCE_SECONDS = 600.0
"""How long a lock is waited for that nobody holds for long. Whoever holds it longer has been stopped, or hangs."""
_PAUSES = (0.001, 0.25)


@contextmanager
def locked(path: Path, *, on_wait: Callable[[str], None] | None = None, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on `path`; wait for it, and say so once through `on_wait`.

    Args:
        path: the lock file; it is made, with the holder's process id in it, and stays.
        on_wait: called with what the present holder wrote, if one must wait.
        wait: whether to wait at all.

    Raises:
        BusyError: another process holds it, and `wait` is False.
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
        who = _written(handle)
        if not wait:
            raise BusyError(f"Another run is under way, {who}, and you asked not to wait for it") from None
        if on_wait:  # a run may take hours, and whoever waits for it is told
            on_wait(who)
            fcntl.flock(handle, fcntl.LOCK_EX)
        else:
            flock_soon(handle, fcntl.LOCK_EX)


def flock_soon(handle: int, kind: int) -> None:
    """Take a lock that nobody holds for long, shared (`LOCK_SH`) or not (`LOCK_EX`).

    Raises:
        LakeError: it isn't to be had within ten minutes.
    """
    until, pause = time.monotonic() + PATIENCE_SECONDS, _PAUSES[0]
    while True:
        try:
            return fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                path = Path(f"/proc/self/fd/{handle}").readlink()
                raise LakeError(
                    f"Another process has held {path} for {PATIENCE_SECONDS / 60:g} minutes. Which one: fuser -v {path}"
                ) from None
        time.sleep(pause)
        pause = min(2 * pause, _PAUSES[1])


def holder_of(path: Path) -> str:
    """Who holds a lock, as it wrote itself down; empty where nobody does."""
    if not path.exists():
        return ""
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written(handle)
    finally:
        os.close(handle)
    return ""


def _written(handle: int) -> str:
    """What the holder wrote of itself; it may not have come to that."""
    return os.pread(handle, 100, 0).decode(errors="replace").strip() or "another process"
