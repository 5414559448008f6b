"""What the machine refuses: space, permission, memory. Told with the place and what to do, in whatever words it came.

The system gives numbers, DuckDB and SQLite only sentences; all of them are recognised here.
"""

import errno
import os
import re
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from backbone.errors import LakeError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EROFS, errno.EACCES, errno.EPERM}
_SAYS_FULL = ("No space left on device", "Disk quota exceeded", "database or disk is full", "failed to offload data")
_SAYS_CLOSED = ("Read-only file system", "Permission denied", "readonly database", "unable to open database file")
_ELSEWHERE = "name another folder as `storage: {data: FOLDER}` in backbone.yml"
_SAYS_MEMORY = ("Out of Memory Error", "bad_alloc")
_TOO_MUCH = (
    "it needs more memory than there is. Let it need less at once: fewer columns, or inputs that are read in pieces "
    "(pyarrow.RecordBatchReader, duckdb.DuckDBPyRelation)"
)
_UNSAID, _LITTLE = "disk I/O error", 1_000_000
"""All that SQLite says where it has no space for its log's index; and how little space that is."""
_STORE = re.compile(
    r"(?:HTTP|IO) Error: (?P<why>.*?)(?: error for)? ?HTTP (?P<verb>[A-Z]+)(?: error)? (?:reading|to|on) "
    r"'(?:https?|s3)://(?P<host>[^/']+)(?P<path>[^']*)'"
)
_STATUS = re.compile(r"\bHTTP (\d{3})\b")
"""What DuckDB says of an object store."""
_DAMAGED = {HTTPStatus.NOT_FOUND, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE}
_PATH = re.compile(r'"(/[^"\n]+)"')


def trouble(error: BaseException, folder: Path, elsewhere: str = _ELSEWHERE) -> str | None:  # noqa: PLR0911 - a table
    """What the machine refused and what to do; None if it is something else that went wrong.

    `folder` is where it happened, unless the error names a file itself; `elsewhere` says how to name
    another place for it.
    """
    number, said = getattr(error, "errno", None), str(error)
    if told := store_trouble(said):
        return told
    if isinstance(error, MemoryError) or (_any(_SAYS_MEMORY, said) and not _any(_SAYS_FULL, said)):
        return _TOO_MUCH if isinstance(error, MemoryError) else _memory(said)
    place = _place(error, folder)
    if number in _FULL or _any(_SAYS_FULL, said):
        return _full(place, elsewhere)
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if number == errno.EFBIG or "File too large" in said or (_UNSAID in said and most != resource.RLIM_INFINITY):
        limit = f": `ulimit -f` allows {size_of(most)}" if most != resource.RLIM_INFINITY else ""
        return f"{place} can't grow{limit}. Raise the limit, or {elsewhere}"
    if _UNSAID in said and shutil.disk_usage(there(place)).free < _LITTLE:
        return _full(place, elsewhere)
    if number in _CLOSED or _any(_SAYS_CLOSED, said):
        return _closed(error, place, elsewhere)
    return None


def store_trouble(said: str) -> str | None:
    """What an object store refused DuckDB, or why it can't be reached; None if that isn't what is said.

    The address is told without what may follow a question mark: it may be a signature.
    """
    match = _STORE.search(said)
    if match is None:
        return None
    host, path = match["host"], match["path"].partition("?")[0]
    answered = _STATUS.search(said)
    status = int(answered[1]) if answered else 0
    if status == HTTPStatus.NOT_FOUND:
        return f"{path} at {host} is not there. Check it: backbone doctor"
    if status in _DAMAGED:
        return f"{path} at {host} is smaller than it was. Check it: backbone doctor"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return (
            f"{host} doesn't allow {match['verb']} of {path}, or the credentials have expired (HTTP {status}). Needed "
            "are s3:GetObject, s3:PutObject and s3:ListBucket; the credentials are those that all AWS tools find"
        )
    if status in {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.BAD_REQUEST}:
        return f"{host} wants to be asked in another region for {path} (HTTP {status}). Set AWS_REGION to the bucket's"
    why = f"HTTP {status}" if status else match["why"].strip()
    return (
        f"{host} didn't answer as it should for {path}, and was asked again in vain: {why}. Nothing that was published "
        "has changed; once it answers, do the same again"
    )


def refused_by_store(error: BaseException) -> bool:
    """Whether DuckDB's error is that an object store can't be reached or refuses, not that something isn't in it."""
    said = str(error)
    status = _STATUS.search(said)
    return _STORE.search(said) is not None and not (status and int(status[1]) in _DAMAGED)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Tell what the machine refuses in the block as an error that people can act on.

    Raises:
        LakeError: space or permission is missing.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, BrokenPipeError) or (told := trouble(error, folder)) is None:
            raise
        raise LakeError(told) from error


def _full(place: Path, elsewhere: str) -> str:
    disk = shutil.disk_usage(there(place))
    return (
        f"no space left for {place}: {size_of(disk.free)} of {size_of(disk.total)} are free there now. "
        f"What was half written is removed. Make space, or {elsewhere}; then run again"
    )


def _closed(error: BaseException, place: Path, elsewhere: str) -> str:
    why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "it can't be written"
    reading_only = "Read-only" in why or "readonly" in str(error)
    mend = "Make it writable" if reading_only else f"Give user {os.geteuid()} the right to read and write there"
    return f"{place}: {why}. {mend}, or {elsewhere}. To look, the right to read is enough: backbone status, sql, plan"


def _memory(said: str) -> str:
    used = re.search(r"\(([^()]+) used\)", said)
    return (
        f"it needs more memory than memory_limit allows{f' ({used[1]} used)' if used else ''}. Raise `memory_limit` "
        "in backbone.yml, or let it need less at once: fewer columns, a smaller window, list or join"
    )


def _place(error: BaseException, folder: Path) -> Path:
    # Of a copy, the target is the second that is named.
    named = getattr(error, "filename2", None) or getattr(error, "filename", None)
    named = named or (m[1] if (m := _PATH.search(str(error))) else None)
    return Path(os.fsdecode(named)) if isinstance(named, str | bytes) else folder


def there(path: Path) -> Path:
    """The path itself if it is a folder, or the nearest folder upwards that is there."""
    return next(each for each in (path, *path.absolute().parents) if each.is_dir())


def _any(sentences: tuple[str, ...], said: str) -> bool:
    return any(sentence in said for sentence in sentences)


def size_of(count: int) -> str:
    """A number of bytes, as people say it.

    Example:
        >>> size_of(1_234_567)
        '1.2 MB'
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,} bytes"
