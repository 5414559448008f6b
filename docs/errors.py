"""Renders the page of errors: each is provoked in a small project, by a real command, and shown as people see it."""

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from situations import SAYS, SHOP, SITUATIONS, Situation

from backbone.cli import entry, main

PAGE = Path(__file__).parent / "reference" / "errors.md"


@dataclass(frozen=True, slots=True)
class Shown:
    """What came of a situation: the text on the terminal, the exit code, and the error's class if one was raised."""

    text: str
    code: int
    raised: str


class Stage:
    """A place for situations: a project that has run once is made once, and copied."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = folder / "ready" / "shop"
        _write(self._ready, SHOP)
        _run(self._ready, "run")

    def show(self, situation: Situation) -> Shown:
        """Provoke an error and catch what is seen of it."""
        home = Path(tempfile.mkdtemp(dir=self._folder))
        shop = home / "shop"
        if situation.ran:
            shutil.copytree(self._ready, shop)
        else:
            _write(shop, SHOP)
        _write(shop, situation.files)
        with _hidden(situation.without):
            shown = _run(shop, situation.command)
        return Shown(_same_everywhere(shown.text, home), shown.code, shown.raised)


def _write(folder: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        elif text.startswith("zip: "):
            with zipfile.ZipFile(path, "w") as archive:
                for member in text.split()[1:]:
                    archive.writestr(member, "id\n1\n")
        elif text.startswith("-> "):
            path.symlink_to(text.removeprefix("-> "))
        else:
            path.write_text(text, encoding="utf-8")


def _run(folder: Path, command: str) -> Shown:
    """Carry out a command in this process, as the shell would."""
    raised: list[str] = []
    explain = entry.explain

    def noted(error: Exception, settings: entry.Settings) -> int:
        raised.append(type(error).__name__)
        return explain(error, settings)

    output, code = io.StringIO(), 0
    with (
        _within(folder),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        patch.object(entry, "explain", noted),
    ):
        try:
            main(shlex.split(command))
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Shown(output.getvalue(), code, "".join(raised))


@contextlib.contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Let a module be as if it weren't installed; those imported meanwhile stay, as some can't be loaded twice."""
    before = sys.modules.pop(module, None)
    if module:
        sys.modules[module] = None  # type: ignore[assignment]  # Python's own way to say so
    yield
    sys.modules.pop(module, None)
    if before is not None:
        sys.modules[module] = before


@contextlib.contextmanager
def _within(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _same_everywhere(text: str, home: Path) -> str:
    """What is seen, but for what differs from run to run: places, times, run ids."""
    for place in (home, home.resolve(), home.parent, home.parent.resolve()):
        text = text.replace(str(place), "")
    text = re.sub(r"\b[0-9a-f]{8}\b", "2f9c51d0", text)
    return re.sub(r" +(?:\d+\.\d|\d+ min \d\d) s\b", "  0.1 s", text).strip()


_HEAD = """# Errors

Every error that Backbone raises, as people see it, in a small shop with orders and customers. Each says what is wrong and where, and what to
do next. Rendered by `make docs` from real commands.
"""


def written(shown: Mapping[str, Iterable[tuple[Situation, Shown]]]) -> str:
    """The whole page."""
    parts = [_HEAD]
    for kind, situations in shown.items():
        parts.append(f"## `{kind}`\n\n{SAYS[kind]}\n")
        for situation, seen in situations:
            parts.append(f"### {situation.title}\n\n```text\n$ backbone {situation.command}\n{seen.text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(Path(folder))
        everything = {kind: [(one, stage.show(one)) for one in some] for kind, some in SITUATIONS.items()}
    PAGE.write_text(written(everything), encoding="utf-8")
