"""The walk along the chain: it reads the input as seldom as it can, and counts what each link did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backbone.engine.protocol import Session
from backbone.errors import EngineError, ProjectError
from backbone.model.names import quoted
from backbone.model.rules import Rule
from backbone.model.steps import Finding
from backbone.quality.findings import counted, example_columns, example_rows, finding, measure
from backbone.quality.predicates import broken_condition, refused
from backbone.zones.trusted.layers import Layers, counts_sql, with_layer, with_present, with_taken
from backbone.zones.trusted.links import AGAIN, MERGE, Link
from backbone.zones.trusted.merging import add_present, count_unequal, find_again, find_losers, hash_rows


@dataclass(slots=True)
class Walk:
    """Where the rows are in the chain, and what was found on the way.

    `present` is the table of the dataset as published where only new rows walk, else None: then checks of the whole
    dataset are left for later, in `unchecked`. `below` holds the layers under each link, `taken` the rows it took.
    `repeats` maps landed files to the first one of the same content.
    """

    session: Session
    layers: Layers
    key: tuple[str, ...]
    present: str | None = None
    repeats: Mapping[int, int] = field(default_factory=dict)
    rows: int | None = None
    below: dict[int, Layers] = field(default_factory=dict)
    counts: dict[int, tuple[int, int]] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)
    losers: dict[int, str] = field(default_factory=dict)
    held: bool = False
    findings: dict[int, Finding] = field(default_factory=dict)
    unchecked: list[Rule] = field(default_factory=list)
    pending: list[Link] = field(default_factory=list)


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
    if link.rule.kind == AGAIN:
        _merge_again(walk, link)
    elif link.merges:
        _merge(walk, link)
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


def _merge_again(walk: Walk, link: Link) -> None:
    losers = find_again(walk.session, walk.layers, link, walk.repeats)
    ((lost,),) = walk.session.rows(f"SELECT count(*) FROM {losers}")
    walk.taken[link.number], walk.losers[link.number] = lost, losers
    walk.layers = with_taken(walk.layers, link, losers)


def _merge(walk: Walk, link: Link) -> None:
    hashed = hash_rows(walk.session, walk.layers, link)
    _count(walk, hashed)
    if link.rule.kind == MERGE:
        _refuse_keyless(walk, link, hashed)
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
        if link.rule.kind == MERGE:
            _warn_of_unequal(walk, link, losers)
        walk.layers = with_taken(walk.layers, link, losers)
    walk.taken[link.number] = lost_new
    if link.rule.kind != MERGE:
        walk.findings[link.number] = finding(link.rule, tested, lost)


def _refuse_keyless(walk: Walk, link: Link, hashed: str) -> None:
    columns = link.rule.columns
    ((keyless,),) = walk.session.rows(f"SELECT count(*) FILTER (keyless) FROM {hashed}")
    if not keyless:
        return
    missing = " OR ".join(f"{quoted(c)} IS NULL" for c in columns)
    condition = f"_taken IS NULL AND ({missing})"
    shown_columns = example_columns(link.rule, walk.layers.relation, walk.key)
    shown = example_rows(walk.session, walk.layers.table, condition, shown_columns)
    raise refused(
        link.rule,
        f"{counted(keyless, walk.rows or 0)} without a value in the key, as {'; '.join(shown)}. "
        f"Versions of a row are told by its key: add {{not_null: [{', '.join(columns)}], else: quarantine}}",
    )


def _warn_of_unequal(walk: Walk, link: Link, losers: str) -> None:
    unequal = count_unequal(walk.session, walk.layers, link, losers)
    if unequal:
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
