"""Writing an export to its target, by the adapter for that kind; each is imported only when it is used."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from backbone.connectors.secrets import concealed
from backbone.engine.protocol import Session
from backbone.errors import EngineError, ExportError
from backbone.exporting.content import Content
from backbone.exporting.outcome import Outcome
from backbone.exporting.target import Target
from backbone.troubles import trouble

_ADAPTERS = {
    "parquet": ("files", "write_folder"),
    "csv": ("files", "write_folder"),
    "arrow": ("files", "write_folder"),
    "duckdb": ("duckdb_file", "write_file"),
    "postgres": ("postgres", "write_schema"),
    "delta": ("delta", "write_delta"),
    "iceberg": ("iceberg", "write_iceberg"),
}
_ELSEWHERE = "name another target: --to"


class Adapter(Protocol):
    """Writes to one kind of target: what it leaves is whole, and all of one snapshot."""

    def __call__(
        self, content: Content, target: Target, session: Session, *, replace: bool, on_table: Callable[[str], None]
    ) -> Outcome:
        """Write all tables; `on_table` is called with each dataset before it is written.

        Raises:
            UsageError: the target is there, and is not to be replaced.
            MissingExtraError: what it needs isn't installed.
            ExportError, EngineError, OSError: it can't be written.
        """


def write_export(
    content: Content, target: Target, session: Session, *, replace: bool, on_table: Callable[[str], None]
) -> Outcome:
    """Write an export to its target.

    Raises:
        UsageError: the target is there, and is not to be replaced.
        ExportError: it can't be written.
    """
    module, name = _ADAPTERS[target.kind]
    write = cast("Adapter", getattr(import_module(f"backbone.exporting.{module}"), name))
    at = ""

    def noted(dataset: str) -> None:
        nonlocal at
        at = dataset
        on_table(dataset)

    try:
        return write(content, target, session, replace=replace, on_table=noted)
    except (EngineError, OSError) as error:
        cause = error.__cause__ or error
        place = Path.cwd() if target.kind == "postgres" else Path(target.location).absolute().parent
        told = trouble(cause, place, _ELSEWHERE) or _plainly(error)
        what = f"{at} can't be written to {target.shown}" if at else f"{target.shown} can't be written"
        raise ExportError(f"{what}: {concealed(told)}") from error


def _plainly(error: Exception) -> str:
    """What went wrong, without numbers."""
    if isinstance(error, FileExistsError | NotADirectoryError) and error.filename:
        return f"a file is in the way of {error.filename}. Name another target"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}. Name another target"
    return str(error)
