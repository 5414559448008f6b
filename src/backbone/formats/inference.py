"""Domains of columns, inferred from all values of a file in SQL.

**When a column has a type.** At least 95% of its values fit it, or all but one of at least five; and none of the others
looks like a code. So a stray `abc` or `-,--` among amounts doesn't turn the column into text: the column is a number,
and the contract sets that record aside. But `12A` among house numbers, `007` among ids, `3-5` among ranges, and
numbers of more than 18 digits are codes: they say that the column was never a number, and one of them is enough to
keep it text, since text loses nothing. Only a value without blanks that mixes digits and letters is a code, so that
`12 EUR` is not.

**In which form.** ISO forms first. Day or month first is decided over the whole column: one value that only fits one
order decides, if none only fits the other. With points (`31.12.2024`) it is always the day. What can't be decided stays
text, with a note. Likewise for decimal commas and thousands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backbone.engine.protocol import Session
from backbone.formats.casting import CLOCK_FORM, DATE_FORM, FLOAT_FORM, ZONE_FORM, cast, trimmed
from backbone.formats.headers import column_names, spelling
from backbone.formats.markers import MARKERS, Shape, missing_in_text, shape_sql
from backbone.formats.records import Records, field_name, fresh_names
from backbone.model.files import Column
from backbone.model.names import literal

FIT_SHARE = 0.95
_LONE_MISFIT = 5
_SAMPLE = 1_000
_LIKELY = 0.5
_LONGEST_MARKER = max(len(m) for m in MARKERS)
_PAIRS = (("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"))
_MIXED = r"\S*\d\S*[A-Za-z]\S*|\S*[A-Za-z]\S*\d\S*|\d+[-/]\d+"
_NO_QUANTITY = r"[+-]?0\d.*|[+-]?\d{19,}"
_STEP = r"[+-]?(0|[1-9]\d{0,17})"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A domain in one form, with the SQL condition (`{v}`: the value) under which a value speaks for it."""

    key: str
    column: Column
    form: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the values of one column say. `fits` counts per candidate, `markers` per spelling.

    `repeated`: each value is there twice or more, on average.
    """

    values: int
    codes: int
    markers: Mapping[str, int]
    fits: Mapping[str, int]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Inferred:
    """A column with what was found out about it: markers that mean *missing*, markers that it keeps, and notes."""

    column: Column
    missing: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def keeps_type(misfits: int, values: int) -> bool:
    """Whether a column with so many values that don't fit a type still has it: see the module."""
    return misfits <= (1 - FIT_SHARE) * values or (misfits == 1 and values >= _LONE_MISFIT)


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
    """All candidates are tried on a sample of records from all over the file, those that are likely on all records."""
    every = max(1, records.records // _SAMPLE)
    (sample,) = fresh_names("sample")
    # One value a row: every candidate is one expression then, and not one for each column.
    values = f"[{', '.join(field_name(i) for i in positions)}]"
    session.execute(
        f"CREATE TEMP TABLE {sample} AS SELECT i, raw, count(*) AS n FROM (SELECT unnest({list(positions)}) AS i, "
        f"unnest({values}) AS raw FROM {records.table} WHERE _record % {every} = 0) GROUP BY ALL"
    )
    first = _count(f"SELECT * FROM {sample}", session, CANDIDATES)
    session.execute(f"DROP TABLE {sample}")
    first |= {i: Evidence(0, 0, {}, {}) for i in positions if i not in first}
    if every == 1:
        return first
    return {i: _count(_column(records, i, first[i]), session, _likely(first[i]))[i] for i in positions}


def _column(records: Records, position: int, evidence: Evidence) -> str:
    """SQL: the texts of a column and how often each is there, where that is cheaper than to look at each."""
    name = field_name(position)
    if evidence.repeated:
        return f"SELECT {position} AS i, {name} AS raw, count(*) AS n FROM {records.table} GROUP BY ALL"
    return f"SELECT {position} AS i, {name} AS raw, 1 AS n FROM {records.table}"


def _likely(evidence: Evidence) -> tuple[Candidate, ...]:
    """Candidates that many values of a sample fit, with those that could speak against them."""
    keys = {key for key, count in evidence.fits.items() if count >= _LIKELY * evidence.values}
    booleans = sum(count for key, count in evidence.fits.items() if key.startswith("is "))
    if booleans >= _LIKELY * evidence.values:
        keys |= {key for key in evidence.fits if key.startswith("is ")}
    if "number, comma" in keys or "number, grouped" in keys:
        keys |= {"only comma", "only grouped"}
    if "number" in keys:  # every comma and group is judged only where plain numbers don't do
        keys -= {"number, comma", "number, grouped", "only comma", "only grouped"}
        keys |= {"integer"}
    if keys & {"timestamp", "date"}:
        keys |= {"timestamp", "date"}
    for key in tuple(keys):
        if "first" in key:
            keys |= {_swapped(key), key}
    return tuple(c for c in CANDIDATES if c.key in keys)


# `FILTER` makes DuckDB slice all inputs of all aggregates for each of them, so it isn't used.
def _count(source: str, session: Session, candidates: Sequence[Candidate]) -> dict[int, Evidence]:
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


def _candidates() -> tuple[Candidate, ...]:
    def of(key: str, domain: str, form: str, **settings: Any) -> Candidate:
        return Candidate(key, Column("", domain, **settings), form)

    def whole(form: str) -> str:
        escaped = literal(form).replace("{", "{{").replace("}", "}}")
        return f"regexp_full_match({{v}}, {escaped})"

    def checked(key: str, domain: str, form: str, **settings: Any) -> Candidate:
        converted = (
            cast("{v}", Column("", domain, **settings)).replace("{", "{{").replace("}", "}}").replace("{{v}}", "{v}")
        )
        return of(key, domain, f"{whole(form)} AND ({converted}) IS NOT NULL", **settings)

    found = [
        of("integer", "integer", whole(_STEP)),
        of("number", "float", f"{whole(FLOAT_FORM)} AND isfinite(TRY_CAST({{v}} AS DOUBLE))"),
        of(
            "number, comma",
            "float",
            whole(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?|[+-]?,\d+"),
            decimal=",",
            thousands=".",
        ),
        of("number, grouped", "float", whole(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?|[+-]?\.\d+"), thousands=","),
        of(
            "only comma",
            "float",
            whole(r"[+-]?(\d+,(\d{1,2}|\d{4,})|\d{4,},\d+|\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,}|0,\d+|,\d+)"),
        ),
        of("only grouped", "float", whole(r"[+-]?(\d{1,3}(,\d{3}){2,}(\.\d+)?|\d{1,3}(,\d{3})+\.\d+)")),
        checked("date", "date", DATE_FORM),
        checked("time", "time", CLOCK_FORM),
        checked("timestamp", "timestamp", f"{DATE_FORM}[ T]{CLOCK_FORM}"),
        checked("timestamp_tz", "timestamp_tz", f"{DATE_FORM}[ T]{CLOCK_FORM}{ZONE_FORM}"),
    ]
    for separator in "/-.":
        for order, form in (("day", f"%d{separator}%m{separator}%Y"), ("month", f"%m{separator}%d{separator}%Y")):
            if separator == "." and order == "month":
                continue
            for kind, clock, clock_form in (
                ("date", "", ""),
                ("timestamp", " %H:%M", r" \d?\d:\d\d"),
                ("timestamp", " %H:%M:%S", r" \d?\d:\d\d:\d\d"),
            ):
                shape = rf"\d?\d[{separator}]\d?\d[{separator}]\d{{4}}{clock_form}"
                found.append(checked(f"{order} first {form}{clock}", kind, shape, format=form + clock))
    found += [of(f"is {word}", "boolean", f"lower({{v}}) = {literal(word)}") for pair in _PAIRS for word in pair]
    return tuple(found)


CANDIDATES = _candidates()
_BY_KEY = {c.key: c.column for c in CANDIDATES}


def _decide(column: Column, evidence: Evidence, records: Records, session: Session, position: int) -> Inferred:
    typed, notes = (records.domains[position], ()) if records.domains else _domain(evidence)
    decided = typed if isinstance(typed, Column) else Column("", typed)
    column = replace(
        column, domain=decided.domain, format=decided.format, decimal=decided.decimal, thousands=decided.thousands
    )
    if not evidence.markers:
        return Inferred(column, notes=notes)
    missing = dict(evidence.markers)
    if column.domain == "text":
        missing = missing_in_text(evidence.markers, _shapes(records, session, position)) if evidence.values else missing
    kept = {m: n for m, n in evidence.markers.items() if m not in missing}
    return Inferred(column, missing, kept, notes)


def _domain(evidence: Evidence) -> tuple[Column, tuple[str, ...]]:
    text = Column("", "text")
    if not evidence.values:
        return text, ()
    if found := _boolean(evidence):
        return found, ()
    if found := _number(evidence):
        return found, ()
    for key in ("date", "time", "timestamp", "timestamp_tz"):
        if _has(evidence, key):
            return _BY_KEY[key], ()
    if _fits(evidence, "date", "timestamp"):
        return _BY_KEY["timestamp"], ()
    return _by_order(evidence) or _undecided_number(evidence) or (text, _text_notes(evidence))


def _has(evidence: Evidence, key: str) -> bool:
    return _fits(evidence, key)


def _fits(evidence: Evidence, *keys: str) -> bool:
    fitting = sum(evidence.fits.get(key, 0) for key in keys)
    return fitting > 0 and keeps_type(evidence.values - fitting, evidence.values)


def _boolean(evidence: Evidence) -> Column | None:
    for yes, no in _PAIRS:
        one, other = evidence.fits.get(f"is {yes}", 0), evidence.fits.get(f"is {no}", 0)
        both = one and other if yes != "true" else one or other
        if both and keeps_type(evidence.values - one - other, evidence.values):
            return Column("", "boolean")
    return None


def _number(evidence: Evidence) -> Column | None:
    fits = evidence.fits
    if evidence.codes:
        return None
    integers, numbers = fits.get("integer", 0), fits.get("number", 0)
    if _has(evidence, "number"):
        return Column("", "integer" if integers == numbers else "float")
    comma, grouped = fits.get("only comma", 0), fits.get("only grouped", 0)
    if comma and not grouped and _has(evidence, "number, comma"):
        return _BY_KEY["number, comma"]
    if grouped and not comma and _has(evidence, "number, grouped"):
        return _BY_KEY["number, grouped"]
    return None


def _undecided_number(evidence: Evidence) -> tuple[Column, tuple[str, ...]] | None:
    if not evidence.codes and (_has(evidence, "number, comma") or _has(evidence, "number, grouped")):
        return Column("", "text"), ("a comma may be decimal or for thousands: kept as text",)
    return None


def _by_order(evidence: Evidence) -> tuple[Column, tuple[str, ...]] | None:
    """A date whose day comes first or second, by evidence."""
    for key, column in _BY_KEY.items():
        if not key.startswith("day first"):
            continue
        other = _swapped(key)
        day, month = evidence.fits.get(key, 0), evidence.fits.get(other, 0)
        if "." in (column.format or "") and _has(evidence, key):
            return column, ("day before month, as points between them say",)
        if not (_has(evidence, key) or _has(evidence, other)):
            continue
        if day == month:
            return Column("", "text"), ("day or month first can't be told from the values: kept as text",)
        if day > month and _has(evidence, key):
            return column, ("day before month, as values over 12 show",)
        if month > day and _has(evidence, other):
            return _BY_KEY[other], ("month before day, as values over 12 show",)
    return None


def _swapped(key: str) -> str:
    """The candidate with day and month the other way round."""
    order, _, form = key.partition(" first ")
    return f"{'month' if order == 'day' else 'day'} first " + form.replace("%d", "\0").replace("%m", "%d").replace(
        "\0", "%m"
    )


def _text_notes(evidence: Evidence) -> tuple[str, ...]:
    numbers = evidence.fits.get("number", 0)
    if evidence.codes and keeps_type(evidence.values - numbers - evidence.codes, evidence.values) and numbers:
        return ("codes (leading zeros, letters among digits), kept as text",)
    return ()


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
        "integer": f"regexp_full_match(e, '{_STEP}')",
        "float": f"regexp_full_match(e, '{FLOAT_FORM}')",
        "boolean": "e IN ('true', 'false')",
    }
    tests = ", ".join(f"bool_and({form})" for form in forms.values())
    found = session.rows(f"SELECT {tests} FROM ({elements})")[0]
    return next((f"{domain}[]" for domain, fitting in zip(forms, found, strict=True) if fitting), "text[]")
