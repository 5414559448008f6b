"""One rule as one layer of SQL over the layers below it: a whole chain is one pass over the input.

Beside the dataset's columns the rows carry `_taken` (the link that took the row, NULL: none), `_present` (the row is
in the dataset as published), `_hit_N` (how often link N changed the row or found it wrong), `_in_N` (whether link N
tested it, where that isn't every row) and `_was_N` (the value that link N converted).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from backbone.model.domains import sql_type
from backbone.model.names import FILE, RECORD, VALID_FROM, VALID_TO, quoted
from backbone.model.relations import Relation
from backbone.quality.predicates import (
    broken_condition,
    cell_condition,
    relation_after,
    repair_expression,
    repaired_columns,
    scope_condition,
    tested_columns,
)
from backbone.zones.trusted.decided import DROPPED, FIXED, fixes_table, is_dropped
from backbone.zones.trusted.links import Link


@dataclass(frozen=True, slots=True)
class Layers:
    """Rows on their way through the chain: a SELECT, the relation that it has by now, and what it counts.

    `hits` and `scopes` are the numbers of links that have a `_hit_N` or `_in_N`; `converted` maps a link's number to
    the column whose former value `_was_N` holds.
    """

    select: str
    relation: Relation
    hits: tuple[int, ...] = ()
    scopes: tuple[int, ...] = ()
    converted: Mapping[int, str] = field(default_factory=dict)

    @property
    def table(self) -> str:
        """The rows as an SQL table expression."""
        return f"({self.select})"

    @property
    def kept(self) -> str:
        """The rows that no link took, as an SQL table expression."""
        return f"(SELECT * FROM {self.table} AS k WHERE _taken IS NULL)"


def first_layer(table: str, relation: Relation) -> Layers:
    """The rows of an input before any link."""
    names = ", ".join(quoted(name) for name in relation.names)
    return Layers(f"SELECT {names}, CAST(NULL AS INTEGER) AS _taken, false AS _present FROM {table}", relation)


def with_layer(layers: Layers, link: Link) -> Layers:
    """The rows after a link that looks at each row alone.

    Raises:
        ProjectError: its rule can't be applied to the relation.
    """
    rule, number, relation = link.rule, link.number, layers.relation
    if rule.kind == FIXED:
        return _fixed(layers, link)
    below = replace(layers, relation=relation_after([rule], relation))
    if rule.action is None:
        return _repair(below, link, relation)
    wrong = is_dropped(rule) if rule.kind == DROPPED else broken_condition(rule, relation)
    broken = f"(_taken IS NULL AND {wrong})"
    scope = scope_condition(rule, relation) if rule.where else ""
    values, extra = dict[str, str](), list[str]()
    if scope:
        extra.append(f"(_taken IS NULL AND {scope}) AS _in_{number}")
    if rule.kind == "type":
        values = {c: repair_expression(rule, c, relation) for c in tested_columns(rule, relation)}
        extra += [f"{quoted(c)} AS _was_{number}" for c in list(values)[:1]]
    elif rule.action == "null":
        values = {c: _nulled(link, c, relation) for c in tested_columns(rule, relation)}
    if rule.action == "quarantine":
        values["_taken"] = f"CASE WHEN {broken} THEN {number} ELSE _taken END"
    else:
        extra.append(f"CAST({broken} AS INTEGER) AS _hit_{number}")
    return replace(
        below,
        select=_layer(values, extra, layers.table),
        hits=layers.hits if rule.action == "quarantine" else (*layers.hits, number),
        scopes=(*layers.scopes, number) if scope else layers.scopes,
        converted={**layers.converted, **({number: next(iter(values))} if rule.kind == "type" else {})},
    )


def with_taken(layers: Layers, link: Link, losers: str) -> Layers:
    """The rows after a link that compared them; the table `losers` names those that it takes."""
    joined = (
        f"SELECT v.* REPLACE (CASE WHEN v._taken IS NULL AND l.{FILE} IS NOT NULL THEN {link.number} "
        f"ELSE v._taken END AS _taken) FROM {layers.table} AS v "
        f"LEFT JOIN {losers} AS l ON v.{FILE} = l.{FILE} AND v.{RECORD} = l.{RECORD}"
    )
    return replace(layers, select=joined)


def with_corrected(layers: Layers, link: Link, wrong: str) -> Layers:
    """The rows after a link that compared them; the table `wrong` names those that it changes or takes."""
    rule = link.rule
    if rule.action == "quarantine":
        return with_taken(layers, link, wrong)
    (column,) = tested_columns(rule, layers.relation)
    meant = "w._majority" if rule.action == "repair" else "NULL"
    found = "w._majority IS NOT NULL" if rule.action == "repair" else f"w.{FILE} IS NOT NULL"
    select = (
        f"SELECT v.* REPLACE (CASE WHEN v._taken IS NULL AND {found} THEN {meant} ELSE v.{quoted(column)} END "
        f"AS {quoted(column)}) FROM {layers.table} AS v LEFT JOIN {wrong} AS w "
        f"ON v.{FILE} = w.{FILE} AND v.{RECORD} = w.{RECORD}"
    )
    return replace(layers, select=select)


def with_states(layers: Layers, validity: Relation, states: str) -> Layers:
    """The rows with the times of their states, which the table `states` has for those that begin one.

    `_ended` says of a row of the dataset as published that its state has ended by now.
    """
    joined = (
        f"SELECT v.*, s.valid_from AS {VALID_FROM}, s.valid_to AS {VALID_TO}, "
        f"(v._present AND s.valid_to IS NOT NULL) AS _ended FROM {layers.table} AS v "
        f"LEFT JOIN {states} AS s ON v.{FILE} = s.file AND v.{RECORD} = s.record"
    )
    return replace(layers, select=joined, relation=validity)


def with_present(layers: Layers, present: str) -> Layers:
    """New rows together with rows of the dataset as published, which no link has to look at again."""
    names = ", ".join(quoted(name) for name in layers.relation.names)
    old = f"SELECT {names}, CAST(NULL AS INTEGER) AS _taken, true AS _present FROM {present}"
    return replace(layers, select=f"{layers.select} UNION ALL BY NAME {old}")


def counts_sql(layers: Layers, links: Sequence[Link]) -> tuple[str, ...]:
    """Aggregates over the new rows: all of them, then for each link those taken, those hit and those tested.

    What a link doesn't count is 0, and -1 for the rows tested of a link that tests every row that reaches it.
    """
    new = "FILTER (WHERE NOT _present)"
    per_link = []
    for link in links:
        per_link += [
            f"count(*) FILTER (WHERE _taken = {link.number})" if link.rule.action == "quarantine" else "0",
            f"sum(_hit_{link.number}) {new}" if link.number in layers.hits else "0",
            f"count(*) FILTER (WHERE _in_{link.number} AND NOT _present)" if link.number in layers.scopes else "-1",
        ]
    return (f"count(*) {new}", *per_link)


def _fixed(layers: Layers, link: Link) -> Layers:
    """The rows with the values that people gave to single cells."""
    fixes, columns = fixes_table(link.rule, layers.relation)
    values = {c: f"CASE WHEN f.is_{n} THEN f.to_{n} ELSE v.{quoted(c)} END" for n, c in enumerate(columns)}
    changed = " + ".join(
        f"CAST(f.is_{n} AND f.to_{n} IS DISTINCT FROM v.{quoted(c)} AS INTEGER)" for n, c in enumerate(columns)
    )
    replaced = ", ".join(f"{value} AS {quoted(column)}" for column, value in values.items())
    joined = (
        f"SELECT v.* REPLACE ({replaced}), coalesce({changed}, 0) AS _hit_{link.number} FROM {layers.table} AS v "
        f"LEFT JOIN {fixes} AS f ON v.{FILE} = f.file AND v.{RECORD} = f.record"
    )
    return replace(layers, select=joined, hits=(*layers.hits, link.number))


def _repair(below: Layers, link: Link, relation: Relation) -> Layers:
    values = {c: repair_expression(link.rule, c, relation) for c in repaired_columns(link.rule, relation)}
    if not values:
        return below
    changed = " + ".join(f"CAST({value} IS DISTINCT FROM {quoted(c)} AS INTEGER)" for c, value in values.items())
    hit = f"CASE WHEN _taken IS NULL THEN {changed} ELSE 0 END AS _hit_{link.number}"
    kept = {c: f"CASE WHEN _taken IS NULL THEN {value} ELSE {quoted(c)} END" for c, value in values.items()}
    return replace(below, select=_layer(kept, [hit], below.table), hits=(*below.hits, link.number))


def _nulled(link: Link, column: str, relation: Relation) -> str:
    broken = cell_condition(link.rule, column, relation)
    domain = sql_type(relation.domain(column) or "text")
    return f"CASE WHEN _taken IS NULL AND {broken} THEN CAST(NULL AS {domain}) ELSE {quoted(column)} END"


def _layer(values: Mapping[str, str], extra: Sequence[str], below: str) -> str:
    replaced = ", ".join(f"{value} AS {quoted(column)}" for column, value in values.items())
    star = f"* REPLACE ({replaced})" if values else "*"
    return f"SELECT {', '.join([star, *extra])} FROM {below}"
