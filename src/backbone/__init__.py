"""Backbone: one backbone for an organisation's data and for every analysis made on it.

For notebooks: `open` a project, `peek` at a file. For project files: the decorators `view`, `classification`,
`regression` and `clustering`, and the splits `by_time`, `by_group` and `at_random`.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from backbone.project.declarations import at_random, by_group, by_time, classification, clustering, regression, view
    from backbone.workspace import Peek, Result, Workspace, peek
    from backbone.workspace import open_workspace as open  # noqa: A004 - `backbone.open` reads like Python's own

__all__ = [
    "Peek", "Result", "Workspace", "at_random", "by_group", "by_time", "classification", "clustering", "open", "peek",
    "regression", "view",
]  # fmt: skip

_HOMES = dict.fromkeys(
    ("at_random", "by_group", "by_time", "classification", "clustering", "regression", "view"),
    "backbone.project.declarations",
) | dict.fromkeys(("Peek", "Result", "Workspace", "open", "peek"), "backbone.workspace")


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: `import backbone` alone costs nothing."""
    if name not in _HOMES:
        msg = f"module 'backbone' has no attribute '{name}'"
        raise AttributeError(msg)
    import sys
    from importlib import import_module

    if name in ("open", "peek") and "IPython" in sys.modules:
        import_module("backbone.cli.notebooks").register()
    return getattr(import_module(_HOMES[name]), "open_workspace" if name == "open" else name)
