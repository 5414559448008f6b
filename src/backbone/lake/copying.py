"""Copying a lake while others read and write it: a consistent catalogue, and the files that it names."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from backbone.engine import sqlite
from backbone.errors import LakeError
from backbone.lake.catalogue import catalogue_path, last_snapshot
from backbone.lake.site import Site
from backbone.storage.folder import copy_file

_EXCHANGE = 2
_HERE = -100


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a lake: whose it is, its last snapshot, and its files' checksums as they were copied."""

    identity: str
    snapshot: int
    digests: dict[str, str]
    bytes: int


def copy_lake(source: Path, target: Path) -> Copied:
    """Copy a lake: its catalogue as it is at one moment, every file that a snapshot of it needs, and its models.

    The caller sees to it that no file goes meanwhile: with a lease, or because nobody uses the lake.

    Raises:
        LakeError: there is no lake, or a file is missing or has another size than the catalogue says.
    """
    if not catalogue_path(Site(source)).is_file():
        raise LakeError(
            f"There is no lake in {source}: it has no catalogue.sqlite. Name a folder from `backbone backup`"
        )
    target.mkdir(parents=True)
    copy_sqlite(catalogue_path(Site(source)), catalogue_path(Site(target)))
    known = last_snapshot(Site(target))
    if known is None:
        raise LakeError(f"The catalogue in {source} is empty: nothing had run there. Name another copy")
    digests, total = {}, 0
    for name, size in _files(target).items():
        path = source / "tables" / name
        if not path.is_file() or path.stat().st_size != size:
            raise LakeError(
                f"{path} is missing, or not as the catalogue in {source} says. Mend it: backbone doctor --repair"
            )
        digests[name] = copy_file(path, target / "tables" / name)
        total += size
    (target / "tables").mkdir(exist_ok=True)
    for path in sorted((source / "models").rglob("*")):
        if path.is_file():
            copy_file(path, target / path.relative_to(source))
    return Copied(*known, digests, total)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite file as it is at one moment, whoever writes to it.

    Raises:
        LakeError: it is damaged.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with sqlite.reading(source) as original, closing(sqlite3.connect(target)) as copy:
        try:
            original.backup(copy)
            said = copy.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            said = str(error)
        if said != "ok":
            raise LakeError(f"{source} is damaged: {said}. Take another copy, or mend it: backbone doctor --repair")
        copy.execute("PRAGMA journal_mode = WAL")


def _files(folder: Path) -> dict[str, int]:
    """Every file that a snapshot needs, relative to the tables, with its size; none waits for its removal any more."""
    query = """
        SELECT s.path || t.path || f.path, f.file_size_bytes FROM {0} f JOIN ducklake_table t USING (table_id)
        JOIN ducklake_schema s USING (schema_id) WHERE f.path_is_relative = 1"""
    with closing(sqlite3.connect(catalogue_path(Site(folder)))) as connection, connection:
        connection.execute("DELETE FROM ducklake_files_scheduled_for_deletion")
        queries = [query.format(table) for table in ("ducklake_data_file", "ducklake_delete_file")]
        return {name: size for each in queries for name, size in connection.execute(each)}


def continue_after(folder: Path, snapshot: int) -> None:
    """Give a lake's last snapshot a number beyond `snapshot`, so that no number ever means two things."""
    with closing(sqlite3.connect(catalogue_path(Site(folder)))) as connection, connection:
        (last,) = connection.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()
        if last > snapshot:
            return
        for table in ("ducklake_snapshot", "ducklake_snapshot_changes"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "snapshot_id"]
            names = ", ".join(columns)
            connection.execute(
                f"INSERT INTO {table} (snapshot_id, {names}) SELECT ?, {names} FROM {table} WHERE snapshot_id = ?",
                (snapshot + 1, last),
            )


def exchange(one: Path, other: Path) -> None:
    """Let two folders take each other's place, in one atomic step where the system can."""
    import ctypes

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 and renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return
    aside = one.with_name(f"{one.name}.aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
