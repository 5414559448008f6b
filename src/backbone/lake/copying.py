"""Copying a lake while others read and write it: a consistent catalogue, and the files that it names."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from backbone.errors import LakeError
from backbone.lake.books import FolderBooks
from backbone.lake.catalogue import last_snapshot
from backbone.lake.claiming import claim
from backbone.lake.site import Site
from backbone.storage.data import Data

_EXCHANGE = 2
_HERE = -100


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a lake: whose it is, its last snapshot, and its files' checksums as they were copied."""

    identity: str
    snapshot: int
    digests: dict[str, str]
    bytes: int


def copy_lake(source: Site, target: Site) -> Copied:
    """Copy a lake: its catalogue as it is at one moment, every file that a snapshot of it needs, and its models.

    If the target's data is the source's, only the catalogue is copied, and the files are read where they are.
    The caller sees to it that no file goes meanwhile: with a lease, or because nobody uses the lake.

    Raises:
        LakeError: there is no lake, or a file is missing or has another size than the catalogue says.
    """
    if not source.books.has_catalogue():
        raise LakeError(
            f"There is no lake in {source.books.place}: it has no catalogue. Name a folder from `backbone backup`"
        )
    target.folder.mkdir(parents=True)
    source.books.export(FolderBooks(target.folder).catalogue)
    known = last_snapshot(target)
    if known is None:
        raise LakeError(f"The catalogue in {source.books.place} is empty: nothing had run there. Name another copy")
    wanted = _files(target.folder)
    present = source.data.sizes([f"tables/{name}" for name in wanted])
    digests = {}
    for name, size in wanted.items():
        inside = f"tables/{name}"
        digest = _copied(source, target, inside) if present.get(inside) == size else None
        if digest is None:
            raise LakeError(
                f"{source.data.uri(inside)} is missing, or not as the catalogue in {source.books.place} says. "
                "Mend it: backbone doctor --repair"
            )
        digests[name] = digest
    if target.data.is_local:
        Path(target.data.uri("tables")).mkdir(exist_ok=True)
    for one in source.data.list("models/"):
        _copied(source, target, one.name)
    return Copied(*known, digests, sum(wanted.values()))


def _copied(source: Site, target: Site, name: str) -> str | None:
    if target.data == source.data:
        return source.data.sha256(name)
    return source.data.fetch(name, Path(target.data.uri(name)))


def send_lake(source: Data, target: Site, copied: Copied) -> None:
    """Put the files of a copied lake where its data is to be, unless they are there as they should be.

    Nobody sees them before the catalogue that names them takes its place.
    """
    for name, digest in copied.digests.items():
        _send(source, target, f"tables/{name}", digest)
    for one in source.list("models/"):
        _send(source, target, one.name, source.sha256(one.name) or "")
    claim(target, copied.identity, again=True)


def _send(source: Data, target: Site, name: str, digest: str) -> None:
    if target.data.sha256(name) != digest:
        target.data.put(name, Path(source.uri(name)), again=True)


def _files(folder: Path) -> dict[str, int]:
    """Every file that a snapshot needs, relative to the tables, with its size; none waits for its removal any more."""
    query = """
        SELECT s.path || t.path || f.path, f.file_size_bytes FROM {0} f JOIN ducklake_table t USING (table_id)
        JOIN ducklake_schema s USING (schema_id) WHERE f.path_is_relative"""
    with closing(sqlite3.connect(FolderBooks(folder).catalogue)) as connection, connection:
        connection.execute("DELETE FROM ducklake_files_scheduled_for_deletion")
        queries = [query.format(table) for table in ("ducklake_data_file", "ducklake_delete_file")]
        return {name: size for each in queries for name, size in connection.execute(each)}


def continue_after(folder: Path, snapshot: int) -> None:
    """Give a lake's last snapshot a number beyond `snapshot`, so that no number ever means two things."""
    with closing(sqlite3.connect(FolderBooks(folder).catalogue)) as connection, connection:
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


def renew_identity(folder: Path) -> str:
    """Give a lake an identity of its own: what machines remember of the one it was copied from is not about it."""
    identity = str(uuid4())
    with closing(sqlite3.connect(FolderBooks(folder).catalogue)) as connection, connection:
        connection.execute("UPDATE ducklake_schema SET schema_uuid = ? WHERE schema_id = 0", (identity,))
    return identity


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
