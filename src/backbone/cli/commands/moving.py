"""Commands that move a project to other storage, and to other versions of it: `migrate`, `upgrade`."""

import click

from backbone.cli import documents
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.moving import draw_migrated, draw_upgraded
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import present
from backbone.errors import UsageError

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.command()
@click.option("--catalogue", metavar="TEXT", help="Where the catalogue is to be: sqlite, 'postgres:${PG_URL}'.")
@click.option("--data", metavar="PLACE", help="Where files are to be: a folder, s3://BUCKET/PATH.")
@_DRY_RUN
@shared
@click.pass_obj
def migrate(settings: Settings, catalogue: str | None, data: str | None, dry_run: bool) -> None:
    """Move all lakes, and what has landed, to other storage."""
    storage = {name: value for name, value in (("catalogue", catalogue), ("data", data)) if value}
    if not storage:
        raise UsageError("Where to? backbone migrate --catalogue 'postgres:${PG_URL}' --data PLACE")
    settings.when_interrupted = "the project is where it was; the same command goes on"
    with Progress() as progress:
        report = settings.workspace().migrate(storage, dry_run, on_event=progress)
    document = documents.operation_document
    present(settings, lambda: document(report), lambda screen: draw_migrated(report, screen), table="lakes")


@click.command()
@_DRY_RUN
@shared
@click.pass_obj
def upgrade(settings: Settings, dry_run: bool) -> None:
    """Bring catalogues to the version that this Backbone writes."""
    settings.when_interrupted = "each catalogue is as it was, or upgraded"
    with Progress() as progress:
        found = settings.workspace().upgrade(dry_run, on_event=progress)
    document = documents.upgrade_document
    present(settings, lambda: document(found), lambda screen: draw_upgraded(found, dry_run, screen), table="catalogues")
