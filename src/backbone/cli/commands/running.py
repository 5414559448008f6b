"""Commands about runs: `plan`, `run`, `status`, `history`, `doctor`."""

import click

from backbone.cli import documents
from backbone.cli.completing import SELECTION
from backbone.cli.drawing.datasets import draw_checks, draw_status
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.runs import draw_history, draw_plan, draw_run, nothing_to_do
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import present
from backbone.cli.watching import Wanted, run_once, watch

_SELECT = click.option(
    "--select",
    multiple=True,
    metavar="WORDS",
    shell_complete=SELECTION,
    help="Only these datasets: NAME, +NAME with what it needs, NAME+ with what needs it, tag:DAILY, state:changed, …",
)
_EXCLUDE = click.option(
    "--exclude",
    multiple=True,
    metavar="WORDS",
    shell_complete=SELECTION,
    help="Not these datasets, in the same words.",
)
_FORCE = click.option("--force", is_flag=True, help="Make them again, even if nothing changed.")


@click.command()
@_SELECT
@_EXCLUDE
@_FORCE
@shared
@click.pass_obj
def plan(settings: Settings, select: tuple[str, ...], exclude: tuple[str, ...], force: bool) -> None:
    """Say what a run would do, and why. Changes nothing."""
    planned = settings.workspace().plan(select, force, exclude=exclude)
    if settings.format == "table" and (idle := nothing_to_do(planned)):
        click.echo(idle)
        return
    document = documents.plan_document
    present(settings, lambda: document(planned), lambda screen: draw_plan(planned, screen), table="steps")


@click.command()
@_SELECT
@_EXCLUDE
@_FORCE
@click.option("--watch", "watching", is_flag=True, help="Run again whenever something changes, until Ctrl-C.")
@click.option("--no-wait", is_flag=True, help="Refuse to run while another run is under way.")
@shared
@click.pass_obj
def run(
    settings: Settings, select: tuple[str, ...], exclude: tuple[str, ...], force: bool, watching: bool, no_wait: bool
) -> None:
    """Bring everything up to date, and publish it in one snapshot."""
    wanted = Wanted(select, exclude, force, wait=not no_wait)
    if watching:
        watch(settings, wanted)
        return
    report = run_once(settings, wanted)
    if settings.format == "table" and (idle := nothing_to_do(report)):
        click.echo(idle)  # without loading what draws
        return
    present(settings, lambda: documents.run_document(report), lambda screen: draw_run(report, screen), table="steps")


@click.command()
@_SELECT
@_EXCLUDE
@shared
@click.pass_obj
def status(settings: Settings, select: tuple[str, ...], exclude: tuple[str, ...]) -> None:
    """Show how every dataset stands."""
    now = settings.workspace().status(select, exclude=exclude)
    present(settings, lambda: documents.status_document(now), lambda screen: draw_status(now, screen), table="datasets")


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many runs.")
@shared
@click.pass_obj
def history(settings: Settings, limit: int) -> None:
    """List the last runs: failed and killed ones too."""
    entries = settings.workspace().history(limit)
    document = documents.history_document
    present(settings, lambda: document(entries), lambda screen: draw_history(entries, screen), table="runs")


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be made again from landing and governance.")
@shared
@click.pass_obj
def doctor(settings: Settings, repair: bool) -> None:
    """Check that project, lake and landing zone are sound.

    Every landed file, data file and model is compared with its checksum.
    """
    with Progress() as progress:
        checks = settings.workspace().doctor(repair=repair, on_event=progress)
    settings.code = 0 if all(check.ok for check in checks) else 1
    document = documents.doctor_document
    present(settings, lambda: document(checks), lambda screen: draw_checks(checks, screen), table="checks")
