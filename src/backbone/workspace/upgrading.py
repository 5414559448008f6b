"""Catalogues of earlier versions of DuckLake, brought to the one that is written now. A copy is kept of each."""

from typing import TYPE_CHECKING

from backbone.errors import LakeError, UsageError
from backbone.lake.versions import WRITTEN, upgrade_catalogue, version_of
from backbone.model.operations import Upgraded
from backbone.model.reports import RunEvent
from backbone.troubles import explained
from backbone.workspace.opening import environment_of, settings_of

if TYPE_CHECKING:
    from backbone.runs.environment import Environment
    from backbone.workspace.workspace import OnEvent, Workspace


def upgrade(workspace: "Workspace", dry_run: bool, on_event: "OnEvent") -> tuple[Upgraded, ...]:
    """Bring the catalogues of all environments to the present version; returns those that were of an earlier one.

    Raises:
        UsageError: nothing has run yet.
        LakeError: one is of a later version, or can't be brought to this one; it is as it was.
    """
    settings = settings_of(workspace.root)
    environments = [environment_of(workspace.root, settings, name) for name in settings.environments]
    found = {one.name: version_of(one.site) for one in environments}
    if not any(found.values()):
        raise UsageError("Nothing has run yet. Next: backbone run")
    late = next((name for name, version in found.items() if version and _order(version) > _order(WRITTEN)), None)
    if late:
        raise LakeError(
            f"The catalogue of {late} is of DuckLake's version {found[late]}, written by a newer Backbone. This one "
            f"writes {WRITTEN}: install the newer one"
        )
    old = [one for one in environments if found[one.name] not in {None, WRITTEN}]
    return tuple(_upgraded(one, found[one.name] or "", dry_run, on_event) for one in old)


def _upgraded(environment: "Environment", version: str, dry_run: bool, on_event: "OnEvent") -> Upgraded:
    if dry_run:
        return Upgraded(environment.name, version, WRITTEN)
    books = environment.site.books
    with (
        explained(environment.folder),
        books.writing(None, on_wait=lambda who: on_event(RunEvent("waiting", text=who))),
        books.without_new_leases() as held,
    ):
        readers = [one.who for one in held if one.process]
        if readers:
            raise LakeError(f"The lake in {books.place} is being read by {', '.join(readers)}. Let it end first")
        kept = upgrade_catalogue(environment.site, version)
    return Upgraded(environment.name, version, WRITTEN, kept)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split("."))
