"""Links that compare rows: which row of several stays, and which row it leaves out points to it.

Hashes come first: one narrow pass over the input gives the hash of what is compared for every row. Only rows whose
hash occurs again are read a second time, and compared exactly.
"""

from collections.abc import Mapping

from backbone.engine.protocol import Session
from backbone.model.names import FILE, PARENT, RECORD, quoted
from backbone.model.relations import Relation
from backbone.model.rules import Rule
from backbone.quality.doubles import column_list, hash_sql, unique_scope
from backbone.quality.predicates import refused, tested_columns
from backbone.zones.trusted.layers import Layers
from backbone.zones.trusted.links import VERSIONS, Link


def find_again(session: Session, layers: Layers, link: Link, repeats: Mapping[int, int]) -> str:
    """The table of the rows of landed files whose content had landed before, with the same rows of the first one."""
    losers = f"_losers_{link.number}"
    pairs = ", ".join(f"({file}, {first})" for file, first in repeats.items())
    session.execute(
        f"CREATE TEMP TABLE {losers} AS SELECT t.{FILE}, t.{RECORD}, t._present, r.first AS survivor_file, "
        f"t.{RECORD} AS survivor_record FROM {layers.table} AS t JOIN (VALUES {pairs}) AS r(again, first) "
        f"ON t.{FILE} = r.again"
    )
    return losers


def find_superseded(session: Session, layers: Layers, link: Link, key: tuple[str, ...]) -> str:
    """The table of the rows of all landed files but the newest, with the row of their key in it, if there is one."""
    losers, order = f"_losers_{link.number}", link.rule.param("order")
    by = f"last({FILE} ORDER BY {order}, {FILE})" if order else f"max({FILE})"
    ((newest,),) = session.rows(f"SELECT {by} FROM {layers.kept}")
    at_newest = f"t.{FILE} = {newest or 0}"
    heirs = f"SELECT {column_list(key)}, max({RECORD}) AS record FROM {layers.kept} AS t WHERE {at_newest} GROUP BY ALL"
    same = " AND ".join(f"t.{quoted(c)} IS NOT DISTINCT FROM h.{quoted(c)}" for c in key)
    record, join = ("h.record", f" LEFT JOIN ({heirs}) AS h ON {same}") if key else ("CAST(NULL AS BIGINT)", "")
    session.execute(
        f"CREATE TEMP TABLE {losers} AS SELECT t.{FILE}, t.{RECORD}, t._present, {newest or 0} AS survivor_file, "
        f"{record} AS survivor_record FROM {layers.kept} AS t{join} WHERE NOT {at_newest}"
    )
    return losers


def held_orphans(session: Session, layers: Layers, link: Link, *, dataset: str, parent: str) -> str:
    """The table of the rows of the dataset as published whose parent is gone."""
    name = f"_held_{link.number}"
    names = ", ".join(f"t.{quoted(one)}" for one in layers.relation.names)
    session.execute(f"CREATE TEMP TABLE {name} AS SELECT {names} FROM {dataset} AS t {_without(parent)}")
    return name


def find_orphans(session: Session, layers: Layers, link: Link, parent: str) -> str:
    """The table of the rows whose parent a dataset doesn't hold; nothing survives in their place."""
    losers = f"_losers_{link.number}"
    session.execute(
        f"CREATE TEMP TABLE {losers} AS SELECT t.{FILE}, t.{RECORD}, t._present, CAST(NULL AS BIGINT) AS survivor_file,"
        f" CAST(NULL AS BIGINT) AS survivor_record FROM {layers.kept} AS t {_without(parent)}"
    )
    return losers


def _without(parent: str) -> str:
    return f"ANTI JOIN {parent} AS p ON t.{FILE} = p.{FILE} AND t.{PARENT} = p.{RECORD}"


def hash_rows(session: Session, layers: Layers, link: Link) -> str:
    """Read the rows once into a narrow table: the hash `h` of what a link compares, and all that is counted so far.

    `h` is NULL for rows that the link doesn't look at; `keyless` says that an upsert's key has no value.
    """
    columns, scope = _compared(link.rule, layers.relation)
    missing = " OR ".join(f"{quoted(c)} IS NULL" for c in columns) if link.rule.kind in VERSIONS else "false"
    counters = [f"_hit_{n}" for n in layers.hits] + [f"_in_{n}" for n in layers.scopes]
    wanted = [
        f"CASE WHEN _taken IS NULL AND {scope} THEN {hash_sql(columns)} END AS h",
        f"(_taken IS NULL AND ({missing})) AS keyless",
        "_taken",
        "_present",
        *counters,
    ]
    name = f"_hashed_{link.number}"
    session.execute(f"CREATE TEMP TABLE {name} AS SELECT {', '.join(wanted)} FROM {layers.table} AS t")
    return name


def add_present(session: Session, layers: Layers, link: Link, *, dataset: str, hashed: str) -> str:
    """Copy the rows of the dataset as published that a new row may be equal to, and their hashes to `hashed`."""
    columns, scope = _compared(link.rule, layers.relation)
    names, name = column_list(layers.relation.names), f"_held_{link.number}"
    session.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {names}, _h FROM (SELECT {names}, {hash_sql(columns)} AS _h "
        f"FROM {dataset} AS t WHERE {scope}) AS c SEMI JOIN {hashed} AS r ON c._h = r.h"
    )
    session.execute(f"INSERT INTO {hashed} BY NAME SELECT _h AS h, false AS keyless, true AS _present FROM {name}")
    return name


def find_losers(session: Session, layers: Layers, link: Link, hashed: str) -> str | None:
    """The table of the rows that a link takes, with their survivors; None where it takes none."""
    repeated, losers = f"_repeated_{link.number}", f"_losers_{link.number}"
    session.execute(
        f"CREATE TEMP TABLE {repeated} AS SELECT h FROM {hashed} WHERE h IS NOT NULL GROUP BY h HAVING count(*) > 1"
    )
    if session.rows(f"SELECT count(*) FROM {repeated}") == [(0,)]:
        return None
    session.execute(f"CREATE TEMP TABLE {losers} AS {_losers(layers, link, repeated)}")
    return losers


def count_unequal(session: Session, layers: Layers, link: Link, losers: str) -> int:
    """How many rows lost to a row of equal key and other values that came in the same landed file."""
    rivals = f"_rivals_{link.number}"
    met = (
        f"SELECT _h, {FILE}, {RECORD} FROM {losers} WHERE NOT _present "
        f"UNION SELECT _h, survivor_file, survivor_record FROM {losers}"
    )
    # Values are read only for keys that a file has twice: few, where files hold what their names say.
    session.execute(
        f"CREATE TEMP TABLE {rivals} AS SELECT * FROM ({met}) "
        f"WHERE ({FILE}, _h) IN (SELECT ({FILE}, _h) FROM ({met}) GROUP BY {FILE}, _h HAVING count(*) > 1)"
    )
    if session.rows(f"SELECT count(*) FROM {rivals}") == [(0,)]:
        return 0
    values = tuple(a.name for a in layers.relation.visible)
    rows = (
        f"SELECT t.{FILE}, p._h, {hash_sql(values, 't')} AS content FROM {layers.table} AS t "
        f"JOIN {rivals} AS p ON t.{FILE} = p.{FILE} AND t.{RECORD} = p.{RECORD} WHERE NOT t._present"
    )
    groups = f"SELECT count(*) AS n FROM ({rows}) GROUP BY {FILE}, _h HAVING count(DISTINCT content) > 1"
    ((number,),) = session.rows(f"SELECT CAST(coalesce(sum(n - 1), 0) AS BIGINT) FROM ({groups})")
    return int(number)


def _compared(rule: Rule, relation: Relation) -> tuple[tuple[str, ...], str]:
    """The columns that a link compares, and SQL for the rows that it looks at."""
    return tested_columns(rule, relation), "true" if rule.kind in VERSIONS else unique_scope(rule, relation)


def _losers(layers: Layers, link: Link, repeated: str) -> str:
    columns, scope = _compared(link.rule, layers.relation)
    order, stays = _order(link.rule)
    candidates = f"SELECT *, {hash_sql(columns)} AS _h FROM {layers.table} AS t WHERE _taken IS NULL AND {scope}"
    ranked = (
        f"SELECT {FILE}, {RECORD}, _present, _h, {stays}({FILE}) OVER w AS survivor_file, "
        f"{stays}({RECORD}) OVER w AS survivor_record "
        f"FROM ({candidates}) AS c SEMI JOIN {repeated} AS r ON c._h = r.h "
        f"WINDOW w AS (PARTITION BY {column_list(columns)} ORDER BY {order} "
        f"ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    )
    return f"SELECT * FROM ({ranked}) WHERE {FILE} <> survivor_file OR {RECORD} <> survivor_record"


def _order(rule: Rule) -> tuple[str, str]:
    """The SQL order of equal rows, and the function that picks the one that stays."""
    keep, order = str(rule.param("keep") or "last"), rule.param("order")
    if keep not in {"first", "last"}:
        raise refused(rule, f"keep is last or first, not {keep}")
    place = f"{FILE}, {RECORD}"
    return f"{order}, {place}" if order else place, f"{keep}_value"
