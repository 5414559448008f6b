"""Any table of texts that is written as CSV comes back exactly, and the books balance."""

import csv
import io
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.model.files import Column, LandedFile, Template
from backbone.model.names import literal
from backbone.model.project import Source
from backbone.model.steps import Format, Ledger, Staging, Step
from backbone.zones.formatted import stage_formatted

TEXTS = st.one_of(
    st.sampled_from(
        ["", "NA", " NA ", "null", "7", "-12", "+5", "007", "1e3", "12.7", " 8", "9\n", '"', ",", ";", "\\"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.lists(st.sampled_from(["a", '"', "'", ",", ";", "\n", " ", "é"]), max_size=6).map("".join),
)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=30)
DIALECTS = st.sampled_from([(",", '"'), (";", '"'), ("\t", '"'), ("|", "'"), (";", "'")])
TOKENS = st.sampled_from([("",), ("NA",), ("NA", "null"), ("-", "n/a")])


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


def written(rows, delimiter, quote, quoting, line_end):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quotechar=quote, quoting=quoting, lineterminator=line_end)
    writer.writerows([("a", "b", "n"), *rows])
    return text.getvalue()


def formatted(engine, text, template, bad_values):
    """What comes of one file: rows, quarantine, ledger."""
    with TemporaryDirectory() as folder, engine.session() as session:
        root, numbers = Path(folder), count(1)
        path = root / "landed"
        path.write_text(text, encoding="utf-8", newline="")
        columns = (Column("a", "text"), Column("b", "text"), Column("n", "integer"))
        source = Source("s", template=template, columns=columns, contract="freeze", bad_values=bad_values)
        file = LandedFile(1, "s", "f.csv", path, "", path.stat().st_size, "", datetime(2026, 1, 1, tzinfo=UTC))
        step = Step(("formatted.s",), (), Format(source), {}, increments=True)
        staging = Staging(
            step, "full", "r1", root, lambda name: root / f"{name}-{next(numbers)}", 0, {}, {}, (file,), (file,),
            scratch=root / "x",
        )  # fmt: skip
        (staged,) = stage_formatted(staging, session)
        return (
            [
                r
                for p in staged.added
                for r in session.rows(f"SELECT _record, a, b, n FROM read_parquet({literal(str(p))})")
            ],
            [r for p in staged.quarantined for r in session.rows(f"FROM read_parquet({literal(str(p))})")],
            staged.ledger,
        )


def parquet(path):
    return f"read_parquet({literal(str(path))})"


def missing(text, tokens):
    return text is None or text.strip(" \t\n\r\x0b\x0c") in {"", *tokens}


def number(text):
    body = text.strip(" \t\n\r\x0b\x0c")
    digits = body[1:] if body[:1] in {"+", "-"} else body
    return int(body) if digits.isascii() and digits.isdigit() else None


@settings(max_examples=60, deadline=None)
@given(
    ROWS,
    DIALECTS,
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    TOKENS,
    st.sampled_from(["quarantine", "null"]),
)
def test_any_table_of_texts_comes_back(engine, rows, dialect, quoting, line_end, tokens, bad_values):
    # Enough good numbers that a bad one is a bad value, and not another type.
    rows = [*rows, *[("x", "y", str(i)) for i in range(20 * len(rows))]]
    template = Template(delimiter=dialect[0], quotechar=dialect[1], escapechar=dialect[1], null_tokens=tokens)

    found, aside, ledger = formatted(engine, written(rows, *dialect, quoting, line_end), template, bad_values)

    read = [
        (i, *(None if missing(t, tokens) else t for t in (a, b)), None if missing(n, tokens) else number(n))
        for i, (a, b, n) in enumerate(rows, 1)
    ]
    bad = {i for i, (_, _, n) in enumerate(rows, 1) if not missing(n, tokens) and number(n) is None}
    if bad_values == "null":
        bad = set()
    assert sorted(found) == [row for row in read if row[0] not in bad]
    assert {row[3] for row in aside} == bad
    assert ledger == Ledger(len(rows), len(rows) - len(bad), len(bad))
