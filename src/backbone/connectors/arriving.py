"""What has arrived for a source: the files at the places that it names, and in its drop folder."""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from glob import glob, has_magic
from pathlib import Path

from backbone.connectors.registry import Arrival
from backbone.connectors.secrets import concealed

_UNFINISHED = re.compile(r"^\.|^~|~$|\.(part|partial|tmp|temp|crdownload|swp|filepart)$", re.IGNORECASE)
_LINK = "it is a link, and whoever may drop files may not read all others. Put the file itself there"


def arriving(
    source: str, origins: Iterable[str], *, root: Path, drop: Path, seen: Mapping[str, tuple[int, int]]
) -> Iterator[Arrival]:
    """The files of a source in the order in which they will land: by name, numbers as numbers.

    Those that can't be read are among them, with the problem. Those that landed from where they are, and haven't
    changed since, are not: they may be thousands, so that no more is done than to ask the system for their state.

    Args:
        source: the source's name.
        origins: paths and patterns, with secrets filled in.
        root: the project's folder, from which they are meant.
        drop: the source's drop folder. What is in there lands, or is taken away, whatever it is.
        seen: size in bytes and modification time in ns of what has landed, by place.
    """
    for pattern in dict.fromkeys([*(str(root / origin) for origin in origins), str(drop / "*")]):
        if os.path.lexists(pattern):
            found = [pattern]
        else:
            if problem := _listing_problem(pattern):
                yield Arrival(source, problem[0], _told(_place(str(problem[0]), root)), problem=concealed(problem[1]))
            found = [match for match in glob(pattern, recursive=True) if not is_unfinished(os.path.basename(match))]  # noqa: PTH119, PTH207
        new = [path for path in found if not _has_landed(path, root, str(drop), seen)]
        for path in sorted(new, key=_natural):
            is_folder = path != pattern and os.path.isdir(path)  # noqa: PTH112 - never raises
            if not is_folder and (arrival := _look(source, Path(path).absolute(), root, drop)):
                yield arrival


def is_unfinished(name: str) -> bool:
    """Whether a file's name says that it is still being written, or meant for nobody's eyes: it doesn't land."""
    return _UNFINISHED.search(name) is not None


def _has_landed(path: str, root: Path, drop: str, seen: Mapping[str, tuple[int, int]]) -> bool:
    known = seen.get(_told(_place(path, root)))
    if known is None or os.path.dirname(path) == drop:  # noqa: PTH120 - thousands
        return False
    try:
        state = os.stat(path)  # noqa: PTH116 - thousands
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode) and known == (state.st_size, state.st_mtime_ns)


def _look(source: str, path: Path, root: Path, drop: Path) -> Arrival | None:
    place = _told(_place(str(path), root))
    state = _LINK if path.parent == drop and path.is_symlink() else _state_of(path)
    if isinstance(state, str):
        return Arrival(source, path, place, problem=concealed(state))
    return Arrival(source, path, place, state.st_size, state.st_mtime_ns) if state else None


def _place(path: str, root: Path) -> str:
    """A path as one from the project's folder, if it is in there."""
    return path.removeprefix(f"{root}{os.sep}")


def _told(path: str) -> str:
    """A path as it may be told: without secrets, and with bytes that are no UTF-8 as `%E9`."""
    if not path.isascii():
        path = "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in path)
    return concealed(path)


def _listing_problem(pattern: str) -> tuple[Path, str] | None:
    """The folder in which a pattern looks for files, if it is there and can't be listed: `glob` finds nothing there."""
    parts = Path(pattern).parts
    fixed = next((n for n, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    folder = Path(*parts[:fixed])
    try:
        os.scandir(folder).close()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return folder, error.strerror or str(error)
    return None


def _state_of(path: Path) -> os.stat_result | str | None:
    """What the system says about a file; why it can't be read; None if it has gone, which an origin may."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return f"it is a link to {path.readlink()}, which isn't there" if path.is_symlink() else None
    except OSError as error:
        return error.strerror or str(error)
    if stat.S_ISDIR(state.st_mode):
        return "it is a folder. Name the files in it, such as *.csv"
    return state if stat.S_ISREG(state.st_mode) else "it is no regular file"


def _natural(name: str) -> list[tuple[int, int | str]]:
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]
