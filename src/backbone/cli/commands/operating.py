"""Commands that keep a lake and go back: `rollback`, `backup`, `restore`, `maintain`."""

import sys
from pathlib import Path

import click

from backbone.cli import documents
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.operations import draw_backed_up, draw_maintained, draw_restored, draw_rolled_back
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
@click.argument("folder", type=click.Path(path_type=Path))
@shared
@click.pass_obj
def backup(settings: Settings, folder: Path) -> None:
    """Copy the lake and the landed files to a new folder."""
    settings.when_interrupted = "there is no backup"
    report = settings.workspace().backup(folder)
    document = documents.operation_document
    present(settings, lambda: document(report), lambda screen: draw_backed_up(report, screen))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Even if it is another project's, or of a newer Backbone.")
@_YES
@shared
@click.pass_obj
def restore(settings: Settings, folder: Path, force: bool, yes: bool) -> None:
    """Put a backed up lake in the place of the present one."""
    workspace = settings.workspace()
    asked = sys.stdin.isatty() and settings.format == "table"
    if asked and not yes and not click.confirm(f"Replace the lake by that of {folder}?"):
        return
    settings.when_interrupted = "the former lake is still there, or all was restored: backbone history"
    with Progress() as progress:
        report = workspace.restore(folder, force, on_event=progress)
    document = documents.operation_document
    present(settings, lambda: document(report), lambda screen: draw_restored(report, screen))


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
