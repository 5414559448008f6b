"""The command that hands datasets on: `export`."""

from typing import Any

import click

from backbone.cli import documents
from backbone.cli.completing import SELECTION, SNAPSHOT
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.operations import draw_exported
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import present


@click.command()
@click.argument("datasets", metavar="DATASET...", nargs=-1, required=True, shell_complete=SELECTION)
@click.option(
    "--to",
    required=True,
    metavar="TARGET",
    help="Where: FOLDER (Parquet files), NAME.duckdb, or KIND:PLACE with KIND one of parquet, csv, arrow, duckdb, "
    "postgres, delta, iceberg. ${NAME} stands for a secret.",
)
@click.option(
    "--exclude", multiple=True, metavar="WORDS", shell_complete=SELECTION, help="Not these datasets, in the same words."
)
@click.option("--as-of", metavar="SNAPSHOT|TIME", shell_complete=SNAPSHOT, help="Export the lake as it was.")
@click.option(
    "--schema", metavar="NAME", help="PostgreSQL's schema or Iceberg's namespace (default: the project's name)."
)
@click.option("--replace", is_flag=True, help="Replace an export that is there, once the new one is whole.")
@click.option("--system", is_flag=True, help="With the system columns, such as _file and _record.")
@shared
@click.pass_obj
def export(settings: Settings, /, datasets: tuple[str, ...], to: str, **how: Any) -> None:
    """Write datasets where other tools look for them, all of one snapshot.

    DATASET is a name, or words as --select of `backbone run` takes them: zone:exploitation, tag:daily, ...

    \b
    backbone export zone:exploitation --to out/parquet
    backbone export orders customers --to shop.duckdb --replace
    backbone export zone:exploitation --to 'postgres:${PG_URL}' --schema shop
    """  # noqa: D301 - click's mark, the character itself, keeps these lines apart
    settings.when_interrupted = "the target is as it was; of Delta and Iceberg tables, each is as it was or replaced"
    with Progress() as progress:
        report = settings.workspace().export(datasets, to, on_event=progress, **how)
    document = documents.operation_document
    present(settings, lambda: document(report), lambda screen: draw_exported(report, screen), table="tables")
