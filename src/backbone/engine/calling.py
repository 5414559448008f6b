"""Calls people's Python: their files are imported as modules of the project, their tracebacks cut to their frames."""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import update_wrapper
from pathlib import Path
from typing import Any

from backbone.errors import UsageError
from backbone.model.rules import Location

_HOUSE = str(Path(__file__).resolve().parent.parent)


def load_function(root: Path, path: str, name: str) -> Callable[..., Any]:
    """The function `name` of a project's Python file.

    The file and the project's modules that it imports are read afresh at each call, and nothing is written
    into the project. `path` is relative to `root`. What the file raises passes to the caller.

    Raises:
        UsageError: the file has no such function.
    """
    with _project_modules(root):
        module_name = path.removesuffix(".py").replace("/", ".")
        spec = importlib.util.spec_from_file_location(module_name, root / path)
        if spec is None or spec.loader is None:
            raise UsageError(f"{path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        spec.loader.exec_module(module)
        function = getattr(module, name, None)
    if not callable(function):
        raise UsageError(f"{path} has no function '{name}'")
    return _InProject(root, function)


class _InProject:
    """A person's function, called with the project importable, for the imports inside it. Else it is that function."""

    def __init__(self, root: Path, function: Callable[..., Any]) -> None:
        self._root = root
        self._function = function
        update_wrapper(self, function)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        with _project_modules(self._root, forget=False):
            return self._function(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


@contextmanager
def _project_modules(root: Path, *, forget: bool = True) -> Iterator[None]:
    """Makes the project's modules importable, and forgets older versions of them before.

    What they print goes to stderr, since stdout is for results; that they exit is an error like any other.
    """
    folder = str(root)
    if forget:
        _forget(folder)
    wrote = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    try:
        with redirect_stdout(sys.stderr):
            yield
    except SystemExit as error:
        raise RuntimeError(f"it called exit({error.code!r}), which would end the whole run") from error
    finally:
        sys.path.remove(folder)
        sys.dont_write_bytecode = wrote


def _forget(folder: str) -> None:
    inside = f"{folder}/"
    for name, module in list(sys.modules.items()):
        file = str(getattr(module, "__file__", None))
        # An environment inside the project holds other people's packages: those stay.
        if file.startswith(inside) and "site-packages" not in file and not file.startswith(_HOUSE):
            del sys.modules[name]
    importlib.invalidate_caches()


def user_frames(error: BaseException) -> str:
    """The traceback of an error with people's own frames only; empty where one line says it all."""
    stack = traceback.TracebackException.from_exception(error).stack
    frames = [frame for frame in stack if _is_theirs(frame.filename)]
    if len(frames) < 2:  # noqa: PLR2004 - the place of the only one is told as that of the failure
        return ""
    shown = traceback.StackSummary.from_list(frames).format()
    return "".join(["Traceback (most recent call last):\n", *shown]).rstrip()


def user_place(error: BaseException, root: Path) -> Location | None:
    """The line of the project's code at which an error was raised, or which is no Python; None where there is none."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        frames.append((error.filename or "", error.lineno))
    inside = [
        (Path(file).relative_to(root), line)
        for file, line in frames
        if _is_theirs(file) and file.startswith(f"{root}/")
    ]
    return Location(str(inside[-1][0]), inside[-1][1] or 1) if inside else None


def _is_theirs(file: str) -> bool:
    return not (file.startswith((_HOUSE, "<frozen", sys.prefix, sys.base_prefix)) or "site-packages" in file)
