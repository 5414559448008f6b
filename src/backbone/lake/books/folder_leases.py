"""Leases in a folder: what readers hold of a lake, so that maintenance leaves it alone.

A lease is a file in `readers/` that names a snapshot. A process's lease is locked for as long as it is used: when the
process dies, the system frees the lock, and the file counts no longer. A project that reads another one's lake at a
snapshot leaves a lease without a lock there, a pin, which counts until it is replaced or its file is deleted.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

from backbone.lake.books.protocol import Holder, Lease
from backbone.lake.lock import flock_soon


def _close(path: Path, handle: int, owner: int) -> None:
    if os.getpid() == owner:  # a forked process goes away without taking its parent's lease with it
        path.unlink(missing_ok=True)
    os.close(handle)


def take_lease(folder: Path, choose: Callable[[], int], last: Callable[[], int | None]) -> Lease:
    """Hold the snapshot that `choose` returns; `last` tells the lake's last snapshot."""
    try:
        guard = _open_guard(folder)
    except OSError:
        return Lease(choose())
    try:
        flock_soon(guard, fcntl.LOCK_SH)
        snapshot = choose()
        return _written(folder, snapshot, last)
    finally:
        os.close(guard)


def _open_guard(folder: Path) -> int:
    (folder / "readers").mkdir(exist_ok=True)
    return os.open(folder / "readers" / "lock", os.O_RDWR | os.O_CREAT, 0o666)


def _written(folder: Path, snapshot: int, last: Callable[[], int | None]) -> Lease:
    path = folder / "readers" / f"{os.getpid()}-{secrets.token_hex(4)}.json"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
    except OSError:
        return Lease(snapshot)
    known = last()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, _text(snapshot, snapshot if known is None else known, f"process {os.getpid()}").encode())
    except OSError:  # a full disk may have room for a name, and none for what it says
        _close(path, handle, os.getpid())
        return Lease(snapshot)
    return Lease(snapshot, partial(_close, path, handle, os.getpid()))


def _text(snapshot: int, last: int, who: str) -> str:
    return json.dumps({"snapshot": snapshot, "last": last, "who": who, "since": datetime.now(UTC).isoformat()})


def pin(folder: Path, reader: str, snapshot: int) -> None:
    """Hold a snapshot for a project elsewhere, in place of the one that it held before."""
    path = folder / "readers" / f"project-{sha256(reader.encode()).hexdigest()[:16]}.json"
    with suppress(OSError):  # a lake that others may only read
        path.parent.mkdir(exist_ok=True)
        part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        part.write_text(_text(snapshot, snapshot, f"project {reader}"))
        part.replace(path)


@contextmanager
def without_new_leases(folder: Path) -> Iterator[list[Holder]]:
    """Who holds what, while nobody can take a lease: what they don't hold may go during the block."""
    guard = _open_guard(folder)
    try:
        flock_soon(guard, fcntl.LOCK_EX)
        _sweep(folder)
        yield holders(folder)
    finally:
        os.close(guard)


def holders(folder: Path) -> list[Holder]:
    """All leases that count."""
    found = (_holder(path) for path in sorted((folder / "readers").glob("*.json")))
    return [holder for holder in found if holder]


def _sweep(folder: Path) -> None:
    """Remove the files of processes that have died. Only under the guard: a lease is made first, and then locked."""
    for path in (folder / "readers").glob("*.json"):
        with suppress(FileNotFoundError):
            if not _is_pin(path) and _is_free(path):
                path.unlink()


def _holder(path: Path) -> Holder | None:
    try:
        if not _is_pin(path) and _is_free(path):
            return None
        text = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):  # given back just now, or not written yet: then the guard keeps us apart
        return None
    since = datetime.fromisoformat(text["since"])
    return Holder(text["snapshot"], text.get("last", 0), text["who"], since, not _is_pin(path))


def _is_pin(path: Path) -> bool:
    return path.name.startswith("project-")


def _is_free(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
