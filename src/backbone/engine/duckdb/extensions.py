"""DuckDB's extensions, loaded from the wheels that Backbone installs, never from the network."""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import LakeError
from backbone.model.names import literal

if TYPE_CHECKING:
    import duckdb


CONFIG = {
    "allow_unsigned_extensions": "true",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "allocator_bulk_deallocation_flush_threshold": "32MB",
}
"""How every connection is made: it loads what `load_extension` names, from our wheels, and nothing by itself.

They were installed with Backbone, and are as trustworthy as its own code beside them. Reading 70 MB to check their
signatures would cost 0.2 s at each start.

Memory that is free again goes back to the system by 32 MB: by 512 MB, as DuckDB has it, a process may hold that much
more than its memory_limit.
"""


def extension_path(name: str) -> Path:
    """The file of an extension such as `ducklake`.

    Raises:
        LakeError: its wheel isn't installed.
    """
    spec = find_spec(f"duckdb_extension_{name}")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = next(Path(folder).rglob(f"{name}.duckdb_extension"), None)
        if found:
            return found
    msg = (
        f"DuckDB's extension {name} is not installed. Install it: pip install duckdb-extension-{name.replace('_', '-')}"
    )
    raise LakeError(msg)


def silence(connection: "duckdb.DuckDBPyConnection") -> None:
    """Let a connection or cursor draw no progress bar, as DuckDB does where it takes the process for a notebook."""
    from duckdb import InvalidInputException

    with suppress(InvalidInputException):  # no notebook with ipywidgets: there is none to draw, and nothing to set
        connection.execute("SET enable_progress_bar = false")


def load_extension(connection: "duckdb.DuckDBPyConnection", name: str) -> None:
    """Load one extension into a connection."""
    connection.execute(f"LOAD {literal(str(extension_path(name)))}")
