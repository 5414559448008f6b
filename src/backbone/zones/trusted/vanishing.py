"""Groups that a rule would take whole: a year, a type of plane. They fail the dataset before anyone misses them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backbone.engine.protocol import Session
from backbone.errors import shown_value
from backbone.model.names import literal, quoted
from backbone.model.relations import Relation
from backbone.quality.expressions import columns_in
from backbone.quality.predicates import tested_columns
from backbone.zones.trusted.links import Link

SMALLEST_GROUP = 5
MOST_GROUPS = 200
_BY_YEAR = {"date", "timestamp", "timestamp_tz"}
_NO_GROUPS = {"json", "binary", "time"}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Vanished:
    """The groups of one column that a rule takes whole, with their numbers of rows."""

    column: str
    by_year: bool
    groups: Mapping[str, int]

    def __str__(self) -> str:
        largest = sorted(self.groups.items(), key=lambda group: (-group[1], group[0]))
        shown = ", ".join(f"'{shown_value(value)}' ({rows:,})" for value, rows in largest[:_SHOWN])
        more = f", and {len(largest) - _SHOWN} more" if len(largest) > _SHOWN else ""
        return f"{f'year({self.column})' if self.by_year else self.column} = {shown}{more}"


def vanished_groups(
    session: Session, link: Link, relation: Relation, *, taken: str, left: Sequence[str], everything: str
) -> tuple[Vanished, ...]:
    """The groups that a link takes whole, those of most rows first.

    Args:
        session: where the tables can be read.
        link: the link that took rows.
        relation: the attributes of the rows.
        taken: the table of the rows that it took.
        left: tables of rows that it left; the cheapest first, as the others are read only for groups not found there.
        everything: the table of all rows, which says how many groups a column has.
    """
    columns = {
        a.name: _group_sql(a.name, a.domain) for a in relation.visible if _may_group(link, a.name, a.domain, relation)
    }
    groups = _groups(session, taken, columns)
    for table in left:
        groups = _not_found(session, table, columns, groups)
    few = {c: sizes for c, sizes in groups.items() if _is_small(session, everything, columns[c])}
    found = [Vanished(c, relation.domain(c) in _BY_YEAR, sizes) for c, sizes in few.items()]
    return tuple(sorted(found, key=lambda v: -sum(v.groups.values())))


def _may_group(link: Link, column: str, domain: str, relation: Relation) -> bool:
    rule = link.rule
    tested = columns_in(rule.sql) if rule.kind == "expect" else set(tested_columns(rule, relation))
    said = {*tested, *columns_in(rule.where), *rule.may_vanish}
    return column not in said and domain not in _NO_GROUPS and not domain.endswith("[]")


def _group_sql(column: str, domain: str) -> str:
    value = f"year({quoted(column)})" if domain in _BY_YEAR else quoted(column)
    return f"CAST({value} AS VARCHAR)"


def _groups(session: Session, taken: str, columns: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Groups of enough rows among those taken, by column; none of a column that has too many."""
    parts = [
        f"SELECT {literal(column)} AS c, g, n FROM (SELECT {value} AS g, count(*) AS n, count(*) OVER () AS groups "
        f"FROM {taken} AS t WHERE {quoted(column)} IS NOT NULL GROUP BY ALL) "
        f"WHERE n >= {SMALLEST_GROUP} AND groups <= {MOST_GROUPS}"
        for column, value in columns.items()
    ]
    found: dict[str, dict[str, int]] = {}
    for column, group, rows in session.rows(" UNION ALL ".join(parts)) if parts else ():
        found.setdefault(column, {})[group] = rows
    return found


def _not_found(
    session: Session, table: str, columns: Mapping[str, str], groups: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """The groups of which a table has no row."""
    if not groups:
        return {}
    parts = [
        f"SELECT DISTINCT {literal(column)} AS c, {columns[column]} AS g FROM {table} AS t "
        f"WHERE {columns[column]} IN ({', '.join(literal(g) for g in sizes)})"
        for column, sizes in groups.items()
    ]
    present = set(session.rows(" UNION ALL ".join(parts)))
    left = {c: {g: n for g, n in sizes.items() if (c, g) not in present} for c, sizes in groups.items()}
    return {column: sizes for column, sizes in left.items() if sizes}


def _is_small(session: Session, everything: str, value: str) -> bool:
    ((number,),) = session.rows(f"SELECT count(DISTINCT {value}) FROM {everything} AS t")
    return int(number) <= MOST_GROUPS
