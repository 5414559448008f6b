"""Polluted delimited files: clean tables written in every way in which people's files go wrong, with what is in them.

Each pollution is one thing that is odd about a file, and the relation that a patient reader makes of it: its headers
and its rows of exact text. `certain` says that it follows from the file alone; the others take a reader that mends.

The taxonomy is that of Vitagliano et al. (2023), "Pollock: A Data Loading Benchmark"; the tables and files are ours.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

Rows = list[list[str]]


@dataclass(frozen=True)
class Table:
    """A clean table."""

    header: list[str]
    rows: Rows


@dataclass(frozen=True)
class Polluted:
    """A file and what is in it."""

    name: str
    data: bytes
    header: list[str] | None
    rows: Rows
    certain: bool = True


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    end: str = "\n"
    always: bool = False


_WORDS = "amber basin cedar delta ember fjord grove harbour inlet jetty karst lagoon mesa nook oasis prairie".split()  # noqa: SIM905
_NAMES = ["Ana Ruiz", "O'Neill, Pat", "Zoë Müller", "Li Wei", 'José "Pepe" Díaz', "Smith; Sons", "Ng", "d'Arc, Jo"]


def table(seed: int, count: int | None = None) -> Table:
    """A table of people's: numbers, dates, words, sentences, gaps; some texts need quotes."""
    rng = random.Random(seed)
    makers = [
        ("id", lambda i: str(1000 + i)),
        ("name", lambda _: rng.choice(_NAMES)),
        ("since", lambda _: f"{rng.randint(1990, 2024)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"),
        ("amount", lambda _: f"{rng.uniform(0, 5000):.2f}"),
        ("place", lambda _: rng.choice(_WORDS).title()),
        ("remark", lambda _: rng.choice(["", "", "ok", "see, below", "two words", 'the "big" one'])),
        ("share", lambda _: f"{rng.random():.3f}"),
        ("email", lambda i: f"{rng.choice(_WORDS)}{i}@example.org"),
        ("code", lambda _: rng.choice("ABCDE") + str(rng.randint(10, 99))),
        ("at", lambda _: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"),
    ]
    chosen = [makers[0], *rng.sample(makers[1:], rng.randint(2, 8))]
    rows = [[make(i) for _, make in chosen] for i in range(count or rng.randint(12, 90))]
    return Table([name for name, _ in chosen], rows)


def written(row: Sequence[str], style: Style) -> str:
    """A row in a style, without its end."""
    return style.delimiter.join(_cell(cell, style) for cell in row)


def _cell(cell: str, style: Style) -> str:
    special = {*style.delimiter, style.quote, "\n", "\r"} - {""}
    if not style.quote or not (style.always or any(one in cell for one in special) or cell != cell.strip()):
        return cell
    inner = cell.replace(style.quote, style.escape + style.quote)
    if style.escape != style.quote:
        inner = cell.replace(style.escape, style.escape * 2).replace(style.quote, style.escape + style.quote)
    return style.quote + inner + style.quote


def text_of(one: Table, style: Style, *, header: bool = True) -> str:
    """A table in a style."""
    return "".join(written(row, style) + style.end for row in ([one.header] if header else []) + one.rows)


def _plain(one: Table) -> Table:
    """The same table without a character that is a delimiter or a quote somewhere."""
    clean = str.maketrans(dict.fromkeys(",;|\t\"'", " "))
    return replace(one, rows=[[" ".join(cell.translate(clean).split()) for cell in row] for row in one.rows])


def files(seed: int) -> Iterator[Polluted]:
    """All files that are made of the table of a seed."""
    one, rng = table(seed), random.Random(seed)
    for made in (_styles, _ends, _structures, _encodings, _rows):
        yield from made(one, rng)


def _file(name: str, text: str, one: Table, *, certain: bool = True, encoding: str = "utf-8") -> Polluted:
    return Polluted(name, text.encode(encoding), one.header, one.rows, certain)


def _styles(one: Table, _rng: random.Random) -> Iterator[Polluted]:
    for delimiter in (",", ";", "\t", "|", " ", ", ", "^", "~", "||", "::", " | "):
        for quote, escape in (('"', '"'), ('"', "\\"), ('"', "\0"), ("'", "'"), ("'", "\\")):
            for always in (False, True):
                style = Style(delimiter, quote, escape, always=always)
                usual = one if delimiter in ",;\t| " else _plain(one)
                yield _file(f"style {style}", text_of(usual, style), usual)
        bare = _plain(one) if delimiter != " " else _packed(one)
        yield _file(f"no quotes {delimiter!r}", text_of(bare, Style(delimiter, "")), bare)


def _packed(one: Table) -> Table:
    return replace(one, rows=[[cell.replace(" ", "") or "-" for cell in row] for row in _plain(one).rows])


def _ends(one: Table, rng: random.Random) -> Iterator[Polluted]:
    for end in ("\n", "\r", "\r\n"):
        for always in (False, True):
            text = text_of(one, Style(end=end, always=always))
            yield _file(f"end {end!r}", text, one)
            yield _file(f"no last end {end!r}", text.removesuffix(end), one)
            yield _file(f"two last ends {end!r}", text + end, one)
            yield _file(f"blank lines {end!r}", text.replace(end, end * 2, 3), one)
    lines = text_of(one, Style()).splitlines()
    for _ in range(5):
        yield _file("mixed ends", "".join(line + rng.choice(["\n", "\r\n", "\r"]) for line in lines), one)
        odd = rng.randrange(1, len(lines))
        yield _file(
            "one other end", "".join(f"{line}\r" if i == odd else f"{line}\r\n" for i, line in enumerate(lines)), one
        )


_TITLES = [
    ["Report of the year"],
    ["Report of the year", "Made by: the office, 2024", ""],
    ["Title", "", "Unit: EUR", "Date: 2024-05-01", ""],
]


def _structures(one: Table, _rng: random.Random) -> Iterator[Polluted]:
    for style in (Style(), Style(";"), Style("\t"), Style(always=True)):
        text = text_of(one, style)
        for titles in _TITLES:
            yield _file(f"preamble {len(titles)}", "".join(f"{t}\n" for t in titles) + text, one)
            padded = "".join(t + style.delimiter * (len(one.header) - 1) + "\n" for t in titles if "," not in t)
            yield _file(f"padded preamble {len(titles)}", padded + text, one)
        yield _file("footnote", f"{text}\nSource: the office\n", one)
        yield _file("footnotes", f"{text}\nNote: some is estimated\nSource: the office\n", one)
        yield _file("preamble and footnote", f"A title\n\n{text}\nSource: the office\n", one)
        bare = Polluted("no header", text_of(one, style, header=False).encode(), None, one.rows)
        yield bare
        yield _file("one row", text_of(replace(one, rows=one.rows[:1]), style), replace(one, rows=one.rows[:1]))
        yield _file("header only", text_of(replace(one, rows=[]), style), replace(one, rows=[]))
        units = [f"in {'kg' if i % 2 else 'm'}" for i in range(len(one.header))]
        joined = replace(one, header=[f"{a} {b}" for a, b in zip(one.header, units, strict=True)])
        double = written(one.header, style) + "\n" + written(units, style) + "\n" + text_of(one, style, header=False)
        yield _file("two header rows", double, joined)
        ends = "".join(written(row, style) + style.delimiter + "\n" for row in [one.header, *one.rows])
        yield _file("delimiter at each end", ends, one)


def _encodings(one: Table, _rng: random.Random) -> Iterator[Polluted]:
    text = text_of(one, Style())
    accented = any(ord(c) > 127 for c in text)
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "mac_roman"):
        if accented or not encoding.startswith(("cp", "latin", "mac")):
            yield _file(f"encoding {encoding}", text, one, encoding=encoding)
    if accented:
        lines = text.splitlines(keepends=True)
        mixed = b"".join(line.encode("cp1252" if i % 5 == 4 else "utf-8") for i, line in enumerate(lines))
        yield Polluted("mixed encodings", mixed, one.header, one.rows, certain=False)
    odd = replace(
        one, rows=[[one.rows[0][0], *(f"{cell}\0" if cell else cell for cell in one.rows[0][1:])], *one.rows[1:]]
    )
    yield _file("a NUL", text_of(odd, Style()), odd)


def _rows(one: Table, rng: random.Random) -> Iterator[Polluted]:
    for style in (Style(), Style(";"), Style(always=True)):
        for _ in range(8):
            yield from _broken_rows(one, style, rng)


def _broken_rows(one: Table, style: Style, rng: random.Random) -> Iterator[Polluted]:
    lines = [written(row, style) for row in [one.header, *one.rows]]
    at, column = rng.randrange(len(one.rows)), rng.randrange(len(one.header))
    row, width = one.rows[at], len(one.header)

    def changed(name: str, line: str, fields: list[str]) -> Polluted:
        text = "".join(f"{line if i == at + 1 else whole}\n" for i, whole in enumerate(lines))
        rows = [fields if i == at else kept for i, kept in enumerate(one.rows)]
        return Polluted(f"{name} {style}", text.encode(), one.header, rows, certain=False)

    yield changed(
        "too few", written(row[:column] or row[:1], style), (row[:column] or row[:1]) + [""] * (width - max(column, 1))
    )
    yield changed("empty ones too many", written(row, style) + style.delimiter * rng.randint(1, 3), row)
    other = next(d for d in ";,|" if d != style.delimiter and not any(d in cell for cell in row))
    yield changed("other delimiter", written(row, replace(style, delimiter=other)), row)
    cells = [_cell(cell, style) for cell in row]
    word = next((i for i, cell in enumerate(row) if cell.isalpha() and len(cell) > 2), None)
    if word is not None:
        stray = row[word][:2] + '"' + row[word][2:]
        inner = f'"{stray}"' if style.always else stray
        yield changed(
            "stray quote",
            style.delimiter.join([*cells[:word], inner, *cells[word + 1 :]]),
            [*row[:word], stray, *row[word + 1 :]],
        )
        cut = row[word][:2] + "\n" + row[word][2:]
        yield changed(
            "line end within",
            style.delimiter.join([*cells[:word], cut, *cells[word + 1 :]]),
            [*row[:word], cut, *row[word + 1 :]],
        )
        quoted = f'"{cut}"'
        yield changed(
            "quoted line end",
            style.delimiter.join([*cells[:word], quoted, *cells[word + 1 :]]),
            [*row[:word], cut, *row[word + 1 :]],
        )
