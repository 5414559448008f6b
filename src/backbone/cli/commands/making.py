"""Commands that begin something: `init`, `peek`, `add`."""

import re
from dataclasses import replace
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from backbone.cli import documents
from backbone.cli.completing import SOURCE
from backbone.cli.door import door
from backbone.cli.drawing.datasets import draw_added, draw_all_added, draw_clean, draw_lines, draw_peek
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import present, refuse_csv
from backbone.model.names import PLAIN_NAME

_PART = click.option("--part", metavar="NAME", help="A sheet or table of those in the file; `all`: each, for add.")
_MEMBER = click.option("--member", metavar="NAME", help="A file in an archive, or several by a pattern.")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--example",
    metavar="NAME",
    help="Start from an example: nycflights.",
    shell_complete=lambda *_: ["nycflights"],
)
@shared
@click.pass_obj
def init(settings: Settings, folder: Path, example: str | None) -> None:
    """Make a project in DIR."""
    refuse_csv(settings)
    made = list(door().init(folder, example))
    present(settings, lambda: {"made": made}, lambda screen: draw_lines(made, screen))


@click.command()
@click.argument("file", type=click.Path())
@_PART
@_MEMBER
@click.option("--lenient", is_flag=True, help="Mend rows that aren't as wide as the others, else set aside.")
@click.option("--to", metavar="CSV", type=click.Path(path_type=Path, dir_okay=False), help="Write it as plain CSV.")
@shared
@click.pass_obj
def peek(settings: Settings, file: str, part: str | None, member: str | None, lenient: bool, to: Path | None) -> None:
    """Look at a file, or what is at a URL: dialect, columns, first rows.

    Writes nothing but, with --to, the file's exact texts as CSV that any program reads: UTF-8, commas, one header.
    """
    if to is not None:
        refuse_csv(settings)
        cleaned = door().clean(file, to, lenient=lenient, part=part, member=member)
        present(settings, lambda: documents.clean_document(cleaned), lambda screen: draw_clean(cleaned, screen))
        return
    summary = replace(door().peek(file, part=part, member=member, lenient=lenient).summary, path=file)

    present(
        settings, lambda: documents.peek_document(summary), lambda screen: draw_peek(summary, screen), table="columns"
    )


def _source_or_file(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    sources = [CompletionItem(name) for name in SOURCE(context, parameter, incomplete)]
    return sources or [CompletionItem(incomplete, type="file")]


@click.command()
@click.argument("name", metavar="NAME|FILE", shell_complete=_source_or_file)
@click.argument("locations", metavar="[LOCATION]...", nargs=-1, type=click.Path())
@_PART
@_MEMBER
@shared
@click.pass_obj
def add(settings: Settings, name: str, locations: tuple[str, ...], part: str | None, member: str | None) -> None:
    """Add a source: land its files, and write how they are read.

    That is written to sources/NAME.yml, for you to edit. With a NAME alone, what is written there is compared with
    what has landed since. With --part all, each table in the file becomes a source.
    """
    refuse_csv(settings)
    is_name = bool(locations) or not _is_location(name)
    folder = settings.project or Path.cwd()
    named, files = (name, locations) if is_name else (None, (name,))
    if part == "all":
        sources = list(door().add_parts(folder, named, files, settings.env))
        settings.code = int(any(one.run is not None and one.run.failed for one in sources))
        present(
            settings,
            lambda: {"added": [documents.added_document(one) for one in sources]},
            lambda screen: draw_all_added(sources, screen),
        )
        return
    added = door().add(folder, named, files, settings.env, part, member)
    if added.run is not None and added.run.failed:
        settings.code = 1
    present(settings, lambda: documents.added_document(added), lambda screen: draw_added(added, screen))


def _is_location(word: str) -> bool:
    """Whether a word is a file rather than a source's name: `sales.csv`, `data/*`, or a file that is there."""
    return re.fullmatch(PLAIN_NAME, word) is None or Path(word).is_file()


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@shared
def completion(shell: str) -> None:
    """Print the script that makes a shell complete commands and names.

    For example, in ~/.bashrc: eval "$(backbone completion bash)"
    """
    from backbone.cli.entry import COMPLETE
    from backbone.cli.shells import script

    click.echo(script(shell, COMPLETE), nl=False)
