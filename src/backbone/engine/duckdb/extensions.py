"""DuckDB's extensions, loaded from the wheels that Backbone installs, never from the network."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import LakeError

if TYPE_CHECKING:
    import duckdb


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


def load_extension(connection: "duckdb.DuckDBPyConnection", name: str) -> None:
    """Load one extension into a connection."""
    connection.execute(f"LOAD '{extension_path(name)}'")
