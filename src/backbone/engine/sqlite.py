"""SQLite files that other processes write, opened for reading wherever they are.

To read a file in WAL mode, SQLite must write beside it. On a read-only or a full disk it can't: there a copy is read.

DuckDB's scanner has an SQLite of its own. Whichever of the two closes a file, the system frees the locks that the
other one of this process has on it. So while the scanner writes, nothing is read here.
"""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import RLock

from backbone.errors import LakeError
from backbone.troubles import trouble

_TRIES = 5

APART = RLock()
"""Held while a file is read here, and while the scanner writes one: its block then reads none."""


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads a file.

    Raises:
        LakeError: the file is damaged.
    """
    with APART:
        connection = _connect(path)
        try:
            try:
                connection.execute("SELECT 1 FROM sqlite_master").fetchone()
            except sqlite3.OperationalError:
                connection.close()
                connection = _connect(_copied(path))
            yield connection
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            raise LakeError(
                f"{path} is damaged: {error}. Mend what can be made again: backbone doctor --repair"
            ) from error
        finally:
            connection.close()


def copy(path: Path, target: Path) -> None:
    """Copy a file as it is at one moment, whoever writes to it: without a log, and not flushed to the disk.

    Raises:
        OSError: there is no space for the copy.
    """
    try:
        with reading(path) as original, closing(sqlite3.connect(target)) as made:
            made.execute("PRAGMA synchronous = OFF")
            original.backup(made)
            made.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error


def damage(path: Path) -> str | None:
    """What SQLite itself finds wrong with a database; None if it is sound.

    That it can't be read where it is, for want of space or permission, is no damage: then a copy is looked at.
    """
    try:
        with reading(path) as connection:
            ((said, *_), *_) = connection.execute("PRAGMA integrity_check(1)").fetchall()
    except LakeError as error:
        return str(error.__cause__)
    except sqlite3.OperationalError as error:
        if trouble(error, path):
            raise
        return str(error)
    return None if said == "ok" else str(said).splitlines()[0]


def back_up(path: Path, target: Path) -> None:
    """Copy a file as it is at one moment, whoever writes to it, and look whether the copy is sound.

    Raises:
        LakeError: it is damaged.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with reading(path) as original, closing(sqlite3.connect(target)) as made:
        try:
            original.backup(made)
            said = made.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            raise LakeError(f"{path} is damaged: {said}. Take another copy, or mend it: backbone doctor --repair")
        made.execute("PRAGMA journal_mode = WAL")


def settle(path: Path) -> None:
    """Give a file that others will write to the log that this needs, and see to it that it is on the disk."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def put_in_place(part: Path, path: Path) -> None:
    """Let a settled file take the place of another on the same disk, whose log, if it left one, must go first.

    SQLite would replay that into the new file. What it holds is given to the file that it belongs to before, so that
    one who is killed in the midst of this leaves one of the two, whole.
    """
    if path.exists():
        with suppress(sqlite3.DatabaseError):  # damaged: nobody will read it any more
            settle(path)
    for log in ("-wal", "-shm"):
        path.with_name(path.name + log).unlink(missing_ok=True)
    part.replace(path)


def readable(path: Path) -> Path:
    """The file itself, or a copy of it as it is now where it can't be read in place."""
    with reading(path) as connection:
        return Path(connection.execute("PRAGMA database_list").fetchone()[2])


@cache
def elsewhere(folder: Path) -> Path:
    """A folder for copies of what is in a folder that can't be written to; removed when Python ends."""
    made = Path(tempfile.mkdtemp(prefix=f"backbone-{folder.name}-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)


def _copied(path: Path) -> Path:
    """A copy made while nobody wrote, with what hasn't been taken over from the log yet."""
    for _ in range(_TRIES):
        state = _state(path)
        folder = elsewhere(path.parent) / "-".join(str(number) for number in state)
        if folder.exists():
            return folder / path.name
        part = folder.with_suffix(".part")
        part.mkdir(exist_ok=True)
        for file in _files(path):
            shutil.copyfile(file, part / file.name)
        if _state(path) == state:
            part.rename(folder)
            return folder / path.name
        shutil.rmtree(part)
    msg = f"{path} changes all the time, and can't be copied to be read"
    raise sqlite3.OperationalError(msg)


def _files(path: Path) -> list[Path]:
    log = path.with_name(f"{path.name}-wal")
    return [path, log] if log.exists() else [path]


def _state(path: Path) -> list[int]:
    stats = [file.stat() for file in _files(path)]
    return [number for stat in stats for number in (stat.st_size, stat.st_mtime_ns)]
