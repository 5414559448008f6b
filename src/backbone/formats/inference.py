"""What the values of a file's columns say, found in SQL; `decisions` says what follows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from backbone.engine.protocol import Session
from backbone.formats.candidates import CANDIDATES, MONEY_SIGN, STEP_FORM, Candidate, shape_of, with_shape
from backbone.formats.casting import FLOAT_FORM, trimmed
from backbone.formats.decisions import FIT_SHARE, Evidence, Typed, decided, has, rivals
from backbone.formats.headers import column_names, spelling
from backbone.formats.markers import MARKERS, Shape, missing_in_text, shape_sql
from backbone.formats.records import Records, field_name, fresh_names
from backbone.formats.words import CODE_HEADERS
from backbone.model.files import Column
from backbone.model.names import literal

_SAMPLE = 1_000
_SHAPES = 30
_LIKELY = 0.5
_LONGEST_MARKER = max(len(m) for m in MARKERS)
_MIXED = r"\S*\d\S*[A-Za-z]\S*|\S*[A-Za-z]\S*\d\S*|\d+[-/]\d+"
_NO_QUANTITY = r"[+-]?0\d.*|[+-]?\d{19,}|\+\d{7,}"
_PLAIN = ("integer", "number")
_SHORTEST_CODE = r"\d{4,}"


@dataclass(frozen=True, slots=True)
class Inferred:
    """A column with what was found out about it: markers that mean *missing*, markers that it keeps, and notes.

    `confidence` is that of its type, between 0 and 1: see the module.
    """

    column: Column
    missing: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    confidence: float = 1.0


def infer_columns(records: Records, session: Session, only: Sequence[int] | None = None) -> tuple[Inferred, ...]:
    """The columns of a file (or those at some positions), in order."""
    positions = range(len(records.headers)) if only is None else only
    names = column_names(records.headers)
    scalars = [i for i in positions if i not in records.lists]
    evidence = _evidence(records, session, scalars) if scalars else {}
    inferred = []
    for i in positions:
        column = Column(names[i], "text", headers=spelling(records.headers[i], names[i]))
        if i in records.lists:
            domain = records.domains[i] if records.domains else _list_domain(records, session, i)
            inferred.append(Inferred(replace(column, domain=domain)))
        else:
            inferred.append(_decide(column, evidence[i], records, session, i))
    return tuple(inferred)


def _evidence(records: Records, session: Session, positions: Sequence[int]) -> dict[int, Evidence]:
    """Candidates whose shapes are likely are tried on a sample of records from all over, the likely ones on all."""
    every = max(1, records.records // _SAMPLE)
    (sample,) = fresh_names("sample")
    # One value a row: every candidate is one expression then, and not one for each column.
    values = f"[{', '.join(field_name(i) for i in positions)}]"
    session.execute(
        f"CREATE TEMP TABLE {sample} AS SELECT i, raw, count(*) AS n FROM (SELECT unnest({list(positions)}) AS i, "
        f"unnest({values}) AS raw FROM {records.table} WHERE _record % {every} = 0) GROUP BY ALL"
    )
    first: dict[int, Evidence] = {}
    for keys, some in _alike(positions, _shaped(sample, session)).items():
        candidates = tuple(c for c in CANDIDATES if c.key in keys)
        first |= _count(f"SELECT * FROM {sample} WHERE i IN ({', '.join(map(str, some))})", session, candidates)
    session.execute(f"DROP TABLE {sample}")
    first |= {i: Evidence(0, 0, {}, {}) for i in positions if i not in first}
    if every == 1:
        return first
    return {i: _count(_column(records, i, first[i]), session, _likely(first[i]))[i] for i in positions}


def _alike(positions: Sequence[int], keys: Mapping[int, frozenset[str]]) -> dict[frozenset[str], list[int]]:
    """Columns by the candidates that are to be tried on them."""
    found: dict[frozenset[str], list[int]] = {}
    for i in positions:
        found.setdefault(keys.get(i, frozenset()), []).append(i)
    return found


def _shaped(sample: str, session: Session) -> dict[int, frozenset[str]]:
    """The keys of the candidates that the shapes of a sample's values allow, by column."""
    known = ", ".join(map(literal, MARKERS))
    values = f"SELECT i, n, {trimmed('raw')} AS v FROM {sample} WHERE raw IS NOT NULL"
    shapes = f"SELECT i, n, {shape_of('v')} AS shape FROM ({values}) WHERE v <> '' AND lower(v) NOT IN ({known})"
    query = (
        f"SELECT i, shape, sum(n)::BIGINT, sum(sum(n)) OVER (PARTITION BY i)::BIGINT FROM ({shapes}) "
        f"GROUP BY i, shape QUALIFY row_number() OVER (PARTITION BY i ORDER BY sum(n) DESC, shape) <= {_SHAPES}"
    )
    counts: dict[int, Counter[str]] = {}
    totals: dict[int, int] = {}
    for i, shape, n, total in session.rows(query):
        totals[i] = total
        counts.setdefault(i, Counter()).update(dict.fromkeys(with_shape(shape), n))
    return {i: _possible(found, totals[i]) for i, found in counts.items()}


def _possible(found: Counter[str], values: int) -> frozenset[str]:
    if found["number"] >= FIT_SHARE * values:  # every comma and group is judged only where plain numbers don't do
        return frozenset(key for key in ("integer", "number", "%Y%m%d") if found[key])
    return frozenset(key for key, n in found.items() if n >= _LIKELY * values)


def _column(records: Records, position: int, evidence: Evidence) -> str:
    """SQL: the texts of a column and how often each is there, where that is cheaper than to look at each."""
    name = field_name(position)
    if evidence.repeated:
        return f"SELECT {position} AS i, {name} AS raw, count(*) AS n FROM {records.table} GROUP BY ALL"
    return f"SELECT {position} AS i, {name} AS raw, 1 AS n FROM {records.table}"


def _likely(evidence: Evidence) -> tuple[Candidate, ...]:
    """Candidates that many values of a sample fit, with those that could speak against them."""
    keys = {key for key, count in evidence.fits.items() if count >= _LIKELY * evidence.values}
    truths = {key for key in evidence.fits if key.startswith("is ")}
    if sum(evidence.fits[key] for key in truths) >= _LIKELY * evidence.values:
        keys |= truths
    if has(evidence, "number"):
        keys = {*_PLAIN, *(keys & {"%Y%m%d"})}
    elif keys & {"number, comma", "number, grouped", "clear"}:
        keys |= {"number, comma", "number, grouped", "only comma", "only point", "clear", "integer", "number"}
    if keys & {"timestamp", "date"}:
        keys |= {"timestamp", "date"}
    keys |= {rival for key in keys for rival in rivals(key)}
    return tuple(c for c in CANDIDATES if c.key in keys)


# `FILTER` makes DuckDB slice all inputs of all aggregates for each of them, so it isn't used.
def _count(source: str, session: Session, candidates: Iterable[Candidate]) -> dict[int, Evidence]:
    """What the values of columns say, given SQL for their texts: `i`, the column, `raw`, and `n`, how often."""
    texts = f"SELECT i, n, {trimmed('raw')} AS t FROM ({source})"
    known = f"strlen(t) <= {_LONGEST_MARKER} AND lower(t) IN ({', '.join(literal(m) for m in MARKERS)})"
    marked = f"SELECT *, CASE WHEN {known} THEN true ELSE false END AS marker FROM ({texts})"
    valued = f"SELECT *, CASE WHEN marker OR t = '' THEN NULL ELSE t END AS v FROM ({marked})"
    tests = ["v IS NOT NULL", "marker", _is_code("v"), *(c.form.format(v="v") for c in candidates)]
    sums = ", ".join(f"sum(CASE WHEN {test} THEN n ELSE 0 END)::BIGINT" for test in tests)
    evidence = {}
    for i, rows, total, values, markers, codes, *fits in session.rows(
        f"SELECT i, count(*), sum(n)::BIGINT, {sums} FROM ({valued}) GROUP BY i"
    ):
        spelled = (
            session.rows(f"SELECT t, sum(n)::BIGINT FROM ({marked}) WHERE marker AND i = {i} GROUP BY t")
            if markers
            else []
        )
        fitting = {c.key: int(n) for c, n in zip(candidates, fits, strict=True)}
        evidence[i] = Evidence(int(values), int(codes), dict(spelled), fitting, repeated=2 * rows <= total)
    return evidence


def _is_code(value: str) -> str:
    number = f"regexp_full_match({value}, {literal(FLOAT_FORM)})"
    mixed = f"regexp_full_match({value}, {literal(_MIXED)})"
    return f"({mixed} AND NOT {number}) OR regexp_full_match({value}, {literal(_NO_QUANTITY)})"


def _decide(column: Column, evidence: Evidence, records: Records, session: Session, position: int) -> Inferred:
    if records.domains:
        typed = Typed(Column("", records.domains[position]))
    else:
        typed = decided(evidence)
        if typed.column.domain == "integer" and _is_code_header(column.name) and _all_long(records, session, position):
            typed = Typed(Column("", "text"), ("codes, as its header says, kept as text",), typed.confidence)
        elif "money" in evidence.fits or "percent" in evidence.fits:
            typed = replace(typed, notes=typed.notes or _amounts(evidence, records, session, position))
    found = typed.column
    column = replace(column, domain=found.domain, format=found.format, decimal=found.decimal, thousands=found.thousands)
    missing, kept = dict(evidence.markers), dict[str, int]()
    if missing and column.domain == "text" and evidence.values:
        missing = missing_in_text(evidence.markers, _shapes(records, session, position))
        kept = {m: n for m, n in evidence.markers.items() if m not in missing}
    return Inferred(column, missing, kept, typed.notes, typed.confidence)


def _is_code_header(name: str) -> bool:
    words = name.split("_")
    known = set(CODE_HEADERS.split())
    return not known.isdisjoint((*words, *(a + b for a, b in pairwise(words))))


def _all_long(records: Records, session: Session, position: int) -> bool:
    value = trimmed(field_name(position))
    known = ", ".join(map(literal, ("", *MARKERS)))
    long = f"lower({value}) IN ({known}) OR regexp_full_match({value}, {literal(_SHORTEST_CODE)})"
    return bool(session.rows(f"SELECT coalesce(bool_and({long}), false) FROM {records.table}")[0][0])


def _amounts(evidence: Evidence, records: Records, session: Session, position: int) -> tuple[str, ...]:
    """What is said of percentages and money: they stay text, since a number alone doesn't say of what."""
    if has(evidence, "percent"):
        return ("percentages, kept as text; as numbers: {type: float, unit: '%'}",)
    if not has(evidence, "money"):
        return ()
    sign = f"regexp_extract({field_name(position)}, {literal(MONEY_SIGN)})"
    query = f"SELECT {sign}, count(*) FROM {records.table} GROUP BY 1 HAVING {sign} <> '' ORDER BY 2 DESC, 1 LIMIT 3"
    signs = [str(row[0]) for row in session.rows(query)]
    unit = signs[0] if len(signs) == 1 else f"[{', '.join(signs)}]"
    return (f"amounts of money, kept as text; as numbers: {{type: float, unit: {unit}}}",)


def _shapes(records: Records, session: Session, position: int) -> tuple[Shape, ...]:
    known = ", ".join(literal(m) for m in MARKERS)
    value = trimmed(field_name(position))
    query = (
        f"SELECT {shape_sql('v')} AS shape, sum(n)::BIGINT, min(length(v)), max(length(v)) "
        f"FROM (SELECT {value} AS v, count(*) AS n FROM {records.table} GROUP BY 1) "
        f"WHERE v <> '' AND lower(v) NOT IN ({known}) "
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return tuple(Shape(*row) for row in session.rows(query))


def _list_domain(records: Records, session: Session, position: int) -> str:
    """`float[]` or another list of numbers or booleans where every element fits, else `text[]`."""
    elements = f"SELECT unnest({field_name(position)}) AS e FROM {records.table}"
    forms = {
        "integer": f"regexp_full_match(e, '{STEP_FORM}')",
        "float": f"regexp_full_match(e, '{FLOAT_FORM}')",
        "boolean": "e IN ('true', 'false')",
    }
    tests = ", ".join(f"bool_and({form})" for form in forms.values())
    found = session.rows(f"SELECT {tests} FROM ({elements})")[0]
    return next((f"{domain}[]" for domain, fitting in zip(forms, found, strict=True) if fitting), "text[]")
