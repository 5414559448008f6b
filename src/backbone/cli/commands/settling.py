"""The commands `quarantine` and `repairs`: rows set aside and cells changed, looked at and settled."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from backbone.cli import documents
from backbone.cli.completing import ASIDE, DATASET, RUN
from backbone.cli.drawing.live import Progress
from backbone.cli.drawing.settling import draw_repairs, draw_replayed, draw_settled, draw_undone
from backbone.cli.drawing.ways import draw_quarantine_groups, draw_quarantine_rows
from backbone.cli.settings import Settings, shared
from backbone.cli.showing import present
from backbone.errors import UsageError

_SETTLES = ("fix", "drop", "replay")
_ACTIONS = ("list", "show", *_SETTLES)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What `quarantine` was called with."""

    action: str
    dataset: str | None
    words: tuple[str, ...] = ()
    because: str = ""
    path: Path | None = None
    suggested: bool = False


@click.command()
@click.argument("words", metavar="[list|show|fix|replay|drop] [DATASET] …", nargs=-1, shell_complete=ASIDE)
@click.option("--run", "run_id", metavar="ID", shell_complete=RUN, help="Only what this run set aside.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many rows to show.")
@click.option("--because", default="", metavar="TEXT", help="Why: with fix; always with drop.")
@click.option(
    "--from", "path", metavar="FILE", type=click.Path(path_type=Path), help="With fix: values from a CSV file."
)
@click.option("--suggested", is_flag=True, help="With fix: take what is suggested.")
@shared
@click.pass_obj
def quarantine(
    settings: Settings,
    words: tuple[str, ...],
    run_id: str | None,
    limit: int,
    because: str,
    path: Path | None,
    suggested: bool,
) -> None:
    """Look at the rows set aside and why; fix them, or drop them.

    list counts them by dataset and rule; show prints rows with their reasons. Without a word, list; with a DATASET
    alone, show.

    fix DATASET FILE:RECORD COLUMN=VALUE… gives a row other values (COLUMN= takes one away), --from a CSV file many
    rows; drop DATASET FILE:RECORD… leaves rows out for good. Both are written into trusted/NAME.csv. replay DATASET
    puts the rows through the zone again, as the next run would.
    """
    wanted = _meant(words, because, path, suggested=suggested)
    if wanted.action in _SETTLES:
        _settle(settings, wanted)
        return
    aside = settings.workspace().quarantine(wanted.dataset, run_id, limit if wanted.action == "show" else 0)
    document = documents.quarantine_document
    if wanted.action == "show":
        dataset = wanted.dataset
        present(settings, lambda: document(aside), lambda s: draw_quarantine_rows(aside, dataset, s), table="rows")
    else:
        present(settings, lambda: document(aside), lambda s: draw_quarantine_groups(aside, s), table="groups")


def _settle(settings: Settings, wanted: _Wanted) -> None:
    workspace, dataset = settings.workspace(), str(wanted.dataset)
    if wanted.action == "replay":
        with Progress() as progress:
            replayed = workspace.replay(dataset, on_event=progress)
        settings.code = 1 if replayed.report.failed or replayed.report.status == "failed" else 0
        present(settings, lambda: documents.replay_document(replayed), lambda s: draw_replayed(replayed, s))
        return
    if wanted.action == "drop":
        settled = workspace.drop(dataset, wanted.words, wanted.because)
    elif wanted.suggested:
        settled = workspace.accept(dataset, wanted.words, wanted.because)
    else:
        settled = workspace.fix(dataset, _values(wanted), wanted.because)
    verb = "dropped" if wanted.action == "drop" else "fixed"
    present(settings, lambda: documents.settled_document(settled), lambda s: draw_settled(settled, verb, s))


def _values(wanted: _Wanted) -> Mapping[str, Mapping[str, str | None]]:
    """The cells to fix, from the command line or a file."""
    if wanted.path is not None:
        if wanted.words:
            raise UsageError("fix takes its values from the command line or --from a file, not from both")
        return _fixes_in(wanted.path)
    record, *pairs = wanted.words or ("",)
    if not pairs:
        raise UsageError(f"fix needs a row and values: backbone quarantine fix {wanted.dataset} 12:640 dest=JFK")
    return {record: dict(map(_pair, pairs))}


def _fixes_in(path: Path) -> Mapping[str, Mapping[str, str | None]]:
    """Fixes from a CSV file: a column `record` (`12:640`), others named as the dataset's; empty values say nothing.

    Raises:
        UsageError: it can't be read, or has no such column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}") from error
    if not rows or "record" not in rows[0]:
        raise UsageError(f"{path} needs a column `record`, with rows such as 12:640, beside those to be fixed")
    return {
        row["record"]: {column: value for column, value in row.items() if column and column != "record" and value}
        for row in rows
    }


def _pair(word: str) -> tuple[str, str | None]:
    column, equals, value = word.partition("=")
    if not equals or not column:
        raise UsageError(f"expected COLUMN=VALUE, such as dest=JFK, not {word!r}")
    return column, value or None


def _meant(words: tuple[str, ...], because: str, path: Path | None, *, suggested: bool) -> _Wanted:
    """The action, the dataset and what else `quarantine` was called with."""
    action = words[0] if words and words[0] in _ACTIONS else "show" if words else "list"
    rest = words[1:] if words and words[0] in _ACTIONS else words
    if (path or suggested) and action != "fix":
        raise UsageError("--from and --suggested go with fix: backbone quarantine fix DATASET --suggested")
    if because and action not in {"fix", "drop"}:
        raise UsageError("--because goes with fix and drop")
    if action in _SETTLES and not rest:
        raise UsageError(f"{action} needs a dataset: backbone quarantine {action} trusted.orders")
    if action == "drop" and len(rest) == 1:
        raise UsageError(f"drop needs rows, as file:record: backbone quarantine drop {rest[0]} 12:640 --because TEXT")
    if action in {"list", "show", "replay"} and len(rest) > 1:
        said = " ".join(words)
        raise UsageError(
            f"quarantine takes list, show, fix, replay or drop, then a dataset, not '{said}': "
            "backbone quarantine show orders"
        )
    return _Wanted(action, rest[0] if rest else None, rest[1:], because, path, suggested)


@click.command()
@click.argument("dataset", shell_complete=DATASET)
@click.option("--rule", metavar="NAME", help="Only what this rule changed.")
@click.option("--undo", metavar="RULE|CELL", help="Take back what a rule changed, or one cell: 12:640.city.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many cells to show.")
@shared
@click.pass_obj
def repairs(settings: Settings, dataset: str, rule: str | None, undo: str | None, limit: int) -> None:
    """List every cell that a trusted dataset changed; take changes back.

    Each with its value as it landed, its value now, and the rules that changed it. --undo writes exceptions into
    trusted/NAME.yml, from where the next run takes them.
    """
    workspace = settings.workspace()
    if undo is not None:
        if rule:
            raise UsageError(f"--undo names the rule itself: backbone repairs {dataset} --undo '{rule}'")
        undone = workspace.undo(dataset, undo)
        present(settings, lambda: documents.undone_document(undone), lambda s: draw_undone(undone, s))
        return
    found = workspace.repairs(dataset, rule, limit)
    present(settings, lambda: documents.repairs_document(found), lambda s: draw_repairs(found, s), table="rows")
