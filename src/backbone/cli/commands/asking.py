"""Commands that ask about data: `sql`, `show`, `profile`, `lineage`, `trace`."""

from pathlib import Path

import click

from backbone.cli import documents
from backbone.cli.completing import COLUMN, DATASET, KEY, SNAPSHOT
from backbone.cli.door import Result
from backbone.cli.drawing.datasets import ROWS_SHOWN, draw_description, draw_profile, draw_rows
from backbone.cli.drawing.ways import draw_lineage, draw_trace
from backbone.cli.entry import ended_after
from backbone.cli.phrases import count
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import draw_on_screen, present, write_plainly
from backbone.cli.writing import write_csv_rows, write_json_rows
from backbone.errors import UsageError

_MOST_SECONDS = 660.0
"""More than a query may take: one that can be interrupted has been."""
_FILES = (".csv", ".json", ".parquet")


@click.command()
@click.argument("query")
@click.option("--as-of", metavar="SNAPSHOT|TIME", shell_complete=SNAPSHOT, help="Read the lake as it was.")
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write .csv, .json or .parquet.")
@shared
@click.pass_obj
def sql(settings: Settings, query: str, as_of: str | None, output: Path | None) -> None:
    """Query the published datasets, read-only.

    For example: backbone sql "from trusted.flights limit 10"
    """
    if output is not None and output.suffix.lower() not in _FILES:
        raise UsageError(f"can't tell the format of {output}. Name it {', '.join('*' + s for s in _FILES)}")
    result = settings.workspace().sql(query, as_of)
    with ended_after(_MOST_SECONDS, f"the query took longer than {_MOST_SECONDS:g} seconds and was ended"):
        _answer(settings, result, output)


def _answer(settings: Settings, result: Result, output: Path | None) -> None:
    if output is not None:
        click.echo(f"wrote {count(result.write(output), 'row')} to {output}")
        return
    if settings.format == "table":
        first, total = result.head(ROWS_SHOWN)
        draw_on_screen(lambda screen: draw_rows(result.columns, first, total, screen))
        return
    rows = result.rows()  # before the columns, which would need another run of the query
    write_rows = write_json_rows if settings.format == "json" else write_csv_rows
    write_plainly(lambda write: write_rows(result.columns, rows, write))


@click.command()
@click.argument("dataset", shell_complete=DATASET)
@shared
@click.pass_obj
def show(settings: Settings, dataset: str) -> None:
    """Describe a dataset: columns, key, rules, a few rows."""
    described = settings.workspace().describe(dataset)
    document = documents.description_document
    present(settings, lambda: document(described), lambda screen: draw_description(described, screen), table="columns")


@click.command()
@click.argument("dataset", shell_complete=DATASET)
@shared
@click.pass_obj
def profile(settings: Settings, dataset: str) -> None:
    """Show a dataset's columns in numbers."""
    numbers = settings.workspace().profile(dataset)
    document = documents.profile_document
    present(settings, lambda: document(numbers), lambda screen: draw_profile(numbers, screen), table="columns")


@click.command()
@click.argument("name", metavar="DATASET[.COLUMN]", shell_complete=COLUMN)
@shared
@click.pass_obj
def lineage(settings: Settings, name: str) -> None:
    """Show where a dataset or column comes from and goes to."""
    graph = settings.workspace().lineage(name)
    document = documents.lineage_document
    present(settings, lambda: document(graph), lambda screen: draw_lineage(graph, screen), table="edges")


@click.command()
@click.argument("dataset", shell_complete=DATASET)
@click.argument("key", metavar="KEY=VALUE...", nargs=-1, required=True, shell_complete=KEY)
@click.option("--all", "every", is_flag=True, help="Show every row that it was made from.")
@shared
@click.pass_obj
def trace(settings: Settings, dataset: str, key: tuple[str, ...], every: bool) -> None:
    """Follow a row back to landed files.

    For example: backbone trace exploitation.carrier_days carrier=UA date=2013-01-01
    """
    node = settings.workspace().trace(dataset, dict(map(_pair, key)), limit=None if every else 1)
    present(
        settings,
        lambda: documents.trace_document(node),
        lambda screen: draw_trace(node, screen),
        table=lambda: documents.trace_records(node),
    )


def _pair(word: str) -> tuple[str, str]:
    column, equals, value = word.partition("=")
    if not equals or not column:
        raise UsageError(f"expected KEY=VALUE, such as carrier=UA, not {word!r}")
    return column, value
