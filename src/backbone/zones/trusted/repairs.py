"""Every cell that a trusted dataset changed: its value in formatted, its value now, and the rules that did it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backbone.engine.protocol import Session
from backbone.model.files import LandedFile
from backbone.model.names import FILE, RECORD, literal, quoted, quoted_dataset
from backbone.model.project import Trusted
from backbone.model.relations import Relation
from backbone.quality.predicates import tested_columns
from backbone.zones.trusted.decided import FIXED
from backbone.zones.trusted.layers import Layers, first_layer, with_layer
from backbone.zones.trusted.links import Link, links_of
from backbone.zones.trusted.walk import Walk, walk_chain

CELLS, CHANGES = "_cells", "_cell_changes"
"""Temporary tables: the cells changed (`file, record, attribute, old, new`), and each link's part in them."""
_SAME_CELL = "c.file = h.file AND c.record = h.record AND c.attribute = h.attribute"


@dataclass(frozen=True, slots=True)
class Compared:
    """A trusted dataset beside its formatted one, both shown with system columns, and the source's landed files."""

    session: Session
    trusted: Trusted
    formatted: Relation
    relation: Relation
    files: tuple[LandedFile, ...] = ()


def find_cells(what: Compared) -> tuple[Link, ...]:
    """Make the tables of the cells changed and of who changed them; returns the links that may have.

    A cell is named by landed file and record, which a row keeps. A value that a conversion spells alike is no change.
    Only rows with a changed cell go through the chain again, unless a link of it compares rows.
    """
    what.session.execute(f"CREATE OR REPLACE TEMP TABLE {CELLS} AS {_cells_sql(what)}")
    columns = "file BIGINT, record BIGINT, attribute VARCHAR, link INTEGER, was VARCHAR, became VARCHAR, share DOUBLE"
    what.session.execute(f"CREATE OR REPLACE TEMP TABLE {CHANGES} ({columns})")
    changing = []
    for link, before, after in _stages(what):
        changing.append(link)
        for column in _columns(link, before.relation):
            what.session.execute(f"INSERT INTO {CHANGES} {_changes_sql(link, before, after, column)}")
    return tuple(changing)


def _cells_sql(what: Compared) -> str:
    named = f"trusted.{what.trusted.name}", f"formatted.{what.trusted.name}"
    joined = f"{quoted_dataset(named[1])} AS f JOIN {quoted_dataset(named[0])} AS t"
    on = f"f.{FILE} = t.{FILE} AND f.{RECORD} = t.{RECORD}"
    parts = [
        f"SELECT f.{FILE} AS file, f.{RECORD} AS record, {literal(a.name)} AS attribute, "
        f"CAST(f.{quoted(a.name)} AS VARCHAR) AS old, CAST(t.{quoted(a.name)} AS VARCHAR) AS new "
        f"FROM {joined} ON {on} WHERE {_differs(a.name, what)}"
        for a in what.formatted.visible
        if a.name in what.relation.names
    ]
    return " UNION ALL ".join(parts)


def _differs(column: str, what: Compared) -> str:
    mine, its = f"t.{quoted(column)}", f"f.{quoted(column)}"
    if what.formatted.domain(column) == what.relation.domain(column):
        return f"{mine} IS DISTINCT FROM {its}"
    return f"CAST({mine} AS VARCHAR) IS DISTINCT FROM CAST({its} AS VARCHAR)"


def _stages(what: Compared) -> Iterator[tuple[Link, Layers, Layers]]:
    """The links that change values, each with the rows before and after it."""
    links = links_of(what.trusted, again=False)
    table = quoted_dataset(f"formatted.{what.trusted.name}")
    if any(link.corrects for link in links):
        walk = Walk(what.session, first_layer(table, what.formatted), what.trusted, what.files)
        walk_chain(walk, links)
        layers = [*(walk.below[link.number] for link in links), walk.layers]
        stages = list(zip(links, layers, layers[1:], strict=False))
    else:
        stages = _row_by_row(what, links, table)
    yield from (stage for stage in stages if _columns(stage[0], stage[1].relation))


def _row_by_row(what: Compared, links: Sequence[Link], table: str) -> list[tuple[Link, Layers, Layers]]:
    named = f"(SELECT DISTINCT file AS {FILE}, record AS {RECORD} FROM {CELLS})"
    layers = first_layer(f"(SELECT f.* FROM {table} AS f SEMI JOIN {named} USING ({FILE}, {RECORD}))", what.formatted)
    stages = []
    for link in links:
        if not (link.merges or link.checks):
            after = with_layer(layers, link)
            stages.append((link, layers, after))
            layers = after
    return stages


def _columns(link: Link, relation: Relation) -> tuple[str, ...]:
    """The columns whose values a link may change."""
    rule = link.rule
    if rule.kind == FIXED:
        return tuple(dict.fromkeys(d.column for d in rule.param("decisions")))  # type: ignore[attr-defined]  # they are decisions
    changes = rule.action in {None, "null", "repair"} or rule.kind == "type"
    if not changes or link.merges or link.checks:
        return ()
    return tested_columns(rule, relation)


def _changes_sql(link: Link, before: Layers, after: Layers, column: str) -> str:
    name, number = quoted(column), link.number
    share = f"(SELECT _share FROM _wrong_{number} AS w WHERE w.{FILE} = b.{FILE} AND w.{RECORD} = b.{RECORD})"
    return (
        f"SELECT b.{FILE}, b.{RECORD}, {literal(column)}, {number}, CAST(b.{name} AS VARCHAR), "
        f"CAST(a.{name} AS VARCHAR), {share if link.corrects and link.rule.action == 'repair' else '1.0'} "
        f"FROM {before.table} AS b JOIN {after.table} AS a ON a.{FILE} = b.{FILE} AND a.{RECORD} = b.{RECORD} "
        f"JOIN {CELLS} AS c ON c.file = b.{FILE} AND c.record = b.{RECORD} AND c.attribute = {literal(column)} "
        f"WHERE CAST(b.{name} AS VARCHAR) IS DISTINCT FROM CAST(a.{name} AS VARCHAR)"
    )


def cells_sql(*, where: str = "true", limit: int) -> str:
    """The first cells changed, with the numbers of the links that did, and how sure they are."""
    return (
        f"SELECT c.*, list(h.link ORDER BY h.link) FILTER (h.link IS NOT NULL) AS links, min(h.share) AS share "
        f"FROM {CELLS} AS c LEFT JOIN {CHANGES} AS h ON {_SAME_CELL} WHERE {where} "
        f"GROUP BY ALL ORDER BY c.file, c.record, c.attribute LIMIT {limit}"
    )


def counts_sql() -> str:
    """How many cells each link changed; link 0: cells that no rule accounts for any more."""
    return (
        f"SELECT coalesce(h.link, 0) AS link, count(*) FROM {CELLS} AS c LEFT JOIN {CHANGES} AS h ON {_SAME_CELL} "
        "GROUP BY ALL ORDER BY link"
    )
