"""Backups: a consistent copy of a lake and of the landed files, and a lake that is put back from one.

A backup has the layout of a project's storage, so that a copy made by other means, of a lake that nobody used, is one
too: `landing/` and a folder for each environment, or such a folder alone.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backbone import __version__
from backbone.connectors.landing import LandingZone
from backbone.connectors.registry import Registry
from backbone.connectors.registry_store import SqliteStore
from backbone.errors import LakeError, UsageError
from backbone.governance.tables import TABLES
from backbone.lake.books import FolderBooks
from backbone.lake.catalogue import last_snapshot, present_snapshot
from backbone.lake.claiming import refuse_strangers
from backbone.lake.copying import Copied, continue_after, copy_lake, exchange, renew_identity, send_lake
from backbone.lake.site import Site
from backbone.lake.transactions import Transaction
from backbone.model.operations import BackedUp, Restored
from backbone.model.reports import RunEvent
from backbone.runs import journal
from backbone.runs.environment import Environment, new_run_id
from backbone.storage.folder import FolderData, copy_file, sha256_of
from backbone.troubles import explained
from backbone.wiring import open_backend, open_site

if TYPE_CHECKING:
    from backbone.workspace.workspace import OnEvent, Workspace

_LANDED = Mapping[int, tuple[str, str]]
"""Landed files by id: source and checksum."""


def back_up(workspace: "Workspace", folder: Path) -> BackedUp:
    """Copy an environment's lake and the landing zone into a new folder, while runs go on.

    Raises:
        UsageError: the folder is there already, or nothing has run yet.
        LakeError: something is damaged, so that the copy would be too.
    """
    environment = workspace.environment
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"'{folder}' is there already. Name a new folder, such as {folder.name}-2")
    if last_snapshot(environment.site) is None:
        raise UsageError(f"Nothing has run in environment '{environment.name}' yet. Next: backbone run")
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    lease = environment.site.books.take_lease(lambda: present_snapshot(environment.site))
    try:
        with explained(folder.parent):
            copied = copy_lake(environment.site, Site(part / environment.name))
            verify(Site(part / environment.name), environment.memory_limit, copied)
            shutil.rmtree(part / environment.name / "readers", ignore_errors=True)
            # After the lake: the registry only grows, so it knows every file that the lake has read.
            landed, size = _copy_landing(environment.landing, part / "landing")
            if folder.exists():
                folder.rmdir()
            part.rename(folder)
    finally:
        lease.close()
        shutil.rmtree(part, ignore_errors=True)
    return BackedUp(str(folder), environment.name, copied.snapshot, len(copied.digests), landed, copied.bytes + size)


def _copy_landing(source: LandingZone, target: Path) -> tuple[int, int]:
    """Copy the registry and all landed files; returns how many, and their bytes."""
    source.registry.store.copy_to(SqliteStore(target).path)
    files = Registry(target).files()
    for file in files:
        name = str(file.path.relative_to(target))
        if source.data.fetch(name, file.path) != file.sha256:
            raise LakeError(f"{source.data.uri(name)} is missing or damaged. Check it: backbone doctor")
    return len(files), sum(file.size for file in files)


@dataclass(frozen=True, slots=True)
class Content:
    """What a copied lake says of itself: whose it is, what made it, and the landed files that it was made from."""

    project: str
    version: str
    landed: _LANDED


def verify(site: Site, memory_limit: str, copied: Copied) -> Content:
    """Compare a copied lake's files with their checksums.

    Raises:
        LakeError: a file is damaged.
    """
    with open_site(site, memory_limit) as backend:
        lake = backend.lake
        if not lake.has("governance.run"):
            return Content("", "", {})
        rows = lake.records("SELECT path, sha256 FROM lake.governance.data_file")
        damaged = [row["path"] for row in rows if copied.digests.get(str(row["path"]), row["sha256"]) != row["sha256"]]
        if damaged:
            raise LakeError(f"The data file {damaged[0]} is damaged. Check it where it comes from: backbone doctor")
        runs = lake.records(
            "SELECT project, backbone_version FROM lake.governance.run WHERE backbone_version IS NOT NULL "
            "ORDER BY started_at DESC LIMIT 1"
        )
        landed = lake.records("SELECT file, source, sha256 FROM lake.governance.landed_file")
    known = {int(str(row["file"])): (str(row["source"]), str(row["sha256"])) for row in landed}
    last = runs[0] if runs else {"project": "", "backbone_version": ""}
    return Content(str(last["project"]), str(last["backbone_version"]), known)


def restore(workspace: "Workspace", folder: Path, force: bool, on_event: "OnEvent") -> Restored:
    """Put a copied lake in the place of an environment's; nothing is replaced before the copy is whole and verified.

    Raises:
        UsageError: there is no lake, or one of another project or of a newer Backbone, and `force` is False.
        LakeError: it is damaged, it was made from landed files that are not here, or somebody reads the present lake.
    """
    environment, books = workspace.environment, workspace.environment.site.books
    source = _lake_in(folder, environment.name)
    staged = Site(environment.storage / f"{environment.name}.restoring")
    # Where the data is to be elsewhere, or others have the catalogue, files are put there straight from the copy.
    whole = environment.data is None and not books.shared
    copy = staged if whole else Site(staged.folder, FolderData(source))

    def waiting(who: str) -> None:
        on_event(RunEvent("waiting", text=who))

    with explained(environment.folder), books.writing(None, on_wait=waiting):
        try:
            shutil.rmtree(staged.folder, ignore_errors=True)
            copied = copy_lake(Site(source), copy)
            content = verify(copy, environment.memory_limit, copied)
            _check_owner(workspace.project.name, content, source, force=force)
            backup = folder if (folder / "landing").is_dir() else folder.parent
            landed = _restore_landing(environment, backup, content, waiting)
            present = last_snapshot(environment.site)
            if present:
                continue_after(staged.folder, present[1])
            elif books.shared:  # machines may remember snapshots of a lake that was lost
                copied = replace(copied, identity=renew_identity(staged.folder))
            if not whole:
                if not present:
                    refuse_strangers(environment.site)
                send_lake(FolderData(source), environment.site, copied)
            _replace(environment, staged)
        finally:
            shutil.rmtree(staged.folder, ignore_errors=True)
        # A lake that is a folder brings a lock of its own.
        with nullcontext() if books.shared else books.writing(None, on_wait=waiting):
            return _recorded(workspace, content, copied, landed, present[1] if present else None)


def _lake_in(folder: Path, environment: str) -> Path:
    """The lake in a backup: the environment's own, or the only one there is."""
    if FolderBooks(folder).catalogue.is_file():
        return folder
    if FolderBooks(folder / environment).catalogue.is_file():
        return folder / environment
    lakes = [path.parent for path in sorted(folder.glob("*/catalogue.sqlite"))] if folder.is_dir() else []
    if len(lakes) == 1:
        return lakes[0]
    names = f"It has: {', '.join(path.name for path in lakes)}. " if lakes else ""
    raise UsageError(f"{folder} has no lake of environment '{environment}'. {names}Name the lake's own folder")


def _check_owner(project: str, content: Content, source: Path, *, force: bool) -> None:
    if force:
        return
    if content.project and content.project != project:
        raise UsageError(
            f"The lake in {source} is of project '{content.project}', not '{project}'. If that is meant: --force"
        )
    if _numbers(content.version) > _numbers(__version__):
        raise UsageError(
            f"The lake in {source} was written by Backbone {content.version}; this is {__version__}. "
            "Install that one, or if that is meant: --force"
        )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def _restore_landing(environment: Environment, backup: Path, content: Content, waiting: Callable[[str], None]) -> int:
    """Bring back landed files that the lake was made from and that are not here; returns how many."""
    here, there = environment.landing, Registry(backup / "landing")
    present = _landed(here.registry)
    if all(present.get(number) == one for number, one in content.landed.items()):
        return 0
    kept = _landed(there)
    if not all(kept.get(number) == one for number, one in content.landed.items()):
        raise LakeError(
            f"The lake was made from landed files that are neither in {here.registry.place} nor in {there.place}. "
            "Restore them first"
        )
    if not all(kept.get(number) == one for number, one in present.items()):
        raise LakeError(
            f"Other files have landed in {here.registry.place} under the numbers of those in {there.place}: the two "
            "don't go together. Restore into a project of its own: its folder with an empty lake"
        )
    with environment.landing_locked(waiting):
        files = [file for file in there.files() if file.id not in present]
        for file in files:
            if not file.path.is_file() or sha256_of(file.path) != file.sha256:
                raise LakeError(f"{file.path} is damaged. Restore from another copy")
            here.data.put(str(file.path.relative_to(backup / "landing")), file.path, again=True)
        here.registry.store.take_over(there.store)
    return len(files)


def _landed(registry: Registry) -> dict[int, tuple[str, str]]:
    return {file.id: (file.source, file.sha256) for file in registry.files()}


def _replace(environment: Environment, staged: Site) -> None:
    """Let the staged lake take the present one's place, unless somebody reads that."""
    books = environment.site.books
    books.prepare()
    with environment.site.books.without_new_leases() as held:
        readers = [one.who for one in held if one.process]
        if readers:
            raise LakeError(f"The lake in {books.place} is being read by {', '.join(readers)}. Let it end first")
        if books.shared:
            books.take_over(FolderBooks(staged.folder).catalogue)
            journal.remove_unknown(environment.site)  # what the former lake had
            return
        for pin in (environment.folder / "readers").glob("project-*.json"):
            copy_file(pin, staged.folder / "readers" / pin.name)
        exchange(environment.folder, staged.folder)


def _recorded(workspace: "Workspace", content: Content, copied: Copied, landed: int, replaced: int | None) -> Restored:
    environment, run, now = workspace.environment, new_run_id(), datetime.now(UTC)
    said = f"as in snapshot {copied.snapshot} of project {content.project}"

    def record(transaction: Transaction) -> int:
        row = {
            "run": run, "environment": environment.name, "project": workspace.project.name, "status": "restored",
            "started_at": now, "base_snapshot": replaced, "snapshot": transaction.snapshot,
            "backbone_version": __version__, "message": said,
        }  # fmt: skip
        transaction.ensure("governance.run", TABLES["run"])
        transaction.insert("governance.run", TABLES["run"], [row])
        return transaction.snapshot

    with open_backend(workspace.project, environment) as backend:
        published = backend.lake.publish(run, record, "restore")
    return Restored(
        run, environment.name, content.project, copied.snapshot, published, replaced,
        len(copied.digests), landed,
    )  # fmt: skip
