"""The walk along the chain: it reads the input as seldom as it can, and counts what each link did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backbone.engine.protocol import Session
from backbone.errors import EngineError, ProjectError
from backbone.model.files import LandedFile
from backbone.model.names import FILE, RECORD, quoted, quoted_dataset
from backbone.model.project import Trusted
from backbone.model.rules import Rule
from backbone.model.steps import Finding
from backbone.quality.determined import determined_scope, undetermined_sql
from backbone.quality.findings import counted, example_columns, example_rows, finding, measure
from backbone.quality.predicates import broken_condition, refused
from backbone.zones.trusted.layers import (
    Layers,
    counts_sql,
    with_corrected,
    with_layer,
    with_present,
    with_states,
    with_taken,
)
from backbone.zones.trusted.links import VERSIONS, Link
from backbone.zones.trusted.merging import (
    add_present,
    count_unequal,
    find_again,
    find_losers,
    find_orphans,
    find_superseded,
    hash_rows,
    held_orphans,
)
from backbone.zones.trusted.states import find_states, held_states, with_validity


@dataclass(slots=True)
class Walk:
    """Where the rows are in the chain, and what was found on the way.

    `present` is the table of the dataset as published where only new rows walk, else None: then checks of the whole
    dataset are left for later, in `unchecked`. `below` holds the layers under each link, `taken` the rows it took.
    `files` are the source's landed files. `ended` is the table of rows of the dataset whose state has ended.
    """

    session: Session
    layers: Layers
    trusted: Trusted
    files: tuple[LandedFile, ...] = ()
    present: str | None = None
    rows: int | None = None
    below: dict[int, Layers] = field(default_factory=dict)
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    losers: dict[int, str] = field(default_factory=dict)
    held: bool = False
    findings: dict[int, Finding] = field(default_factory=dict)
    unchecked: list[Rule] = field(default_factory=list)
    pending: list[Link] = field(default_factory=list)
    ended: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """The columns by which rows are told apart."""
        return self.trusted.key

    @property
    def repeats(self) -> dict[int, int]:
        """The landed files whose content had landed before, each with the first one that has it."""
        first: dict[str, int] = {}
        files = ((file.id, first.setdefault(file.sha256, file.id)) for file in self.files)
        return {file: known for file, known in files if file != known}


def walk_chain(walk: Walk, links: Sequence[Link]) -> None:
    """Take the rows along all links.

    Raises:
        ProjectError: a rule can't be applied, or its SQL can't be carried out.
    """
    try:
        for link in links:
            walk.below[link.number] = walk.layers
            _step(walk, link)
        if walk.pending or walk.rows is None:
            _count(walk, walk.layers.table)
    except EngineError as error:
        raise _blamed(walk, links, error) from error
    for link in links:
        if link.number in walk.counts:
            walk.findings[link.number] = _finding(walk, link)


def _step(walk: Walk, link: Link) -> None:
    unite = _UNITE.get(link.rule.kind, _merge)
    if link.merges:
        unite(walk, link)
    elif link.corrects:
        _correct(walk, link)
    elif not link.checks:
        walk.layers = with_layer(walk.layers, link)
        walk.pending.append(link)
    elif walk.present is not None:
        walk.unchecked.append(link.rule)
    else:
        walk.findings[link.number] = _check(walk, link)


def _check(walk: Walk, link: Link) -> Finding:
    """Judge the rows that are left as a whole."""
    if link.rule.kind == "unique":
        # One pass gives the hashes and all counts up to here; doubles, which are rare, are looked at in another.
        hashed = hash_rows(walk.session, walk.layers, link)
        _count(walk, hashed)
        again = f"SELECT h FROM {hashed} WHERE h IS NOT NULL GROUP BY h HAVING count(*) > 1"
        query = f"SELECT (SELECT count(h) FROM {hashed}), (SELECT count(*) FROM ({again}))"
        ((tested, repeated),) = walk.session.rows(query)
        walk.session.execute(f"DROP TABLE {hashed}")
        if not repeated:
            return finding(link.rule, tested, 0)
    return measure(walk.session, walk.layers.kept, walk.layers.relation, [link.rule], key=walk.key)[0]


def _correct(walk: Walk, link: Link) -> None:
    """Change or take the rows that others show to be wrong."""
    _count(walk, walk.layers.table)
    rule, relation, wrong = link.rule, walk.layers.relation, f"_wrong_{link.number}"
    walk.session.execute(
        f"CREATE TEMP TABLE {wrong} AS SELECT {FILE}, {RECORD}, _majority "
        f"FROM ({undetermined_sql(rule, relation, walk.layers.kept)})"
    )
    counted_rows = "count(_majority)" if rule.action == "repair" else "count(*)"
    scope = determined_scope(rule, relation)
    query = f"SELECT (SELECT {counted_rows} FROM {wrong}), count(*) FILTER (WHERE {scope}) FROM {walk.layers.kept}"
    ((broken, tested),) = walk.session.rows(query)
    shown: tuple[str, ...] = ()
    if broken:
        rows = f"(SELECT t.* FROM {walk.layers.kept} AS t SEMI JOIN {wrong} AS w USING ({FILE}, {RECORD}))"
        shown = example_rows(walk.session, rows, "true", example_columns(rule, relation, walk.key))
    walk.taken[link.number] = broken if rule.action == "quarantine" else 0
    walk.findings[link.number] = finding(rule, tested, broken, shown)
    walk.layers = with_corrected(walk.layers, link, wrong)


def _merge_again(walk: Walk, link: Link) -> None:
    """`append`: a content that had landed before adds nothing."""
    _lose(walk, link, find_again(walk.session, walk.layers, link, walk.repeats))


def _supersede(walk: Walk, link: Link) -> None:
    """`snapshot`: the newest landed file of which a row got through is the whole truth."""
    _count(walk, walk.layers.table)
    if walk.present is not None:
        walk.layers, walk.held = with_present(walk.layers, walk.present), True
    _lose(walk, link, find_superseded(walk.session, walk.layers, link, walk.key))


def _follow(walk: Walk, link: Link) -> None:
    """`parent`: the items of the rows that the parent's dataset holds."""
    _count(walk, walk.layers.table)
    parent = quoted_dataset(f"trusted.{walk.trusted.parent}")
    if walk.present is not None:
        held = held_orphans(walk.session, walk.layers, link, dataset=walk.present, parent=parent)
        walk.layers, walk.held = with_present(walk.layers, held), True
    _lose(walk, link, find_orphans(walk.session, walk.layers, link, parent))


def _track(walk: Walk, link: Link) -> None:
    """`history`: every state of a key, with its times."""
    trusted, number = walk.trusted, link.number
    _count(walk, walk.layers.table)
    _refuse_keyless(walk, link, (*trusted.key, *((trusted.newest_by,) if trusted.newest_by else ())))
    if walk.present is not None:
        held = held_states(walk.session, walk.layers, trusted, dataset=walk.present, number=number)
        walk.layers, walk.held = with_present(walk.layers, held), True
    found = find_states(walk.session, walk.layers, trusted, files=walk.files, number=number)
    if found.unequal:
        _warn_of_unequal(walk, link, found.unequal)
    _lose(walk, link, found.losers)
    walk.layers = with_states(walk.layers, with_validity(trusted, walk.layers.relation), found.states)
    walk.ended = (
        f"(SELECT file AS {FILE}, record AS {RECORD} FROM {found.states} WHERE present AND valid_to IS NOT NULL)"
    )


def _lose(walk: Walk, link: Link, losers: str) -> None:
    ((lost,),) = walk.session.rows(f"SELECT count(*) FILTER (WHERE NOT _present) FROM {losers}")
    walk.taken[link.number], walk.losers[link.number] = lost, losers
    walk.layers = with_taken(walk.layers, link, losers)


def _merge(walk: Walk, link: Link) -> None:
    hashed = hash_rows(walk.session, walk.layers, link)
    _count(walk, hashed)
    versions = link.rule.kind in VERSIONS
    if versions and walk.session.rows(f"SELECT 1 FROM {hashed} WHERE keyless LIMIT 1"):
        _refuse_keyless(walk, link, link.rule.columns)
    if walk.present is not None:
        held = add_present(walk.session, walk.layers, link, dataset=walk.present, hashed=hashed)
        walk.layers, walk.held = with_present(walk.layers, held), True
    losers = find_losers(walk.session, walk.layers, link, hashed)
    ((tested,),) = walk.session.rows(f"SELECT count(h) FILTER (WHERE NOT _present) FROM {hashed}")
    walk.session.execute(f"DROP TABLE {hashed}")
    lost, lost_new = 0, 0
    if losers:
        query = f"SELECT count(*), count(*) FILTER (WHERE NOT _present) FROM {losers}"
        ((lost, lost_new),) = walk.session.rows(query)
        walk.losers[link.number] = losers
        if versions and (unequal := count_unequal(walk.session, walk.layers, link, losers)):
            _warn_of_unequal(walk, link, unequal)
        walk.layers = with_taken(walk.layers, link, losers)
    walk.taken[link.number] = lost_new
    if not versions:
        walk.findings[link.number] = finding(link.rule, tested, lost)


def _refuse_keyless(walk: Walk, link: Link, columns: tuple[str, ...]) -> None:
    condition = f"_taken IS NULL AND ({' OR '.join(f'{quoted(c)} IS NULL' for c in columns)})"
    ((keyless,),) = walk.session.rows(f"SELECT count(*) FROM {walk.layers.table} AS t WHERE {condition}")
    if not keyless:
        return
    shown_columns = example_columns(link.rule, walk.layers.relation, walk.key)
    shown = example_rows(walk.session, walk.layers.table, condition, shown_columns)
    missing = "in the key" if columns == walk.key else f"in {', '.join(columns)}"
    raise refused(
        link.rule,
        f"{counted(keyless, walk.rows or 0)} without a value {missing}, as {'; '.join(shown)}. "
        f"Versions of a row are told by its key: add {{not_null: [{', '.join(columns)}], else: quarantine}}",
    )


def _warn_of_unequal(walk: Walk, link: Link, unequal: int) -> None:
    message = f"{counted(unequal, walk.rows or 0)} lost to an unequal row of the same key in the same landed file"
    walk.findings[link.number] = Finding(link.rule, walk.rows or 0, unequal, "warned", message)


def _count(walk: Walk, table: str) -> None:
    """Count what the links did since the last time, in a table that has their counters."""
    links, walk.pending = walk.pending, []
    if not links and walk.rows is not None:
        return
    (row,) = walk.session.rows(f"SELECT {', '.join(counts_sql(walk.layers, links))} FROM {table} AS t")
    total, *counts = (int(n or 0) for n in row)
    walk.rows = total
    for i, link in enumerate(links):
        taken, hits, tested = counts[3 * i : 3 * i + 3]
        reached = total - sum(walk.taken.values())
        walk.taken[link.number] = taken
        walk.counts[link.number] = (reached if tested < 0 else tested, taken or hits)


def _finding(walk: Walk, link: Link) -> Finding:
    tested, broken = walk.counts[link.number]
    found = finding(link.rule, tested, broken)
    if found.level not in {"warned", "failed"}:
        return found
    below = walk.below[link.number]
    columns = example_columns(link.rule, below.relation, walk.key)
    shown = example_rows(walk.session, below.kept, broken_condition(link.rule, below.relation), columns)
    return finding(link.rule, tested, broken, shown)


def _blamed(walk: Walk, links: Sequence[Link], error: EngineError) -> ProjectError | EngineError:
    """The first link that can't be carried out, as an error that names it; else the error as it was."""
    above: Mapping[int, Layers] = walk.below | {len(links) + 1: walk.layers}
    for link in links:
        after = above.get(link.number + 1, walk.layers)
        try:
            walk.session.rows(f"SELECT count(COLUMNS(*)) FROM {after.table} AS t")
        except EngineError as its_own:
            return refused(link.rule, str(its_own).splitlines()[0])
    return error


_UNITE = {"append": _merge_again, "snapshot": _supersede, "history": _track, "parent": _follow}
"""How versions are united, where it isn't by merging rows that are equal in some columns."""
