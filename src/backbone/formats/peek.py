"""A first look at a file: how it is read, which columns it has, and why that is believed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backbone.engine.batches import in_batches
from backbone.engine.protocol import Session
from backbone.errors import UsageError, shown_value
from backbone.formats import archives
from backbone.formats.casting import misfits, no_such, present
from backbone.formats.clean import write_clean
from backbone.formats.decisions import keeps_type
from backbone.formats.detection import detect_template
from backbone.formats.inference import Inferred, infer_columns
from backbone.formats.kinds import kind_named
from backbone.formats.kinds.kind import About
from backbone.formats.markers import EMPTY, tokens_of
from backbone.formats.reading import opened, read_records
from backbone.formats.records import Records, field_name
from backbone.model.files import ITEM_COLUMNS, Column, Inside, Template

_LONGEST_HEADER = 10_000
_MEMBERS_LOOKED_AT = 24


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the tables in a file (`part`: a sheet, a table), which files of an archive, and how they are read."""

    part: str | None = None
    member: str | None = None
    lenient: bool = False


NO_WISH = Wanted()


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What of a file was written as plain CSV."""

    template: Template
    columns: int
    records: int
    unreadable: int


@dataclass(frozen=True, slots=True)
class Peeked:
    """What a file looks like. `evidence` are short sentences such as `tzone: NA means missing (3)`.

    `confidence` is that of each column's type, between 0 and 1. `children` are the relations inside its records: their
    headers, and what they look like.
    """

    template: Template
    columns: tuple[Column, ...]
    records: int
    unreadable: int
    evidence: tuple[str, ...]
    confidence: tuple[float, ...] = ()
    children: "tuple[tuple[str, Peeked], ...]" = ()


def peek_file(
    path: Path,
    session: Session,
    *,
    scratch: Path,
    template: Template | None = None,
    wanted: Wanted = NO_WISH,
) -> Peeked:
    """Look at all of a file. With a template, it is read as that says, and only the columns are inferred.

    `wanted` says which of several tables or files in it, where there is no template.

    Raises:
        UsageError: its format isn't built yet, or it can't be read at all.
    """
    if template is None:
        template = _detected(path, scratch, wanted)
    template, records = _with_children(path, template, session, scratch)
    try:
        if not records.headers:
            raise UsageError(f"{path.name} has no records, and so no columns. Add it when it has some")
        if long := next((h for h in records.headers if len(h) > _LONGEST_HEADER), None):
            raise UsageError(
                f"{path.name} has a header of {len(long):,} characters, which names no column: '{shown_value(long)}'"
            )
        peeked = peek_records(records, template, session)
    finally:
        records.drop(session)
    peeked = _with_about(peeked, _about(path, template, session, scratch), records.headers)
    return replace(peeked, children=tuple(_peek_children(path, peeked.template, template.children, session, scratch)))


def _with_children(path: Path, template: Template, session: Session, scratch: Path) -> tuple[Template, Records]:
    """A template that tells the relations inside the records of a file, and its records without them."""
    records = read_records(path, template, session, scratch=scratch)
    if not records.nested or template.children:
        return template, records
    children = _children(opened(path, template, scratch), template, scratch)
    apart = replace(template, children=children)
    found = read_records(path, apart, session, scratch=scratch)
    if found.headers:
        records.drop(session)
        return apart, found
    found.drop(session)  # nothing is left of them: their lists stay
    return template, records


def _children(files: Sequence[Path], template: Template, scratch: Path) -> tuple[Inside, ...]:
    """The relations inside the records of several files together."""
    found = dict[str, Inside]()
    for file in files:
        found |= {one.header: one for one in kind_named(template.format).children(file, template, scratch)}
    return tuple(found.values())


def _peek_children(
    path: Path, template: Template, children: Sequence[Inside], session: Session, scratch: Path
) -> Iterator[tuple[str, Peeked]]:
    """What the relations inside records look like that have any items; their first two columns are the system's."""
    for child in children:
        inside = replace(template, inside=(*template.inside, child.header))
        records = read_records(path, inside, session, scratch=scratch)
        try:
            found = peek_records(records, inside, session) if records.headers else None
        finally:
            records.drop(session)
        if found:
            own, below = len(ITEM_COLUMNS), tuple(_peek_children(path, inside, child.children, session, scratch))
            looked = replace(found, columns=found.columns[own:], confidence=found.confidence[own:], children=below)
            yield child.header, looked


def parts_of(path: Path, session: Session, *, scratch: Path) -> tuple[str, ...]:
    """The tables in a file, where it may have several: sheets of a workbook, tables of a database."""
    template = _detected(path, scratch, NO_WISH)
    return kind_named(template.format).parts(opened(path, template, scratch)[0], session)


def clean_file(path: Path, session: Session, target: Path, *, scratch: Path, wanted: Wanted = NO_WISH) -> Cleaned:
    """Write a file's exact texts as plain CSV; see `write_clean`.

    Raises:
        UsageError: its format isn't built yet, or it can't be read at all.
    """
    template = _detected(path, scratch, wanted)
    records = read_records(path, template, session, scratch=scratch)
    try:
        found = records if records.total or template.header_rows else replace(records, headers=())
        write_clean(found, target, session)
        return Cleaned(template, len(found.headers), records.records, records.unreadable)
    finally:
        records.drop(session)


def _detected(path: Path, scratch: Path, wanted: Wanted) -> Template:
    """The template of a file, or of all files of an archive.

    Raises:
        UsageError: they are not alike.
    """
    template = _as_written(path, scratch, wanted)
    return replace(template, lenient=wanted.lenient and template.format == "csv")


def _as_written(path: Path, scratch: Path, wanted: Wanted) -> Template:
    if not archives.is_archive(path):
        if wanted.member:
            raise UsageError(f"{path.name} is no archive, so that there is no member '{wanted.member}' in it")
        return _placed(path, wanted.part)
    files = archives.opened(path, wanted.member, scratch)
    found = {file.name: _placed(file, wanted.part) for file in files[:_MEMBERS_LOOKED_AT]}
    template = found[files[0].name]
    if any(other.format != template.format for other in found.values()):
        kinds = archives.listed([f"{name} ({one.format})" for name, one in found.items()])
        raise UsageError(
            f"{path.name} has several files of different kinds: {kinds}. Say which: --member {files[0].name}, or "
            f"--member '*{files[0].suffix}'"
        )
    return replace(template, member=wanted.member)


def _placed(path: Path, part: str | None) -> Template:
    template = detect_template(path, part)
    return kind_named(template.format).placed(path, template, part)


def _about(path: Path, template: Template, session: Session, scratch: Path) -> About:
    """What a file says of itself, and that there are several."""
    files = opened(path, template, scratch)
    about = kind_named(template.format).about(files[0], template, session)
    if len(files) == 1:
        return about
    return replace(about, evidence=(f"{len(files):,} files in the archive, read one after the other", *about.evidence))


def _with_about(peeked: Peeked, about: About, headers: Sequence[str]) -> Peeked:
    described = [about.descriptions.get(header, "") for header in headers]
    columns = [replace(c, description=d) if d else c for c, d in zip(peeked.columns, described, strict=True)]
    return replace(peeked, columns=tuple(columns), evidence=(*about.evidence, *peeked.evidence))


def peek_records(records: Records, template: Template, session: Session) -> Peeked:
    """What the records of a file say about its columns and null tokens."""
    inferred = infer_columns(records, session)
    tokens = _common_tokens(inferred)
    template = replace(template, null_tokens=tokens or EMPTY)
    columns = tuple(_with_tokens(i, tokens) for i in inferred)
    strays = _strays(records, template, columns, session)
    if records.domains:
        columns = tuple(_as_text(c, strays[i]) if i in strays else c for i, c in enumerate(columns))
    sentences = [s for i in inferred for s in _sentences(i)]
    sentences += [_stray(columns[i], stray) for i, stray in strays.items()]
    sentences += [records.remark] if records.remark else []
    if records.unreadable:
        verb = "is" if records.unreadable == 1 else "are"
        mends = "; to mend them: peek --lenient, or `lenient: true`" if template.format == "csv" else ""
        sentences.append(f"{records.unreadable:,} of {records.total:,} records {verb} unreadable{mends}")
    confidence = tuple(i.confidence for i in inferred)
    return Peeked(template, columns, records.total, records.unreadable, tuple(sentences), confidence)


def _common_tokens(inferred: Sequence[Inferred]) -> tuple[str, ...]:
    """Tokens of the whole file: all that mean *missing* somewhere, the most frequent first."""
    counts: dict[str, int] = {}
    for item in inferred:
        for marker, count in item.missing.items():
            counts[marker] = counts.get(marker, 0) + count
    return tuple(sorted(counts, key=lambda m: (-counts[m], m)))


def _with_tokens(item: Inferred, tokens: tuple[str, ...]) -> Column:
    """A column that keeps one of the file's tokens as a value has tokens of its own."""
    if not set(item.kept) & set(tokens):
        return item.column
    return replace(item.column, null_tokens=tuple(item.missing) or EMPTY)


def _sentences(item: Inferred) -> list[str]:
    name = item.column.name
    missing = [f"{name}: {shown_value(m)} means missing ({n:,})" for m, n in item.missing.items()]
    kept = [f"{name}: {shown_value(m)} is a value like the others ({n:,})" for m, n in item.kept.items()]
    return missing + kept + [f"{name}: {note}" for note in item.notes]


@dataclass(frozen=True, slots=True)
class _Stray:
    """Values of a column that its domain can't hold, of so many that are there, and one of them."""

    domain: str
    count: int
    values: int
    example: object


def _strays(records: Records, template: Template, columns: Sequence[Column], session: Session) -> dict[int, _Stray]:
    """The columns with values that their domain can't hold."""
    tests: Mapping[int, str] = {
        i: misfits(f"p{i}", c) for i, c in enumerate(columns) if c.domain not in {"text", "text[]"}
    }
    found: dict[int, _Stray] = {}
    for some in in_batches(list(tests)):
        values = ", ".join(f"{_text(i, records, columns[i], template)} AS p{i}" for i in some)
        counts = ", ".join(f"count_if({tests[i]}), count(p{i}), min(CASE WHEN {tests[i]} THEN p{i} END)" for i in some)
        row = session.rows(f"SELECT {counts} FROM (SELECT {values} FROM {records.table})")[0]
        found |= {i: _Stray(columns[i].domain, *row[3 * n : 3 * n + 3]) for n, i in enumerate(some) if row[3 * n]}
    return found


def _as_text(column: Column, stray: _Stray) -> Column:
    """A column of a typed file, as text where its domain is not the file's: nanoseconds, or 38 digits."""
    if keeps_type(stray.count, stray.values):
        return column
    return replace(column, domain="text[]" if column.domain.endswith("[]") else "text")


def _text(position: int, records: Records, column: Column, template: Template) -> str:
    name = field_name(position)
    return name if position in records.lists else present(name, tokens_of(column, template))


def _stray(column: Column, stray: _Stray) -> str:
    values = f"{stray.count:,} value is" if stray.count == 1 else f"{stray.count:,} values are"
    kept = "" if column.domain == stray.domain else ": kept as text"
    return f"{column.name}: {values} {no_such(stray.domain)}, such as '{shown_value(stray.example)}'{kept}"
