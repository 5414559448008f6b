"""History: which rows of a key begin a state, and from when until when each state holds.

Rows of one key are put in the order of their *moments*: the arrival of their landed file, or what `newest_by` says.
Of several rows of one moment the last one counts. A row that says the same as the one before it continues that state
and is merged away into the row that began it. A state ends where the next one begins; where landed files hold all rows
(`absent: deleted`), also at the first file that no longer has its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backbone.engine.protocol import Session
from backbone.model.files import LandedFile
from backbone.model.names import FILE, RECORD, VALID_FROM, VALID_TO, literal, quoted
from backbone.model.project import Trusted
from backbone.model.relations import Attribute, Relation
from backbone.quality.doubles import column_list
from backbone.zones.trusted.layers import Layers


@dataclass(frozen=True, slots=True)
class States:
    """Tables: `states` (the rows that begin one, with its times) and `losers` (the others, with their survivors).

    `unequal` counts rows that lost to one of equal key and moment in the same file, and other values.
    """

    states: str
    losers: str
    unequal: int


def moment_domain(trusted: Trusted, relation: Relation) -> str:
    """The domain of `_valid_from` and `_valid_to`."""
    return (relation.domain(trusted.newest_by) if trusted.newest_by else None) or "timestamp_tz"


def with_validity(trusted: Trusted, relation: Relation) -> Relation:
    """A trusted relation, with the times of its states if it has any."""
    if trusted.versions != "history":
        return relation
    domain = moment_domain(trusted, relation)
    return Relation((*relation.attributes, Attribute(VALID_FROM, domain), Attribute(VALID_TO, domain)))


def held_states(session: Session, layers: Layers, trusted: Trusted, *, dataset: str, number: int) -> str:
    """Copy the present states of the dataset as published that new rows may continue or end."""
    names, name, key = column_list(layers.relation.names), f"_held_{number}", column_list(trusted.key)
    met = "" if trusted.absent else f" SEMI JOIN (SELECT {key} FROM {layers.kept}) AS n USING ({key})"
    session.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {names} FROM "
        f"(SELECT * FROM {dataset} WHERE {quoted(VALID_TO)} IS NULL) AS t{met}"
    )
    return name


def find_states(
    session: Session, layers: Layers, trusted: Trusted, *, files: Sequence[LandedFile], number: int
) -> States:
    """Put all rows in order, and say which begin a state."""
    names = {"n": number, "by_row": str(not trusted.absent and bool(trusted.newest_by)).lower()}
    _write_rows(session, layers, trusted, files, number)
    for statement in (_FILES, _ROWS, _STRETCHES, _WON, _ISLANDS, _STATES, _LOSERS):
        session.execute(statement.format(**names, whole=str(bool(trusted.absent)).lower()))
    ((unequal,),) = session.rows(_UNEQUAL.format(**names))
    return States(f"_states_{number}", f"_losers_{number}", int(unequal))


def _write_rows(session: Session, layers: Layers, trusted: Trusted, files: Sequence[LandedFile], number: int) -> None:
    """All rows, narrow. Those that rules took tell only that their key was in the file."""
    values = tuple(a.name for a in layers.relation.visible if a.name != trusted.newest_by)
    moment = f"t.{quoted(trusted.newest_by)}" if trusted.newest_by else "a.arrived"
    pairs = ", ".join(f"({file.id}, {literal(file.arrived_at.isoformat())}::TIMESTAMPTZ)" for file in files)
    session.execute(
        f"CREATE TEMP TABLE _raw_{number} AS SELECT {_struct(trusted.key)} AS k, {_struct(values)} AS content, "
        f"{moment} AS said, t.{FILE} AS file, t.{RECORD} AS record, _taken IS NULL AS kept, _present AS present "
        f"FROM {layers.table} AS t JOIN (VALUES {pairs}) AS a(id, arrived) ON t.{FILE} = a.id"
    )


def _struct(columns: Sequence[str]) -> str:
    return f"struct_pack({', '.join(f'c{number} := t.{quoted(name)}' for number, name in enumerate(columns))})"


_FILES = """
    CREATE TEMP TABLE _files_{n} AS
    SELECT *, dense_rank() OVER (ORDER BY moment) AS ord, max(file) OVER (PARTITION BY moment) AS heir
    FROM (SELECT file, max(said) AS moment FROM _raw_{n} WHERE NOT present GROUP BY file)"""
"""The landed files in order of their moments. Of several of one moment the last to arrive counts: the heir."""

_ROWS = """
    CREATE TEMP TABLE _rows_{n} AS
    SELECT r.*, coalesce(f.ord, 0) AS ord, CASE WHEN {whole} THEN coalesce(f.heir, r.file) ELSE r.file END AS heir,
        CASE WHEN {by_row} OR r.present THEN r.said ELSE f.moment END AS moment
    FROM _raw_{n} AS r LEFT JOIN _files_{n} AS f ON r.file = f.file AND NOT r.present"""
"""Each row with its moment. States held from before are in a file before all others, of which nothing is left out."""

_STRETCHES = """
    CREATE TEMP TABLE _stretches_{n} AS
    SELECT k, stretch, min(ord) AS first, max(ord) AS last
    FROM (SELECT DISTINCT k, ord, ord - dense_rank() OVER (PARTITION BY k ORDER BY ord) AS stretch
        FROM _rows_{n} WHERE {whole} AND heir = file) GROUP BY k, stretch"""
"""Where files hold all rows: the stretches of files that a key is in without a gap."""

_WON = """
    CREATE TEMP TABLE _won_{n} AS
    SELECT r.*, s.first, s.last FROM _rows_{n} AS r
    LEFT JOIN _stretches_{n} AS s ON r.k = s.k AND r.ord BETWEEN s.first AND s.last
    WHERE r.kept AND r.heir = r.file
    QUALIFY row_number() OVER (PARTITION BY r.k, r.moment ORDER BY r.file DESC, r.record DESC) = 1"""
"""The row that counts, for each key and moment."""

_ISLANDS = """
    CREATE TEMP TABLE _islands_{n} AS
    SELECT *, sum(begins) OVER (PARTITION BY k ORDER BY moment) AS island
    FROM (SELECT *, CAST(row_number() OVER w = 1 OR content IS DISTINCT FROM lag(content) OVER w
        OR first IS DISTINCT FROM lag(first) OVER w AS INTEGER) AS begins
        FROM _won_{n} WINDOW w AS (PARTITION BY k ORDER BY moment))"""
"""Rows that follow each other and say the same, as islands: each is one state."""

_STATES = """
    CREATE TEMP TABLE _states_{n} AS
    SELECT k, island, s.file, s.record, s.present, s.moment AS valid_from,
        CASE WHEN lead(first) OVER w IS NOT DISTINCT FROM first THEN lead(s.moment) OVER w ELSE f.moment END AS valid_to
    FROM (SELECT * FROM _islands_{n} WHERE begins = 1) AS s
    LEFT JOIN (SELECT DISTINCT ord, moment FROM _files_{n}) AS f ON f.ord = s.last + 1
    WINDOW w AS (PARTITION BY k ORDER BY s.moment)"""
"""The row that begins each state, and its times: until the next state, or the first file without the key."""

_LOSERS = """
    CREATE TEMP TABLE _losers_{n} AS
    SELECT r.file AS _file, r.record AS _record, r.present AS _present, coalesce(s.file, r.heir) AS survivor_file,
        coalesce(s.record, h.record) AS survivor_record
    FROM _rows_{n} AS r LEFT JOIN _islands_{n} AS w ON r.k = w.k AND r.moment = w.moment AND r.heir = r.file
    LEFT JOIN _states_{n} AS s ON s.k = w.k AND s.island = w.island
    LEFT JOIN (SELECT k, file, max(record) AS record FROM _rows_{n} WHERE kept GROUP BY k, file) AS h
        ON h.k = r.k AND h.file = r.heir AND r.heir <> r.file
    WHERE r.kept AND (s.file, s.record) IS DISTINCT FROM (r.file, r.record)"""
"""All other rows, with the row that began their state; in a file that has an heir, with the heir's row of their key."""

_UNEQUAL = """
    SELECT count(*) FROM _rows_{n} AS r JOIN _won_{n} AS w ON r.k = w.k AND r.moment = w.moment AND r.file = w.file
    WHERE r.kept AND NOT r.present AND r.record <> w.record AND r.content IS DISTINCT FROM w.content"""
