"""Moving a project's lakes to other storage: catalogue, files and what has landed, each compared with its checksum.

Everything is copied first, while nobody can write. What makes it count is one step in the end: `storage:` in
`backbone.yml` names the new place. Killed before that, the project is where it was, and the same command goes on.
Former files stay where they were, for whoever is sure to remove.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from backbone.connectors.secrets import Secrets
from backbone.errors import LakeError, Problem, ProjectError, UsageError
from backbone.lake.catalogue import last_snapshot
from backbone.lake.claiming import MARK, claim, refuse_strangers
from backbone.lake.copying import Copied
from backbone.lake.known_files import known_files
from backbone.lake.site import Site
from backbone.model.operations import Migrated, MigratedLake
from backbone.model.reports import RunEvent
from backbone.project.finding import PROJECT_FILE
from backbone.project.places import File, read_file
from backbone.project.settings import Settings, read_settings
from backbone.project.writing import with_storage, write_whole
from backbone.runs.environment import Environment
from backbone.runs.recovery import recover
from backbone.storage.data import Data
from backbone.troubles import explained
from backbone.wiring import open_backend
from backbone.workspace.keeping import verify
from backbone.workspace.opening import environment_of, settings_of

if TYPE_CHECKING:
    from backbone.workspace.workspace import OnEvent, Workspace


@dataclass(frozen=True, slots=True)
class _Move:
    """From where to where one environment's lake goes."""

    old: Environment
    new: Environment

    @property
    def places(self) -> tuple[object, ...]:
        """All that tells from where to where."""
        old, new = self.old, self.new
        return old.name, old.site, new.site, old.storage, new.storage

    @property
    def files_move(self) -> bool:
        """Whether the data is to be elsewhere."""
        return self.old.site.data != self.new.site.data

    @property
    def books_move(self) -> bool:
        """Whether the catalogue is to be elsewhere."""
        return self.old.site.books != self.new.site.books


def migrate(workspace: "Workspace", storage: Mapping[str, str], dry_run: bool, on_event: "OnEvent") -> Migrated:
    """Move all environments of a project to where `storage` says: keys of `storage:` in `backbone.yml` that change.

    Raises:
        UsageError: that is where they are, or nothing has run yet.
        ProjectError: `storage` can't be as it says.
        LakeError: there is another lake already, or a file isn't what was published.
    """
    root = workspace.root
    _, moves = _wanted(root, storage)
    if not moves:
        raise UsageError("Nothing has run yet: write `storage:` into backbone.yml. Next: backbone run")
    if not any(move.files_move or move.books_move for move in moves):
        raise UsageError(f"The project is there already: {PROJECT_FILE} says so")
    for move in moves:
        _check_free(move)
    landed = len(moves[0].old.landing.registry.files())
    if dry_run:
        lakes = tuple(_lake(move, {f.path: f.bytes for f in known_files(move.old.site)}) for move in moves)
        return Migrated(dry_run=True, storage=dict(storage), lakes=lakes, landed_files=landed)

    def waiting(who: str) -> None:
        on_event(RunEvent("waiting", text=who))

    with explained(moves[0].new.storage), ExitStack() as held:
        for move in moves:
            held.enter_context(move.old.site.books.writing(None, on_wait=waiting))
        held.enter_context(moves[0].old.landing_locked(waiting))
        _still_wanted(root, storage, moves)
        for move in moves:
            with open_backend(workspace.project, move.old) as backend:
                recover(move.old, backend.lake)
        lakes = tuple(_moved(move, on_event) for move in moves)
        _move_landing(moves[0], on_event)
        write_whole(root / PROJECT_FILE, _still_wanted(root, storage, moves))
        for move in moves:
            _retire(move)
    return Migrated(dry_run=False, storage=dict(storage), lakes=lakes, landed_files=landed)


def _wanted(root: Path, storage: Mapping[str, str]) -> tuple[str, list[_Move]]:
    """The text that `backbone.yml` is to have, and what moves: as it says now, which people may change at any time."""
    text, settings = _settings_with(root, storage)
    before = settings_of(root)
    moves = [_Move(environment_of(root, before, n), environment_of(root, settings, n)) for n in before.environments]
    return text, [move for move in moves if last_snapshot(move.old.site) is not None]


def _still_wanted(root: Path, storage: Mapping[str, str], moves: Iterable[_Move]) -> str:
    """The text that `backbone.yml` is to have, with what people have changed in it meanwhile.

    Raises:
        LakeError: the lakes are, or are to go, somewhere else by now.
    """
    text, now = _wanted(root, storage)
    if [move.places for move in now] != [move.places for move in moves]:
        raise LakeError(
            f"{PROJECT_FILE} has changed meanwhile, or another environment has run: what moves isn't what was to move. "
            "Nothing counts that was copied. Look, and do it again: backbone migrate"
        )
    return text


def _settings_with(root: Path, storage: Mapping[str, str]) -> tuple[str, Settings]:
    """The text of `backbone.yml` with other storage, and what it then says."""
    problems: list[Problem] = []
    file = read_file(root, PROJECT_FILE, problems)
    text = with_storage(file, storage) if file else ""
    settings = read_settings(File(PROJECT_FILE, text), Secrets(root), problems)
    if problems:
        raise ProjectError(problems)
    return text, settings


def _check_free(move: _Move) -> None:
    """Make sure that no other lake is where this one goes; a copy of it that a killed migration left may be."""
    there = last_snapshot(move.new.site) if move.books_move else None
    here = last_snapshot(move.old.site)
    if move.files_move and there is None and last_snapshot(move.new.site) is None:
        refuse_strangers(move.new.site)
    if there and here and there[0] != here[0]:
        raise LakeError(
            f"There is another lake in {move.new.site.books.place}, at snapshot {there[1]}. Name an empty place, or "
            "remove what is there"
        )


def _lake(move: _Move, files: Mapping[str, int]) -> MigratedLake:
    known = last_snapshot(move.old.site)
    moved = files if move.files_move else {}
    return MigratedLake(move.old.name, known[1] if known else 0, len(moved), sum(moved.values()))


def _moved(move: _Move, on_event: "OnEvent") -> MigratedLake:
    old, new = move.old.site, move.new.site
    known = last_snapshot(old)
    identity, snapshot = known or ("", 0)
    files = {f"tables/{file.path}": file.bytes for file in known_files(old)}
    lake = _lake(move, files)
    if move.files_move:
        claim(new, identity, again=last_snapshot(new) is not None)
        models = [one.name for one in old.data.list("models/")]
        digests = dict(_copied(old.data, new.data, [*files, *models], on_event))
        claim(new, identity, again=True)
        # Read through the old catalogue, which names the same files: nothing counts before they are as published.
        names = {name.removeprefix("tables/"): digest for name, digest in digests.items()}
        copied = Copied(identity, snapshot, names, lake.bytes)
        verify(Site(old.folder, new.data, old.common), move.old.memory_limit, copied)
    if move.books_move:
        new.folder.mkdir(parents=True, exist_ok=True)
        part = new.folder / "catalogue.migrating"
        part.unlink(missing_ok=True)
        old.books.export(part)
        new.books.prepare()
        new.books.take_over(part)
        part.unlink(missing_ok=True)
        claim(new, identity, again=True)
        for holder in old.books.holders():
            if not holder.process:
                new.books.pin(holder.who.removeprefix("project "), holder.snapshot)
        if last_snapshot(new) != known:
            raise LakeError(f"{new.books.place} isn't at snapshot {snapshot} after all was copied. Nothing has changed")
    return lake


def _copied(old: Data, new: Data, names: Iterable[str], on_event: "OnEvent") -> Iterator[tuple[str, str]]:
    """Copy files, and tell their checksums as they are in the new place."""
    wanted = list(names)
    for number, name in enumerate(wanted):
        on_event(RunEvent("copying", done=number, total=len(wanted), text=name))
        with _at_hand(old, name) as path:
            new.put(name, path, again=True)
        digest = new.sha256(name)
        if digest is None:
            raise LakeError(f"{new.uri(name)} is not there, though it was copied. Nothing has changed")
        yield name, digest


@contextmanager
def _at_hand(data: Data, name: str) -> Iterator[Path]:
    """A file that programs can open: itself, or a copy for as long as the block lasts.

    Raises:
        LakeError: it isn't there.
    """
    if data.is_local:
        path = Path(data.uri(name))
        if not path.is_file():
            raise LakeError(f"{path} is missing. Check it: backbone doctor")
        yield path
        return
    with TemporaryDirectory(prefix="migrating-") as folder:
        path = Path(folder) / "file"
        if data.fetch(name, path) is None:
            raise LakeError(f"{data.uri(name)} is missing. Check it: backbone doctor")
        yield path


def _move_landing(move: _Move, on_event: "OnEvent") -> None:
    """What has landed, the registry, and what waits in drop folders."""
    old, new = move.old.landing, move.new.landing
    files = old.registry.files()
    if old.data != new.data:
        digests = dict(_copied(old.data, new.data, dict.fromkeys(old.name_of(file) for file in files), on_event))
        for file in files:
            if digests[old.name_of(file)] != file.sha256:
                raise LakeError(f"Landed file {file.id}, {file.name}, isn't what it was. Check it: backbone doctor")
    if old.registry.place != new.registry.place and old.registry.store.exists():
        new.registry.store.take_over(old.registry.store)
    if move.old.storage != move.new.storage:
        for path in (move.old.storage / "landing" / "temporal").glob("*/*"):
            target = move.new.storage / "landing" / "temporal" / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)


def _retire(move: _Move) -> None:
    """Let nobody take the former catalogue for one that counts, where both name the same files."""
    if move.books_move and not move.files_move:
        move.old.site.books.retire("migrated")
        if not move.new.site.books.shared:  # a lake that is wholly in one folder
            move.new.site.data.remove([MARK])
