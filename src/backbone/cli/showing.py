"""One report, as people, programs or spreadsheets want it."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from backbone.cli.settings import Settings
from backbone.cli.writing import write_csv_rows, write_json
from backbone.errors import UsageError

if TYPE_CHECKING:
    from backbone.cli.drawing.screen import Screen


def present(
    settings: Settings,
    document: Callable[[], Mapping[str, object]],
    draw: "Callable[[Screen], None]",
    *,
    table: str | Callable[[], Iterable[Mapping[str, object]]] = "",
) -> None:
    """Print a report in the format that was asked for. `table` is the document's list that CSV prints."""
    if settings.format == "table":
        draw_on_screen(draw)
    elif settings.format == "json":
        _speak_utf8()
        write_json(document(), sys.stdout.write)
    elif callable(table):
        write_records(list(table()))
    elif table:
        records = document()[table]
        write_records(records if isinstance(records, list) else [])
    else:
        refuse_csv(settings)


def refuse_csv(settings: Settings) -> None:
    """Refuse a format that a command can't print, before it does anything."""
    if settings.format == "csv":
        raise UsageError("this command prints no single table: use --format table or --format json")


def draw_on_screen(draw: "Callable[[Screen], None]") -> None:
    """Draw on standard output."""
    from backbone.cli.drawing.screen import Screen

    draw(Screen())


def write_records(records: Sequence[Mapping[str, object]]) -> None:
    """Write objects of the same keys as CSV."""
    if records:
        _speak_utf8()
        write_csv_rows(list(records[0]), [list(record.values()) for record in records], sys.stdout.write)


def _speak_utf8() -> None:
    """JSON and CSV are UTF-8 in every locale."""
    with contextlib.suppress(AttributeError):  # not a text stream of the interpreter's: a test's
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr] # as above


def write_plainly(write: Callable[[Callable[[str], object]], object]) -> None:
    """Let `write` write JSON or CSV to standard output."""
    _speak_utf8()
    write(sys.stdout.write)
