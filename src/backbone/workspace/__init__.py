"""The front door: open a project, plan, run, and ask it anything. Notebooks, command line and web all come in here."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backbone.workspace.adding import add, add_parts, init
    from backbone.workspace.naming import Names, names
    from backbone.workspace.opening import open_workspace
    from backbone.workspace.peeking import Peek, clean, peek
    from backbone.workspace.results import Result
    from backbone.workspace.watching import changes
    from backbone.workspace.workspace import Workspace

__all__ = [
    "Names",
    "Peek",
    "Result",
    "Workspace",
    "add",
    "add_parts",
    "changes",
    "clean",
    "init",
    "names",
    "open_workspace",
    "peek",
]

_HOMES = {
    "Names": "naming",
    "Peek": "peeking",
    "Result": "results",
    "Workspace": "workspace",
    "add": "adding",
    "add_parts": "adding",
    "changes": "watching",
    "init": "adding",
    "names": "naming",
    "open_workspace": "opening",
    "clean": "peeking",
    "peek": "peeking",
}


def __getattr__(name: str) -> object:
    """Import each name when it is first used: what does nothing needn't load an engine."""
    if name not in _HOMES:
        msg = f"module 'backbone.workspace' has no attribute '{name}'"
        raise AttributeError(msg)
    return getattr(import_module(f"backbone.workspace.{_HOMES[name]}"), name)
