"""From what a column's values say to its domain.

**When a column has a type.** At least 95% of its values fit it, or all but one of at least five; and none of the others
looks like a code. So a stray `abc` or `-,--` among amounts doesn't turn the column into text: the column is a number,
and the contract sets that record aside. But `12A` among house numbers, `007` among ids, `3-5` among ranges, `+34600…`
among phone numbers, and numbers of more than 18 digits are codes: they say that the column was never a number, and one
of them is enough to keep it text, since text loses nothing. So are numbers under a header that says so, such as *zip*.
Only a value without blanks that mixes digits and letters is a code, so that `12 EUR` is not.

**In which form.** ISO forms first. Day or month first is decided over the whole column: one value that only fits one
order decides, if none only fits the other. With points (`31.12.2024`) it is always the day. What can't be decided stays
text, with a note. Likewise for decimal commas and thousands; where both signs are decimal, each value decides, and
`1.234` doesn't fit.

**How sure that is.** A decision's confidence is (n + 1) / (n + m + 2), where n values speak for it and m against it
(Laplace's rule of succession): of the type all that fit, of the order of day and month those that only one order fits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backbone.formats.candidates import BY_KEY
from backbone.formats.words import ALONE, TRUTHS
from backbone.model.files import Column

FIT_SHARE = 0.95
LONE_MISFIT = 5
UNDECIDED = 0.5


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


def keeps_type(misfits: int, values: int) -> bool:
    """Whether a column with so many values that don't fit a type still has it: see the module."""
    return misfits <= (1 - FIT_SHARE) * values or (misfits == 1 and values >= LONE_MISFIT)


@dataclass(frozen=True, slots=True)
class Typed:
    """A domain with how its values are spelled, why, and how sure that is."""

    column: Column
    notes: tuple[str, ...] = ()
    confidence: float = 1.0


TEXT = Typed(Column("", "text"))


def decided(evidence: Evidence) -> Typed:
    """The domain of a column."""
    if not evidence.values:
        return TEXT
    for decide in (_boolean, _compact_date, _number, _iso, _by_order, _named):
        if found := decide(evidence):
            return found
    return _undecided_number(evidence) or Typed(TEXT.column, _text_notes(evidence))


def has(evidence: Evidence, *keys: str) -> bool:
    """Whether so many values fit one of some candidates that the column has their type."""
    fitting = sum(evidence.fits.get(key, 0) for key in keys)
    return fitting > 0 and keeps_type(evidence.values - fitting, evidence.values)


def _confidence(speak_for: int, against: int) -> float:
    return (speak_for + 1) / (speak_for + against + 2)


def _sure(evidence: Evidence, *keys: str) -> float:
    fitting = sum(evidence.fits.get(key, 0) for key in keys)
    return _confidence(fitting, evidence.values - fitting)


def _as(evidence: Evidence, key: str, *notes: str) -> Typed:
    return Typed(BY_KEY[key].column, notes, _sure(evidence, key))


def _boolean(evidence: Evidence) -> Typed | None:
    for yes, no in TRUTHS:
        one, other = evidence.fits.get(f"is {yes}", 0), evidence.fits.get(f"is {no}", 0)
        both = one and other if yes != ALONE else one or other
        if both and keeps_type(evidence.values - one - other, evidence.values):
            return Typed(Column("", "boolean"), (), _sure(evidence, f"is {yes}", f"is {no}"))
    return None


def _compact_date(evidence: Evidence) -> Typed | None:
    """`20240131`, where all values are days of these two centuries: other numbers of eight digits hardly ever are."""
    days = evidence.fits.get("%Y%m%d", 0)
    if days == evidence.values and days > LONE_MISFIT:
        return _as(evidence, "%Y%m%d", "days written without separators")
    return None


def _number(evidence: Evidence) -> Typed | None:
    fits = evidence.fits
    if evidence.codes:
        return None
    if has(evidence, "number"):
        key = "integer" if fits.get("integer", 0) == fits["number"] else "number"
        return _as(evidence, key)
    comma, point = fits.get("only comma", 0), fits.get("only point", 0)
    other = max(fits.get("number, comma", 0), fits.get("number, grouped", 0))
    signed = {
        "number, comma": ("a comma before the fraction, as the values show", comma and not point),
        "number, grouped": ("a comma between thousands, as the values show", point and not comma),
        **{key: ("", fits[key] > other) for key in fits if key.startswith(("spaced", "apostrophes"))},
        "clear": ("comma and point are both decimal signs, as each value shows", comma and point),
    }
    found = next((key for key, (_, told) in signed.items() if told and has(evidence, key)), None)
    return _as(evidence, found, *filter(None, signed[found][:1])) if found else None


def _undecided_number(evidence: Evidence) -> Typed | None:
    if not evidence.codes and (has(evidence, "number, comma") or has(evidence, "number, grouped")):
        return Typed(TEXT.column, ("a comma may be decimal or for thousands: kept as text",), UNDECIDED)
    return None


def _iso(evidence: Evidence) -> Typed | None:
    for key in ("date", "time", "timestamp", "timestamp_tz"):
        if has(evidence, key):
            return _as(evidence, key)
    if has(evidence, "date", "timestamp"):
        return Typed(BY_KEY["timestamp"].column, (), _sure(evidence, "date", "timestamp"))
    return None


def _by_order(evidence: Evidence) -> Typed | None:
    """A date whose day comes first or second, by evidence."""
    for key in [key for key in evidence.fits if key.startswith("day first")]:
        column = BY_KEY[key].column
        other, year = rivals(key)
        day, month = evidence.fits.get(key, 0), evidence.fits.get(other, 0)
        if "." in (column.format or "") and has(evidence, key):
            return _as(evidence, key, "day before month, as points between them say")
        if not (has(evidence, key) or has(evidence, other)):
            continue
        if evidence.fits.get(year, 0) >= max(day, month):
            return Typed(TEXT.column, ("day or year first can't be told from the values: kept as text",), UNDECIDED)
        if day == month:
            note = "day or month first can't be told from the values: kept as text"
            return Typed(TEXT.column, (note,), UNDECIDED)
        first, name = (key, "day before month") if day > month else (other, "month before day")
        if has(evidence, first):
            sure = min(_confidence(abs(day - month), 0), _sure(evidence, first))
            return Typed(BY_KEY[first].column, (f"{name}, as values over 12 show",), sure)
    return None


def _named(evidence: Evidence) -> Typed | None:
    """Times of half a day, dates with the year first, and those whose month has a name."""
    found = next((key for key in evidence.fits if "%" in key and " first " not in key and has(evidence, key)), None)
    return _as(evidence, found) if found and found != "%Y%m%d" else None


def rivals(key: str) -> tuple[str, ...]:
    """Of a date with the day or the month first: with the other first, and with the year, if that has two digits."""
    order, found, form = key.partition(" first ")
    if not found:
        return ()
    swapped = form.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")
    other = f"{'month' if order == 'day' else 'day'} first {swapped}"
    return other, "%y-%m-%d" + form[len("%d-%m-%y") :] if form[2:3] == "-" and "%y" in form else ""


def _text_notes(evidence: Evidence) -> tuple[str, ...]:
    numbers = evidence.fits.get("number", 0)
    if evidence.codes and keeps_type(evidence.values - numbers - evidence.codes, evidence.values) and numbers:
        return ("codes (leading zeros, letters among digits), kept as text",)
    return ()
