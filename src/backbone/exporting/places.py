"""Folders and files as targets: written beside, and put in their place when they are whole."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backbone import __version__
from backbone.errors import ExportError, UsageError
from backbone.exporting.content import MARK, Content
from backbone.exporting.target import KINDS, Target
from backbone.lake.copying import exchange

MARK_FILE = f"{MARK}.json"


@contextmanager
def staged(target: Path, beside: Path) -> Iterator[Path]:
    """A path in the folder `beside` to write to: it takes the target's place if the block ends well."""
    part = beside / target.name
    yield part
    _put(part, target)


@contextmanager
def staged_folder(target: Path, beside: Path) -> Iterator[Path]:
    """As `staged`, for a folder."""
    with staged(target, beside) as part:
        part.mkdir()
        yield part


@contextmanager
def built_folder(target: Path, content: Content, kind: str) -> Iterator[Path]:
    """The target itself to write to, where what is written can't be moved: it goes unless the block ends well.

    What a killed export left there says so of itself, and goes, too.
    """
    shutil.rmtree(target, ignore_errors=True)
    try:
        target.mkdir()
        write_mark(target, content, kind, {}, complete=False)
        yield target
    except BaseException:
        _remove(target)
        raise


@contextmanager
def alone(target: Path) -> Iterator[Path]:
    """A folder beside `target`, for this export alone: while it is held, no other one writes to the target.

    It goes at the end; what a killed export left in it goes at the beginning.

    Raises:
        ExportError: another export is writing to it.
    """
    made = _missing_parents(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f"{target.name}.part")
    handle = _held(beside)
    try:
        _empty(beside)
        yield beside
    finally:
        _remove(beside)
        os.close(handle)
        for folder in made:
            with suppress(OSError):  # not empty: it holds the export
                folder.rmdir()


def _remove(folder: Path) -> None:
    """Remove a folder, even if Ctrl-C comes meanwhile: then that goes on afterwards."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _missing_parents(target: Path) -> list[Path]:
    return [folder for folder in target.parents if not folder.exists()]


def _held(folder: Path) -> int:
    """A handle with the lock of a folder, made where it isn't there: free again when its process ends."""
    while True:
        with suppress(FileExistsError):
            folder.mkdir()
        try:
            handle = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:  # the other export has ended just now
            continue
        except KeyboardInterrupt:
            with suppress(OSError):
                folder.rmdir()
            raise
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.exists() and os.path.samestat(os.fstat(handle), folder.stat()):
                return handle
        except BlockingIOError as error:
            os.close(handle)
            raise ExportError(f"Another export is writing to {folder}. Let it end, or name another target") from error
        os.close(handle)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _put(part: Path, target: Path) -> None:
    """Let what was written take the target's place; what was there before then is where that was."""
    if target.is_dir() and any(target.iterdir()):
        exchange(target, part)
        return
    if target.is_dir():
        target.rmdir()
    part.replace(target)


def check_folder(folder: Path, target: Target, *, replace: bool) -> bool:
    """Whether a folder holds an export that is to be replaced; False if there is nothing yet.

    Raises:
        UsageError: it may not be replaced, or no export of this kind made it.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    known = read_mark(folder) if folder.is_dir() else None
    if known is None:
        what = f"has no {MARK_FILE}" if folder.is_dir() else "is a file"
        raise UsageError(f"'{target.shown}' was not made by an export: it {what}. Name another folder")
    if not known["complete"]:
        return False
    if known["kind"] != target.kind:
        kind = str(known["kind"])
        raise UsageError(
            f"'{target.shown}' holds {KINDS.get(kind, kind)}. Write --to {kind}:{target.shown}, or name another folder"
        )
    if not replace:
        title = f"{known['project']} ({known['environment']}), snapshot {known['snapshot']}"
        raise UsageError(already(target.shown, title))
    return True


def already(shown: str, title: str) -> str:
    """The message that a target is there."""
    return f"'{shown}' holds an export already: {title}. Replace it: --replace; or name another target"


def read_mark(folder: Path) -> Mapping[str, Any] | None:
    """What an export wrote of itself into a folder; None if none did."""
    try:
        found = json.loads((folder / MARK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    wanted = {"project", "environment", "snapshot", "kind", "complete", "tables"}
    return found if isinstance(found, dict) and wanted <= found.keys() else None


def kept_tables(folder: Path, written: Content) -> list[Mapping[str, Any]]:
    """What a folder says of its tables other than those that were written now."""
    known = read_mark(folder)
    names = {table.name for table in written.tables}
    return [one for one in known["tables"] if one["table"] not in names] if known else []


def write_mark(
    folder: Path,
    content: Content,
    kind: str,
    rows: Mapping[str, int],
    kept: Sequence[Mapping[str, Any]] = (),
    *,
    complete: bool = True,
) -> None:
    """Write into a folder what it holds: of which snapshot, with what the project says of tables and columns."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    tables = [
        {
            "table": table.name, "dataset": table.dataset, "snapshot": content.snapshot,
            "rows": rows.get(table.dataset), "description": table.comment, "key": list(table.constraints.key),
            "columns": [{"name": c.name, "domain": c.domain, "description": c.comment} for c in table.columns],
        }
        for table in content.tables
    ]  # fmt: skip
    said = {
        "project": content.project, "environment": content.environment, "snapshot": content.snapshot, "kind": kind,
        "complete": complete, "exported_at": now, "backbone_version": __version__, "tables": [*tables, *kept],
    }  # fmt: skip
    part = folder / f"{MARK_FILE}.part"
    part.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / MARK_FILE)


def size_of_folder(folder: Path) -> int:
    """The bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
