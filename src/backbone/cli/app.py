"""The command `backbone`: its commands in the order in which a newcomer meets them."""

from collections.abc import Mapping

import click

import backbone
from backbone.cli.commands import asking, making, running
from backbone.cli.settings import shared
from backbone.errors import did_you_mean

_SECTIONS: Mapping[str, tuple[click.Command, ...]] = {
    "Begin": (making.init, making.peek, making.add),
    "Bring up to date": (running.plan, running.run, running.status),
    "Look": (asking.sql, asking.show_dataset, asking.profile, asking.quarantine),
    "Understand": (asking.lineage, asking.trace, running.history, running.doctor),
}


class _Commands(click.Group):
    """A group whose help is in sections, and that suggests near names."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order of the sections."""
        return [command.name or "" for section in _SECTIONS.values() for command in section]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """Write the sections."""
        for title, section in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(c.name or "", c.get_short_help_str(60)) for c in section])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may be meant."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            near = did_you_mean(args[0], self.commands) or " See: backbone --help"
            ctx.fail(f"there is no command {args[0]!r}.{near}")
        return super().resolve_command(ctx, args)


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


for _section in _SECTIONS.values():
    for _command in _section:
        app.add_command(_command)
