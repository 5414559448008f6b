"""Commands that keep a lake and go back: `rollback`, `maintain`."""

import sys

import click

from backbone.cli import documents
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.operations import draw_maintained, draw_rolled_back
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import draw_on_screen, present

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
_YES = click.option("--yes", is_flag=True, help="Don't ask.")


@click.command()
@click.argument("snapshot")
@_DRY_RUN
@_YES
@shared
@click.pass_obj
def rollback(settings: Settings, snapshot: str, dry_run: bool, yes: bool) -> None:
    """Make the datasets what they were in a snapshot (number or time)."""
    workspace = settings.workspace()
    if not dry_run and not yes and sys.stdin.isatty() and settings.format == "table":
        would = workspace.rollback(snapshot, dry_run=True)
        draw_on_screen(lambda screen: draw_rolled_back(would, screen))
        if not would.datasets or not click.confirm("Go back?"):
            return
    settings.when_interrupted = "nothing was published, or all of it: backbone history"
    with Progress() as progress:
        report = workspace.rollback(snapshot, dry_run, on_event=progress)
    document = documents.operation_document
    present(settings, lambda: document(report), lambda screen: draw_rolled_back(report, screen), table="datasets")


@click.command()
@_DRY_RUN
@shared
@click.pass_obj
def maintain(settings: Settings, dry_run: bool) -> None:
    """Keep the lake small and quick: merge files, expire old snapshots."""
    settings.when_interrupted = "what was published stays; backbone maintain again goes on"
    with Progress() as progress:
        report = settings.workspace().maintain(dry_run, on_event=progress)
    document = documents.operation_document
    present(settings, lambda: document(report), lambda screen: draw_maintained(report, screen), table="compacted")
