"""Adding a source: from a file to a trusted dataset in one go. And making a project to add it to."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path
from tempfile import TemporaryDirectory

from backbone.connectors.arriving import is_unfinished
from backbone.connectors.fetching import fetch_to
from backbone.connectors.origins import is_asked
from backbone.errors import BackboneError, UsageError, did_you_mean
from backbone.formats.headers import column_names
from backbone.formats.lines import line_of
from backbone.formats.peek import Peeked
from backbone.model.files import Column, LandedFile, Template
from backbone.model.names import PLAIN_NAME, is_system
from backbone.model.project import Source
from backbone.model.reports import Added, QuarantineRow, RunReport, Sample
from backbone.project.finding import PROJECT_FILE, find_project
from backbone.project.writing import add_origins, init_project, source_text, write_whole
from backbone.troubles import explained
from backbone.workspace.examples import copy_example
from backbone.workspace.opening import memory_limit_around, open_workspace
from backbone.workspace.peeking import parts, peek
from backbone.workspace.workspace import Workspace

_SHOWN = 5
_FILES_LOOKED_AT = 24
_SURE = 0.9


def init(folder: Path, example: str | None = None) -> list[str]:
    """Make a project in a folder, empty or not there yet; a copy of an example's where one is named.

    Returns:
        A line for each thing that was made.

    Raises:
        UsageError: there is a project already, or no such example.
    """
    folder = folder.absolute()
    if (folder / PROJECT_FILE).exists():
        raise UsageError(f"{folder} is a project already. Next: backbone --project {folder.name} run")
    with explained(folder):
        return copy_example(example, folder) if example else init_project(folder, _plain(folder.name) or "project")


def add_parts(folder: Path, name: str | None, locations: tuple[str, ...], env: str | None = None) -> tuple[Added, ...]:
    """Add a source for each table in a file: `sales_north` and `sales_south` for the sheets of `sales.xlsx`.

    Raises:
        UsageError: no file is there, its format has one table only, or one of them can't be read.
    """
    with TemporaryDirectory(prefix="backbone-add-") as fetched:
        first = _files(folder, locations, Path(fetched))[0]
        tables = parts(first, memory_limit_around(folder))
    if not tables:
        raise UsageError(f"{first.name} has one table, and no parts. Next: backbone add {first.name}")
    stem, names = name or _plain(first.name.split(".")[0]), list[str]()
    for part in tables:
        plain = f"{stem}_{_plain(part) or len(names) + 1}"
        names.append(plain if plain not in names else f"{plain}_{len(names) + 1}")
    return tuple(add(folder, one, locations, env, part) for one, part in zip(names, tables, strict=True))


def add(
    folder: Path,
    name: str | None,
    locations: tuple[str, ...],
    env: str | None = None,
    part: str | None = None,
    member: str | None = None,
) -> Added:
    """Add a source: write its template, land its files, and take them through to trusted.

    Args:
        folder: where locations are relative to; a project is made there if it is in none.
        name: the source's name; the first file's where it is None.
        locations: files and globs; without any, the source is compared with what has landed since it was written.
        env: the environment to run in.
        part: the sheet or table of the files that the source reads, where they have several.
        member: the file of an archive, or several by a pattern.

    Raises:
        UsageError: no file is there, or the name can't be one.
    """
    if name and not locations:
        return _compare(open_workspace(find_project(folder), env), name)
    with TemporaryDirectory(prefix="backbone-add-") as fetched:
        files = _files(folder, locations, Path(fetched))
        source = _source_name(name, files, part)
        # First of all: nothing is made for files that can't be read.
        peeked = _look(files, memory_limit_around(folder), part, member)
    made = ""
    try:
        root = find_project(folder)
    except UsageError:
        init(folder)
        root, made = folder.absolute(), str(folder)
    path = root / "sources" / f"{source}.yml"
    before = path.read_bytes() if path.exists() else None
    if before is not None:  # the project may need the very source that is being added
        _check_format(open_workspace(root, env), source, files[0], peeked)
    origins = [location if is_asked(location) else _origin(root, folder, location) for location in locations]
    with explained(root):
        if before is None:
            wish = [f"--{key} {value}" for key, value in (("part", part), ("member", member)) if value]
            shown = " ".join(["backbone add", *([name] if name else []), *locations, *wish])
            path.parent.mkdir(exist_ok=True)
            evidence = (*peeked.evidence, *_less_sure(peeked))
            write_whole(path, source_text(source, origins, peeked, evidence, shown))
        else:
            add_origins(path, origins)
    try:  # as it is declared now
        added = _take_through(open_workspace(root, env), source, peeked if before is None else None)
    except BackboneError:
        _restore(path, before)
        raise
    return replace(added, project=made)


def _unsure(peeked: Peeked, within: str = "") -> list[str]:
    known = zip(peeked.columns, peeked.confidence, strict=True)
    unsure = [f"{within}{c.name} {at:.2f}" for c, at in known if at < _SURE]
    return [*unsure, *(one for header, child in peeked.children for one in _unsure(child, f"{within}{header}."))]


def _less_sure(peeked: Peeked) -> tuple[str, ...]:
    """The types that few values speak for, or that some speak against, with their confidence."""
    unsure = _unsure(peeked)
    return (f"confidence in types under {_SURE}: {', '.join(unsure)}",) if unsure else ()


def _restore(path: Path, before: bytes | None) -> None:
    """Leave a source's file as it was: what can't be run isn't left half done."""
    if before is None:
        path.unlink()
        with suppress(OSError):  # it holds other sources
            path.parent.rmdir()
    else:
        path.write_bytes(before)


def _check_format(workspace: Workspace, source: str, first: Path, peeked: Peeked) -> None:
    """Refuse files that a source would misread: they only share its name."""
    declared = next((s.template.format for s in workspace.project.sources if s.name == source), None)
    found = peeked.template.format
    if declared and found != declared:
        raise UsageError(
            f"sources/{source}.yml reads {declared}, and {first.name} is {found}. "
            f"Give it a name of its own: backbone add NAME {first.name}"
        )


def _compare(workspace: Workspace, source: str) -> Added:
    """How the landed files of a source, the newest ones, differ from what its template says. Nothing is changed."""
    declared = next((s for s in workspace.project.sources if s.name == source), None)
    if declared is None:
        near = did_you_mean(source, [s.name for s in workspace.project.sources])
        raise UsageError(f"There is no source '{source}'.{near} To add one, name its files: backbone add {source} FILE")
    files = workspace.environment.landing.registry.files(source)
    if not files:
        raise UsageError(f"Nothing of '{source}' has landed yet. Next: backbone run")
    differing: dict[str, list[str]] = {}
    for file in files[-_FILES_LOOKED_AT:]:
        with (
            workspace.environment.landing.opened([file]) as (opened,),
            peek(opened.path, memory_limit=workspace.environment.memory_limit) as found,
        ):
            for difference in _all_differences(declared, found.peeked):
                differing.setdefault(difference, []).append(file.name)
    differences = tuple(f"{what} (in {_and_more(names)})" for what, names in differing.items())
    return Added(
        source=source,
        landed=(),
        template_path=f"sources/{source}.yml",
        written=False,
        summary=_summary(declared),
        evidence=differences or (f"as in {_and_more([file.name for file in reversed(files)])}",),
        next_command="backbone run",
    )


def _all_differences(declared: Source, found: Peeked) -> Iterator[str]:
    """What differs in a source's records, and in the relations inside them."""
    columns = [column for column in declared.columns if not is_system(column.name)]
    within = f"{declared.name.partition('__')[2]}: " if declared.parent else ""
    yield from (f"{within}{difference}" for difference in _differences(columns, found.columns))
    known = {child.template.inside[-1]: child for child in declared.children}
    for name, (header, child) in zip(column_names([h for h, _ in found.children]), found.children, strict=True):
        if header in known:
            yield from _all_differences(known[header], child)
        else:
            inside = ", ".join(f"{c.name}: {c.domain}" for c in child.columns)
            yield f"{within}new list: write children: {{{name}: {{columns: {{{inside}}}}}}}"


def _and_more(names: Sequence[str]) -> str:
    more = len(names) - 1
    return f"{names[0]} and {more:,} more" if more else names[0]


def _differences(declared: Sequence[Column], found: Sequence[Column]) -> tuple[str, ...]:
    """What would have to be written for the columns found: one proposal each. A column is known by any spelling."""
    before = {spelling: c for c in declared for spelling in (c.name, *c.headers)}
    now = {spelling: c for c in found for spelling in (c.name, *c.headers)}
    new = [f"new column: write {c.name}: {c.domain}" for c in found if not {c.name, *c.headers} & before.keys()]
    gone = [f"{c.name} is not there" for c in declared if not {c.name, *c.headers} & now.keys()]
    pairs = {before[spelling].name: (before[spelling], c) for spelling, c in now.items() if spelling in before}
    other = [
        f"{name} looks like {c.domain}, not {known.domain}"
        for name, (known, c) in pairs.items()
        if _wider(known.domain, c.domain) != known.domain
    ]
    return (*new, *gone, *other)


def _files(folder: Path, locations: Sequence[str], fetched: Path) -> list[Path]:
    found: list[Path] = []
    for number, location in enumerate(locations):
        if is_asked(location):
            into = fetched / str(number)
            into.mkdir()
            found.append(fetch_to(location, _root_around(folder), into, lambda _: None))
            continue
        if scheme := re.match(r"([a-z][a-z0-9+]+)://", location, re.IGNORECASE):
            raise UsageError(
                f"Reading from {scheme[1].lower()}:// is not built yet. Fetch it first, then: backbone add FILE"
            )
        if "${" in location:
            raise UsageError(f"'{location}' can't be written under `from`, where ${{NAME}} is a secret's. Rename it")
        pattern = folder / location
        several = has_magic(location) and not pattern.is_file()
        matches = sorted(glob(str(pattern), recursive=True)) if several else [str(pattern)]  # noqa: PTH207 - absolute
        files = [Path(match).absolute() for match in matches if Path(match).is_file()]
        if not files:
            near = did_you_mean(
                pattern.name, [p.name for p in pattern.parent.glob("*")] if pattern.parent.is_dir() else []
            )
            raise UsageError(f"There is no file '{location}'.{near}")
        found += files
    if wrong := next((file for file in found if is_unfinished(file.name)), None):
        raise UsageError(f"'{wrong.name}' doesn't land: by its name it is hidden or still being written. Rename it")
    if not found:
        raise UsageError("Nothing to add. Name a file: backbone add sales.csv, or backbone add sales data/sales-*.csv")
    return found


def _root_around(folder: Path) -> Path:
    """The folder whose `secrets.env` counts: the project's, or the one that becomes a project."""
    try:
        return find_project(folder)
    except UsageError:
        return folder.absolute()


def _origin(root: Path, folder: Path, location: str) -> str:
    path = Path(location) if Path(location).is_absolute() else folder.absolute() / location
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _source_name(name: str | None, files: Sequence[Path], part: str | None) -> str:
    plain = name or "_".join(filter(None, (_plain(files[0].name.split(".")[0]), _plain(part or ""))))
    if not PLAIN_NAME.fullmatch(plain) or "__" in plain:
        hint = f" For example: {_plain(plain) or 'sales'}"
        raise UsageError(f"'{plain}' can't be a source's name: small letters, digits and _, a letter first.{hint}")
    return plain


def _plain(text: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return plain if not plain or plain[0].isalpha() else f"t_{plain}"


def _look(files: Sequence[Path], memory_limit: str, part: str | None, member: str | None) -> Peeked:
    """What the files look like together: the first one's template, and columns that hold the values of all."""
    first, *others = files[:_FILES_LOOKED_AT]
    with peek(first, memory_limit=memory_limit, part=part, member=member) as found:
        together = found.peeked
    for path in others:
        with peek(path, memory_limit=memory_limit, part=part, member=member) as found:
            together = _together(together, found.peeked)
    return together


def _together(before: Peeked, now: Peeked) -> Peeked:
    """What was seen first, with columns that hold the values of both, and the children of both."""
    later = dict(now.children)
    children = [
        (header, _together(one, later.pop(header)) if header in later else one) for header, one in before.children
    ]
    columns = _united(before.columns, now.columns)
    confidence = (*before.confidence, *(1.0,) * (len(columns) - len(before.columns)))
    return replace(before, columns=columns, confidence=confidence, children=(*children, *later.items()))


def _united(before: Sequence[Column], now: Sequence[Column]) -> tuple[Column, ...]:
    later = {column.name: column for column in now}
    united = [replace(c, domain=_wider(c.domain, later[c.name].domain)) if c.name in later else c for c in before]
    known = {column.name for column in before}
    return (*united, *(column for column in now if column.name not in known))


def _wider(one: str, other: str) -> str:
    if one == other:
        return one
    return "float" if {one, other} <= {"integer", "float"} else "text"


def _take_through(workspace: Workspace, source: str, peeked: Peeked | None) -> Added:
    """Run a source; `peeked` is what was written into its file, None where that was there already."""
    declared = next(s for s in workspace.project.sources if s.name == source)
    names = [one.name for one in declared.relations]
    report = workspace.run(select=(f"formatted.{source}", *(f"trusted.{name}" for name in names)))
    return Added(
        source=source,
        landed=report.landed,
        template_path=f"sources/{source}.yml",
        written=peeked is not None,
        summary=_summary(declared),
        evidence=peeked.evidence if peeked else (),
        remarks=_remarks(workspace, source, report),
        sample=_sample(workspace, source, report) if not report.failed else None,
        run=report,
        next_command=f'backbone sql "from {source}"' if not report.failed else "backbone run",
    )


def _summary(source: Source) -> str:
    template, inside = source.template, len(source.relations) - 1
    names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
    parts = [template.format]
    if template.format == "csv":
        parts += [template.encoding, names.get(template.delimiter, repr(template.delimiter))]
    more = [f"{inside} {'relations' if inside > 1 else 'relation'} inside"] if inside else []
    return ", ".join([*parts, f"{len(source.columns)} columns", *more])


def _sample(workspace: Workspace, source: str, report: RunReport) -> Sample:
    result = workspace.sql(f"SELECT * FROM trusted.{source} ORDER BY _file, _record LIMIT {_SHOWN}")
    rows = tuple(result.rows())
    total = next((step.rows for step in report.steps if step.dataset == f"trusted.{source}"), len(rows))
    return Sample(result.columns, rows, total)


def _set_aside(dataset: str, report: RunReport) -> bool:
    """Whether rows of a dataset may be in quarantine: a run that failed leaves some without a ledger."""
    step = next(step for step in report.steps if step.dataset == dataset)
    ledger = step.delta or step.ledger
    return step.status != "done" or ledger is None or ledger.quarantined > 0


def _remarks(workspace: Workspace, source: str, report: RunReport) -> tuple[str, ...]:
    """What was repaired or set aside, with the line numbers of the first rows."""
    lines = []
    for step in report.steps:
        for finding in step.findings:
            if finding.level == "repaired" and finding.broken:
                lines.append(f"repaired  {finding.rule.name}: {finding.message}")
            elif finding.level == "warned":
                such = f", such as {finding.examples[0]}" if finding.examples else ""
                lines.append(f"warning   {finding.rule.name}: {finding.message}{such}")
    files = {file.id: file for file in workspace.environment.landing.registry.files(source)}
    declared = next(s for s in workspace.project.sources if s.name == source)
    names = [one.name for one in declared.relations]
    for dataset in (f"{zone}.{name}" for name in names for zone in ("formatted", "trusted")):
        if not _set_aside(dataset, report):
            continue
        aside = workspace.quarantine(dataset, limit=_SHOWN)
        lines += [f"set aside {_where(row, files, declared.template, workspace)}: {row.reason}" for row in aside.rows]
        if aside.total > len(aside.rows):
            lines.append(f"set aside {aside.total - len(aside.rows):,} more rows: backbone quarantine {dataset}")
    return tuple(lines)


def _where(row: QuarantineRow, files: dict[int, LandedFile], template: Template, workspace: Workspace) -> str:
    line = None
    if row.file_id in files and row.record:
        with workspace.environment.landing.opened([files[row.file_id]]) as (opened,):
            line = line_of(opened.path, template, row.record)
    return f"{row.file} line {line}" if line else f"{row.file} record {row.record}"
