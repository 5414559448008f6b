"""Commands that keep a lake and go back: `maintain`."""

import click

from backbone.cli import documents
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.operations import draw_maintained
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import present

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@click.command()
@_DRY_RUN
@shared
@click.pass_obj
def maintain(settings: Settings, dry_run: bool) -> None:
    """Keep the lake small and quick: merge files, expire old snapshots."""
    settings.when_interrupted = "what was published stays; backbone maintain again goes on"
    with Progress() as progress:
        report = settings.workspace().maintain(dry_run, on_event=progress)
    document = documents.maintained_document
    present(settings, lambda: document(report), lambda screen: draw_maintained(report, screen), table="compacted")
