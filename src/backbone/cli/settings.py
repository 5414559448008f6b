"""What every command knows: the options that may stand before or after the command."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from backbone.cli.completing import ENVIRONMENT
from backbone.cli.door import Workspace, door

Format = Literal["table", "json", "csv"]


@dataclass(slots=True)
class Settings:
    """The shared options, and how the command ended: filled while the command line is read and carried out."""

    project: Path | None = None
    env: str | None = None
    format: Format = "table"
    debug: bool = False
    code: int = 0
    when_interrupted: str = ""

    def workspace(self) -> Workspace:
        """The project, opened."""
        return door().open_workspace(self.project, self.env)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Remember a shared option where it was given: after the command wins over before."""
    if value is not None and parameter.name:
        setattr(context.ensure_object(Settings), parameter.name, value)


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that all of them take."""
    options = (
        click.option(
            "--project",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="The project (default: the nearest folder upwards with backbone.yml).",
            expose_value=False,
            callback=_keep,
        ),
        click.option(
            "--env",
            metavar="NAME",
            shell_complete=ENVIRONMENT,
            help="The environment (default: the project's first).",
            expose_value=False,
            callback=_keep,
        ),
        click.option(
            "--format",
            type=click.Choice(("table", "json", "csv")),
            help="How data are printed (default: table).",
            expose_value=False,
            callback=_keep,
        ),
        click.option(
            "--debug",
            is_flag=True,
            default=None,
            help="Show the traceback of an error.",
            expose_value=False,
            callback=_keep,
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
