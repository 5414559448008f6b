"""A calm page of text: lines that wrap under their own indent, and tables without borders.

On a terminal, lines wrap and tables fit its width. Piped, nothing is wrapped or cut, and there are no colours.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from backbone.cli.drawing.cells import Part, printable
from backbone.cli.entry import coloured

UNLIMITED = 1_000_000
NARROW = 72
_GAP = 2
_LONGEST_CELL = 60
_SHORTEST_CELL = 14
_WIDEST_COLUMN = 1_000
"""In a pipe, a longer cell stands out of its column: else one cell of a megabyte would make every row as long."""


class _Console(Console):
    """rich's console, without its own way with closed pipes (exit code 1)."""

    def on_broken_pipe(self) -> None:
        """Let our own border deal with it."""
        raise BrokenPipeError


class Screen:
    """Where a command draws. `width` is the terminal's, or None where nothing needs to fit (a pipe)."""

    def __init__(self, file: IO[str] | None = None, *, width: int | None = None) -> None:
        stream = file or sys.stdout
        terminal = stream.isatty()
        self._console = _Console(
            file=stream, width=width or (None if terminal else UNLIMITED), highlight=False, markup=False,
            emoji=False, force_jupyter=False, no_color=not coloured(stream), legacy_windows=False,
        )  # fmt: skip
        self._styled = coloured(stream)
        self.width = self._console.width

    @property
    def narrow(self) -> bool:
        """Whether columns side by side would not be readable."""
        return self.width < NARROW

    def line(self, *parts: Part, hang: int = 2) -> None:
        """One line; what doesn't fit goes on below, `hang` blanks to the right."""
        text = _stripped(self._text(parts))
        if text.cell_len <= self.width:
            self._print(text)
            return
        indent = len(text.plain) - len(text.plain.lstrip())
        for number, row in enumerate(self._wrapped(text, indent, hang)):
            self._print(Text(" " * (indent + (hang if number else 0))) + row)

    def _wrapped(self, text: Text, indent: int, hang: int) -> Iterator[Text]:
        """The pieces of a long line, without their indents. The first may be `hang` wider than the others."""
        body = text[indent:]
        first = body.wrap(self._console, max(self.width - indent, _SHORTEST_CELL))[0]
        yield _stripped(first)
        rest = body[len(first.plain) :]
        if start := len(rest.plain) - len(rest.plain.lstrip()):
            rest = rest[start:]
        for row in rest.wrap(self._console, max(self.width - indent - hang, _SHORTEST_CELL)):
            yield _stripped(row)

    def _text(self, parts: Iterable[Part]) -> Text:
        text = Text()
        for part in parts:
            words, style = part if isinstance(part, tuple) else (part, "")
            text.append(printable(words), style if self._styled else "")
        return text

    def _print(self, text: Text) -> None:
        self._console.print(_stripped(text), soft_wrap=True)

    def table(
        self, header: Sequence[str], rows: Sequence[Sequence[Part]], *, right: Iterable[int] = (), indent: int = 0
    ) -> None:
        """A table; on a terminal long cells are cut, and where even that doesn't fit each row becomes a block."""
        cells = [[self._cell(part) for part in row] for row in rows]
        widths = self._widths(header, cells, indent)
        if widths is None:
            self._blocks(header, cells, indent)
            return
        aligned = set(right)
        if any(header):
            self._row([self._cell((name, "dim")) for name in header], widths, aligned, indent)
        for row in cells:
            self._row(row, widths, aligned, indent)

    def _cell(self, part: Part) -> Text:
        return self._text([part])

    def _widths(self, header: Sequence[str], cells: Sequence[Sequence[Text]], indent: int) -> list[int] | None:
        """The columns' widths: as wide as needed, or the widest cut until all fit, or None where they don't."""
        columns = range(len(header))
        widths = [max([cell_len(header[i]), *(row[i].cell_len for row in cells)]) for i in columns]
        if self.width >= UNLIMITED:
            return [min(width, _WIDEST_COLUMN) for width in widths]
        widths = [min(width, max(_LONGEST_CELL, cell_len(header[i]))) for i, width in zip(columns, widths, strict=True)]
        room = self.width - indent - _GAP * (len(header) - 1)
        while sum(widths) > room:
            widest = max(columns, key=lambda i: widths[i])
            if widths[widest] <= _SHORTEST_CELL:
                return None
            widths[widest] -= 1
        return widths

    def _row(self, row: Sequence[Text], widths: Sequence[int], right: set[int], indent: int) -> None:
        line = Text(" " * indent)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True)):
            blank = " " * max(width - cell.cell_len, 0)
            shown = cell if self.width >= UNLIMITED else _cut(cell, width)
            line.append_text(Text(blank) + shown if i in right else shown + Text(blank))
            line.append(" " * _GAP)
        self._print(line)

    def _blocks(self, header: Sequence[str], cells: Sequence[Sequence[Text]], indent: int) -> None:
        """Each row as lines of `name  value`, a blank line between rows; empty cells are left out."""
        width = min(max(map(cell_len, header)), self.width // 2)
        for number, row in enumerate(cells):
            if number:
                self._print(Text())
            for name, cell in zip(header, row, strict=True):
                if not cell.plain:
                    continue
                label = self._cell((set_cell_size(printable(name), width) + " " * _GAP, "dim"))
                room = max(self.width - indent - width - _GAP, _SHORTEST_CELL)
                self._print(Text(" " * indent) + label + _cut(cell, room))


def _stripped(text: Text) -> Text:
    copy = text.copy()
    copy.rstrip()
    return copy


def _cut(text: Text, width: int) -> Text:
    if text.cell_len <= width:
        return text
    copy = text.copy()
    copy.truncate(width, overflow="ellipsis")
    return copy
