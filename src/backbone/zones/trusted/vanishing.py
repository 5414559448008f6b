"""Groups that a rule would take whole: a year, a type of plane. They fail the dataset before anyone misses them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from backbone.engine.protocol import Session
from backbone.errors import shown_value
from backbone.model.domains import sql_type
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
_FIRST_ROWS = 100_000

_Groups = Mapping[tuple[int, str], Mapping[str, int]]
"""Sizes of groups by their value, for each link (its number) and column."""
Rest = Callable[[Link], tuple[Sequence[str], str]]
"""For a link: the tables of rows that it left, other than those that all links left, and the table of all rows."""


@dataclass(frozen=True, slots=True)
class _Grouping:
    """How a column's rows are grouped: an SQL expression and its type."""

    value: str
    kind: str

    def is_one_of(self, groups: Iterable[str]) -> str:
        """SQL that is true for rows of these groups."""
        return f"{self.value} IN ({', '.join(f'CAST({literal(g)} AS {self.kind})' for g in sorted(groups))})"


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
    session: Session, links: Sequence[Link], relation: Relation, *, taken: str, left: str, rest: Rest
) -> tuple[Link, tuple[Vanished, ...]] | None:
    """The first link that takes groups whole, and those groups, the column of most rows first.

    Args:
        session: where the tables can be read.
        links: the links that took rows.
        relation: the attributes of the rows.
        taken: the table of the rows that they took, with the number of the link in `_taken`.
        left: the table of the rows that all left; nearly all groups are found in it, and most in its first rows.
        rest: for one link the tables of other rows that it left, and that of all rows.
    """
    columns = {a.name: _grouping(a.name, a.domain) for a in relation.visible if _has_groups(a.domain)}
    groups: _Groups = {}
    for link in links:
        its = {c: grouping for c, grouping in columns.items() if not _is_said(link, c, relation)}
        sizes_of = _groups(session, f"{taken} WHERE _taken = {link.number}", its)
        groups = {**groups, **{(link.number, c): sizes for c, sizes in sizes_of.items()}}
    for table in (f"(SELECT * FROM {left} LIMIT {_FIRST_ROWS})", left):
        groups = _not_found(session, table, columns, groups)
    for link in links:
        found = _of_link(session, link, columns, groups, rest)
        if found:
            vanished = [Vanished(c, relation.domain(c) in _BY_YEAR, sizes) for c, sizes in found.items()]
            return link, tuple(sorted(vanished, key=lambda v: -sum(v.groups.values())))
    return None


def _of_link(
    session: Session, link: Link, columns: Mapping[str, _Grouping], groups: _Groups, rest: Rest
) -> dict[str, Mapping[str, int]]:
    """What of the groups not found so far a link really takes whole, in columns of few enough groups."""
    its: _Groups = {key: sizes for key, sizes in groups.items() if key[0] == link.number}
    if not its:
        return {}
    others, everything = rest(link)
    for table in others:
        its = _not_found(session, table, columns, its)
    return {c: sizes for (_, c), sizes in its.items() if _is_small(session, everything, columns[c].value)}


def _has_groups(domain: str) -> bool:
    return domain not in _NO_GROUPS and not domain.endswith("[]")


def _is_said(link: Link, column: str, relation: Relation) -> bool:
    """Whether the rule tests the column, or says that its groups may vanish."""
    rule = link.rule
    tested = columns_in(rule.sql) if rule.kind == "expect" else set(tested_columns(rule, relation))
    return column in {*tested, *columns_in(rule.where), *rule.may_vanish}


def _grouping(column: str, domain: str) -> _Grouping:
    if domain in _BY_YEAR:
        return _Grouping(f"year({quoted(column)})", "BIGINT")
    return _Grouping(quoted(column), sql_type(domain))


def _groups(session: Session, taken: str, columns: Mapping[str, _Grouping]) -> dict[str, dict[str, int]]:
    """Groups of enough rows among those taken, by column; none of a column that has too many."""
    parts = [
        f"SELECT {literal(column)} AS c, CAST(g AS VARCHAR) AS g, n FROM ("
        f"SELECT {grouping.value} AS g, count(*) AS n, count(*) OVER () AS groups FROM {taken} "
        f"AND {quoted(column)} IS NOT NULL GROUP BY ALL) WHERE n >= {SMALLEST_GROUP} AND groups <= {MOST_GROUPS}"
        for column, grouping in columns.items()
    ]
    found: dict[str, dict[str, int]] = {}
    for column, group, rows in session.rows(" UNION ALL ".join(parts)) if parts else ():
        found.setdefault(column, {})[group] = rows
    return found


def _not_found(session: Session, table: str, columns: Mapping[str, _Grouping], groups: _Groups) -> _Groups:
    """The groups of which a table has no row."""
    looked_for: dict[str, set[str]] = {}
    for (_, column), sizes in groups.items():
        looked_for.setdefault(column, set()).update(sizes)
    if not looked_for:
        return {}
    parts = [
        f"SELECT {literal(column)} AS c, CAST(g AS VARCHAR) AS g FROM (SELECT DISTINCT {columns[column].value} AS g "
        f"FROM {table} AS t WHERE {columns[column].is_one_of(values)})"
        for column, values in looked_for.items()
    ]
    present = set(session.rows(" UNION ALL ".join(parts)))
    left = {key: {g: n for g, n in sizes.items() if (key[1], g) not in present} for key, sizes in groups.items()}
    return {key: sizes for key, sizes in left.items() if sizes}


def _is_small(session: Session, everything: str, value: str) -> bool:
    ((number,),) = session.rows(f"SELECT count(DISTINCT {value}) FROM {everything} AS t")
    return int(number) <= MOST_GROUPS
