"""Messy CSV, generated, against a reference in plain Python: rows, records set aside and why, sums."""

import csv
import random
import re
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from math import isfinite

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.model.files import Column, LandedFile, Template
from backbone.model.names import literal
from backbone.model.project import Source
from backbone.model.steps import Format, Staging, Step
from backbone.zones.formatted import reading, stage_formatted

TOKENS = ("NA", "-99")
NAMES = ("n", "price", "x", "day", "at", "ok", "s")
DOMAINS = ("integer", "decimal(2)", "float", "date", "timestamp", "boolean", "text")
USUAL = ("1", "1.50", "0.5", "2024-01-31", "2024-01-31 10:00:00", "true", "a")
ODD = ("", "NA", " NA", "-99", "NaN", "1_0", "0x1F", "1e3", "+5", " 7", "12.7", "late", "inf", "é", "9" * 20)
SPELLED = {
    "n": ("007", "-5", "12", "9223372036854775807"),
    "price": ("1.5", "1.500", "1.555", "3", ".5", "-0.01"),
    "x": ("1e5", "-2.5E-3", "1.", ".5", "1e999", "0.1"),
    "day": ("2024-02-30", "2024/1/3", "2024-01-31 00:00", "0044-03-15", "2024-02-29", "infinity"),
    "at": ("2024-01-31 24:00:00", "2024-01-31 10:00", "2024-01-31T10:00:00", "2024-01-31 1:00:00", "2024-01-31",
           "2024-01-31 23:59:59.123", "2024-01-31 23:59:59.123456", "2024-01-31 23:59:59.5", "0999-01-01 10:00:00"),
    "ok": ("true", "False", "T", "no", "1", "on"),
    "s": ('q"', "x,y", "two\nlines", " b ", "NA ", "-99"),
}  # fmt: skip
BLANKS = " \t\n\r\x0b\x0c"
CLOCK = r"([ T]([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6})0*)?)?)?"


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


def number(text):
    return int(text) if re.fullmatch(r"[+-]?\d+", text, re.ASCII) and abs(int(text)) < 2**63 else None


def price(text):
    fits = re.fullmatch(r"[+-]?(\d+(\.\d{0,2}0*)?|\.\d{1,2}0*)", text, re.ASCII)
    return Decimal(text).quantize(Decimal("0.01")) if fits and abs(Decimal(text)) < 10**16 else None


def fraction(text):
    fits = re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text, re.ASCII)
    return float(text) if fits and isfinite(float(text)) else None


def moment(text, clock=CLOCK):
    fits = re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})" + clock, text, re.ASCII)
    if not fits:
        return None
    year, month, day, _, hour, minute, second, micro = (*fits.groups(), *[None] * 5)[:8]
    try:
        parts = (int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
        return datetime(*parts, int((micro or "0").ljust(6, "0")))  # noqa: DTZ001 - the domain has no time zone
    except ValueError:
        return None


def day(text):
    found = moment(text, r"([ T](00?):(00)(?::(00)(?:\.(0+))?)?)?")
    return found.date() if found else None


def truth(text):
    return {"true": True, "t": True, "yes": True, "1": True, "false": False, "f": False, "no": False, "0": False}.get(
        text.lower()
    )


CASTS = {"n": number, "price": price, "x": fraction, "day": day, "at": moment, "ok": truth}


def expected(lines):
    rows, aside = [], []
    for record, line in enumerate(lines, 1):
        values, broken = [], None
        for name, text in line.items():
            missing = text.strip(BLANKS) in ("", *TOKENS)
            cast = CASTS.get(name)
            value = None if missing else cast(text.strip(BLANKS)) if cast else text
            broken = broken or (f"type({name})" if not missing and value is None else None)
            values.append(value)
        if broken:
            aside.append((record, broken))
        else:
            rows.append(str((1, record, *values)))
    return sorted(rows), sorted(aside)


def messy(chance):
    """One record in five has one odd value; every odd value is in every column somewhere."""
    odd = [(name, text) for name in NAMES for text in (*ODD, *SPELLED[name])]
    for number in range(10 * len(odd)):
        line = dict(zip(NAMES, USUAL, strict=True)) | {"n": str(number)}
        if number % 10 == 0:
            name, text = odd[number // 10]
            line |= {name: text}
        if chance.random() < 0.02:
            line |= {"s": chance.choice(SPELLED["s"])}
        yield line


def test_messy_rows_are_what_plain_python_makes_of_them(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "read_records", lambda *_, **__: pytest.fail("the longer way was taken"))
    lines = list(messy(random.Random(7)))
    wanted, set_aside = expected(lines)
    with (tmp_path / "f.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, NAMES, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    source = Source("s", template=Template(null_tokens=TOKENS), columns=tuple(map(Column, NAMES, DOMAINS)))

    rows, aside, ledger = staged(engine, tmp_path / "f.csv", source)

    assert rows == wanted
    assert aside == set_aside
    assert (ledger.rows_in, ledger.rows_out, ledger.quarantined) == (len(lines), len(wanted), len(set_aside))


def staged(engine, path, source):
    numbers, root = count(1), path.parent
    file = LandedFile(1, "s", path.name, path, "", path.stat().st_size, "", datetime(2026, 1, 1, tzinfo=UTC))
    step = Step(("formatted.s",), (), Format(source), {}, increments=True)
    staging = Staging(
        step, "full", "r1", root, lambda _: root / f"{next(numbers)}.parquet", 0, {}, {}, (file,), (file,),
        scratch=root / "x",
    )  # fmt: skip
    with engine.session() as session:
        (one,) = stage_formatted(staging, session)
        rows = [r for p in one.added for r in session.rows(f"SELECT * FROM {literal(str(p))}")]
        aside = [r for p in one.quarantined for r in session.rows(f"SELECT record, rule FROM {literal(str(p))}")]
    return sorted(map(str, rows)), sorted(aside), one.ledger
