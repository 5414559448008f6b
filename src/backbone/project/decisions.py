"""`trusted/NAME.csv`: what people decided about single rows. Read as part of the project, written on request."""

import csv
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from backbone.errors import Problem, did_you_mean
from backbone.model.decisions import Decision, Verdict
from backbone.model.rules import Location
from backbone.project.catalogue import Domains, missing_column
from backbone.project.fields import listed
from backbone.project.values import fits
from backbone.quality.literals import value_sql

if TYPE_CHECKING:
    from backbone.project.places import File

DECISIONS = ".csv"
"""The ending of these files, which stand beside those with the rules."""
HEADER = ("record", "decision", "column", "value", "was", "because", "by", "at")
VERDICTS: tuple[Verdict, ...] = ("set", "clear", "drop")
_PLACE = re.compile(r"(\d{1,9}):(\d{1,12})", re.ASCII)


def read_decisions(file: "File", columns: Domains | None, where: str, problems: list[Problem]) -> tuple[Decision, ...]:
    """The decisions in a file; what is wrong with them is in `problems`. The last about a cell or row counts."""
    reader = csv.reader(io.StringIO(file.text), strict=True)
    decided: dict[tuple[int, int, str], Decision] = {}
    try:
        header = next(reader, [])
        if tuple(header) != HEADER:
            problems.append(Problem(Location(file.path, 1), f"its first line must be {','.join(HEADER)}"))
            return ()
        line = reader.line_num + 1
        for cells in reader:
            at, line = Location(file.path, line), reader.line_num + 1
            decision = _decision(cells, at, columns, where, problems) if cells else None
            if decision is not None:
                decided[decision.file, decision.record, decision.column] = decision
    except csv.Error as error:
        problems.append(Problem(Location(file.path, reader.line_num), f"this is not valid CSV: {error}"))
    return tuple(decided.values())


def place_of(text: str) -> tuple[int, int] | None:
    """The file and record of `12:640`; None where the text is nothing like it."""
    match = _PLACE.fullmatch(text.strip())
    return (int(match[1]), int(match[2])) if match else None


def _decision(
    cells: list[str], at: Location, columns: Domains | None, where: str, problems: list[Problem]
) -> Decision | None:
    wrong = "" if len(cells) == len(HEADER) else f"{len(cells)} values where {len(HEADER)} are expected"
    row = dict(zip(HEADER, cells, strict=False))
    place = place_of(row.get("record", ""))
    verdict = next((v for v in VERDICTS if v == row.get("decision")), None)
    if not wrong and place is None:
        wrong = f"'{row['record']}' is no `file:record`, such as 12:640"
    if not wrong and verdict is None:
        near = did_you_mean(row["decision"], VERDICTS)
        wrong = f"`decision` can't be '{row['decision']}'. One of: {listed(VERDICTS)}.{near}"
    wrong = wrong or _wrong_cell(row, columns, where)
    if wrong or place is None or verdict is None:
        problems.append(Problem(at, wrong.removesuffix(".")))
        return None
    text = (row["column"], row["value"], row["was"], row["because"], row["by"], row["at"])
    return Decision(*place, verdict, *text, at=at)


def _wrong_cell(row: dict[str, str], columns: Domains | None, where: str) -> str:
    if row["decision"] == "drop":
        said = "a dropped row needs no `column` and no `value`" if row["column"] or row["value"] else ""
        return said or ("" if row["because"] else "a dropped row needs a reason: `because`")
    if not row["column"]:
        return f"`{row['decision']}` needs a `column`"
    return wrong_value(row["column"], row["value"] if row["decision"] == "set" else None, columns, where)


def wrong_value(column: str, value: str | None, columns: Domains | None, where: str) -> str:
    """What is wrong with giving a column a value (None: taking it away); empty where nothing is, or none is known."""
    if columns is None:
        return ""
    if column not in columns:
        return missing_column(column, columns, where)
    domain = columns[column]
    if value is not None and (not fits(value, domain) or (domain and value_sql(value, domain) is None)):
        return f"'{value}' is no value of '{column}', which is {domain}"
    return ""


def decisions_text(decisions: Iterable[Decision]) -> str:
    """The text of `trusted/NAME.csv`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(
        (d.place, d.verdict, d.column, d.value, d.was, d.because, d.by, d.at_time) for d in decisions
    )  # fmt: skip
    return out.getvalue()
