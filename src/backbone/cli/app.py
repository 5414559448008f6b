"""The command `backbone`: its commands in the order in which a newcomer meets them."""

from collections.abc import Mapping
from importlib import import_module

import click

import backbone
from backbone.cli.settings import shared
from backbone.errors import did_you_mean

SECTIONS: Mapping[str, Mapping[str, str]] = {
    "Begin": {"init": "making", "peek": "making", "add": "making"},
    "Bring up to date": {"plan": "running", "run": "running", "status": "running"},
    "Look": {"sql": "asking", "show": "asking", "profile": "asking", "quarantine": "settling", "repairs": "settling"},
    "Understand": {"lineage": "asking", "trace": "asking", "history": "running", "doctor": "running"},
    "Hand on": {"export": "exporting"},
    "Operate": {
        "rollback": "operating",
        "backup": "operating",
        "restore": "operating",
        "maintain": "operating",
        "migrate": "moving",
        "upgrade": "moving",
    },
    "Set up": {"completion": "making"},
}
"""The commands, each with the module that has it: imported when it is used, as most of `--version` would be imports."""
_HOMES = {name: home for section in SECTIONS.values() for name, home in section.items()}


class _Commands(click.Group):
    """A group whose help is in sections, and that suggests near names."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order of the sections."""
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import a command."""
        return _command(cmd_name) if cmd_name in _HOMES else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the sections."""
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, _command(name).get_short_help_str(70)) for name in section])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may be meant."""
        if args and args[0] not in _HOMES and not args[0].startswith("-") and not ctx.resilient_parsing:
            near = did_you_mean(args[0], _HOMES) or " See: backbone --help"
            ctx.fail(f"there is no command {args[0]!r}.{near}")
        return super().resolve_command(ctx, args)


def _command(name: str) -> click.Command:
    """The command, from its module."""
    command: click.Command = getattr(import_module(f"backbone.cli.commands.{_HOMES[name]}"), name)
    return command


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="New here? backbone add data.csv in an empty folder, or backbone init demo --example nycflights.",
)
@shared
@click.version_option(backbone.__version__, prog_name="backbone")
@click.pass_context
def app(context: click.Context) -> None:
    """One backbone for an organisation's data and for every analysis made on it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
