"""A small front door: fixed reports with real shapes, to see and test the command line with.

Set it in place of `backbone.workspace` in `sys.modules`. `BACKBONE_FAKE` chooses what a run does: `published`
(default), `failed`, `nothing`, `interrupted`, `broken` (an error nobody foresaw), `misconfigured`.
"""
# ruff: noqa: ARG001, ARG002 - it takes whatever the real one takes

import os
import sys
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from backbone.cli import main
from backbone.errors import LakeError, Problem, ProjectError
from backbone.model.files import LandedFile
from backbone.model.operations import Exported, ExportedTable
from backbone.model.project import Source, View
from backbone.model.relations import Attribute, Relation
from backbone.model.reports import (
    Added,
    Check,
    CleanSummary,
    ColumnProfile,
    DatasetDescription,
    DatasetProfile,
    DatasetStatus,
    HistoryEntry,
    Landed,
    LineageGraph,
    PeekSummary,
    Quarantine,
    QuarantineGroup,
    QuarantineRow,
    Repair,
    RepairGroup,
    Repairs,
    Replayed,
    RuleState,
    RunEvent,
    RunReport,
    Sample,
    Settled,
    Status,
    StepReport,
    TraceNode,
    Undone,
)
from backbone.model.rules import Location, Rule
from backbone.model.steps import Derive, Failure, Finding, Format, Ledger, Origin, Plan, PlannedStep, Step

CALLS: list[tuple[object, ...]] = []
"""What the command line asked for, in order."""
NOON = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)
ORPHANS = Rule(
    "references",
    "references(tailnum)",
    ("tailnum",),
    "warn",
    tolerate=0.2,
    at=Location("exploitation/flight_conditions.sql", 4, 5),
)
SEATS = Rule(
    "in_range", "in_range(seats)", ("seats",), "quarantine", tolerate=0.2, at=Location("trusted/planes.yml", 7, 5)
)
TRIM = Rule("trim", "trim(all)", (), None)
LANDED = Landed("flights", "flights-2013-13.csv", "5f0c" * 16, 123456, "data/flights-2013-13.csv", NOON, 1204)


def _step(dataset: str, **more: object) -> StepReport:
    return StepReport(dataset, dataset.partition(".")[0], **{"status": "done", **more})


PUBLISHED = RunReport(
    "2f9c",
    "dev",
    "published",
    14,
    (
        _step(
            "formatted.flights",
            how="incremental",
            ledger=Ledger(337980, 337979, 1),
            delta=Ledger(1204, 1203, 1),
            seconds=0.1,
        ),
        _step("formatted.planes", status="unchanged"),
        _step(
            "trusted.flights",
            ledger=Ledger(337979, 336801, 4, 1174),
            seconds=0.9,
            findings=(Finding(TRIM, 337979, 29, "repaired"),),
        ),
        _step(
            "exploitation.carrier_days", how="incremental", rows=5432, note="31 of 5,432 keys recomputed", seconds=0.1
        ),
        _step(
            "exploitation.flight_conditions",
            rows=336801,
            seconds=0.1,
            findings=(Finding(ORPHANS, 336776, 50094, "warned"),),
        ),
    ),
    (LANDED,),
    1.3,
    5,
)
FAILED = RunReport(
    "2f9d",
    "dev",
    "failed",
    None,
    (
        _step(
            "trusted.planes",
            status="failed",
            last_good=14,
            seconds=0.2,
            failure=Failure(
                "trusted.planes",
                "in_range(seats) would quarantine every row of type = 'Rotorcraft' (5), 'Fixed wing single engine'"
                " (25)",
                SEATS.at,
                "  - {in_range: seats, from: 20, to: 500, else: quarantine}",
                "meant? add may_vanish: [type].",
                quarantined=(Path("q.parquet"),),
            ),
        ),
        _step("exploitation.plane_use", status="kept", because="trusted.planes", last_good=14),
        _step("exploitation.flight_conditions", status="kept", because="trusted.planes", last_good=14),
    ),
)
NOTHING = RunReport(
    "2f9e", "dev", "nothing", None, tuple(_step(f"trusted.t{n}", status="unchanged") for n in range(25))
)


class Result:
    columns = ("name", "n", "mean", "price", "at", "tags", "name")

    def head(self, limit: int) -> tuple[list[tuple[object, ...]], int]:
        rows = self.rows()
        return rows[:limit], len(rows)

    def rows(self) -> list[tuple[object, ...]]:
        return [
            (
                'Zoë, "Z"',
                9007199254740993,
                0.5,
                Decimal("12.50"),
                datetime(2013, 1, 1, 5, tzinfo=UTC).replace(tzinfo=None),
                ["a", None],
                "x",
            ),
            ("line\nbreak \x1b[31m", None, float("nan"), None, date(2013, 1, 1), [], ""),
        ]

    def write(self, path: Path) -> int:
        path.write_text("written\n", encoding="utf-8")
        return 2


class Workspace:
    def plan(self, select: tuple[str, ...] = (), force: bool = False, *, exclude: tuple[str, ...] = ()) -> Plan:
        CALLS.append(("plan", select, force, exclude))
        flights, days = Source("flights"), View("carrier_days", ("trusted.flights",))
        landed = LandedFile(13, "flights", LANDED.name, Path("x"), "5f", 9, "data/x", NOON)
        fmt = Step(("formatted.flights",), (), Format(flights), {})
        derive = Step(("exploitation.carrier_days",), ("trusted.flights",), Derive(days), {})
        steps = (
            PlannedStep(fmt, "run", "incremental", ("new landed file flights-2013-13.csv (1 of 13)",), (landed,)),
            PlannedStep(derive, "run", "incremental", ("trusted.flights changes", "merge by carrier, date")),
            PlannedStep(Step(("formatted.planes",), (), Format(Source("planes")), {}), "skip", "full", ("unchanged",)),
        )
        return Plan(steps[2:] if _mode() == "nothing" else steps)

    def run(self, select=(), force=False, on_event=None, *, exclude=(), wait=True) -> RunReport:
        match _mode():
            case "nothing":
                return NOTHING
            case "failed":
                return FAILED
            case "broken":
                raise ValueError("the sky fell\non our heads")
            case "locked":
                raise LakeError("another run (2f9b) is writing")
        on_event(RunEvent("landing", text="flights-2013-13.csv"))
        for number, step in enumerate(PUBLISHED.steps):
            on_event(RunEvent("step_started", step.dataset, number, 5, step.how))
            time.sleep(float(os.environ.get("BACKBONE_FAKE_SECONDS", "0")))
            if _mode() == "interrupted":
                raise KeyboardInterrupt
            on_event(RunEvent("step_done", step.dataset, number + 1, 5))
        on_event(RunEvent("publishing", "", 5, 5))
        return PUBLISHED

    def status(self, select=(), *, exclude=()) -> Status:
        datasets = (
            DatasetStatus("trusted.flights", "trusted", 336801, 14, "2f9c", NOON, quarantined=4),
            DatasetStatus(
                "trusted.planes", "trusted", 3322, 12, "2f9a", NOON, failing=True, message="in_range(seats) …"
            ),
            DatasetStatus("exploitation.new", "exploitation"),
        )
        return Status("nycflights", "dev", 14, datasets, self.history()[0], 17)

    def export(self, select, to, *, on_event=None, **how) -> Exported:
        CALLS.append(("export", select, to, how))
        tables = (
            ExportedTable("exploitation.carrier_days", 5432, 123456, "out/carrier_days.parquet"),
            ExportedTable("trusted.planes", 1, None if to.endswith(".duckdb") else 99, "out/planes.parquet"),
        )
        left_out = ("trusted.planes in_range(seats): it tolerates 20% of rows",)
        place = f"{to}, a folder of Parquet files"
        return Exported("nycflights", "dev", 14, "parquet", place, tables, 123555, left_out=left_out, seconds=0.3)

    def sql(self, query: str, as_of: str | None = None) -> Result:
        CALLS.append(("sql", query, as_of))
        return Result()

    def describe(self, name: str) -> DatasetDescription:
        columns = (
            Attribute("_file", "integer"),
            Attribute("carrier", "text"),
            Attribute("seats", "integer", "how many"),
        )
        return DatasetDescription(
            "trusted.planes",
            Relation(columns),
            ("carrier",),
            "All planes.",
            "ops",
            ("core",),
            "trusted/planes.yml",
            ("formatted.planes",),
            ("exploitation.plane_use",),
            (RuleState(SEATS, Finding(SEATS, 3322, 4, "set_aside")), RuleState(TRIM)),
            3322,
            14,
            "2f9c",
            NOON,
            Ledger(3330, 3322, 4, 4),
            Sample(("carrier", "seats"), (("UA", 149), ("日本航空", None)), 3322),
            {"carrier": ("carrier", "The airline.")},
        )

    def profile(self, name: str) -> DatasetProfile:
        columns = (
            ColumnProfile("carrier", "text", 0, 16, False, "9E", "YV", top=(("UA", 58665), ("B6", 54635))),
            ColumnProfile("dep_delay", "integer", 8255, 527, True, -43, 1301, 12.64, 40.2, ((None, 8255),)),
        )
        return DatasetProfile("trusted.flights", 336776, columns, "whole dataset")

    def quarantine(self, dataset: str | None = None, run: str | None = None, limit: int = 20) -> Quarantine:
        CALLS.append(("quarantine", dataset, run, limit))
        rows = (
            QuarantineRow(
                "2f9c",
                "trusted.flights",
                "flights-2013-13.csv",
                13,
                118,
                "not_null(dest)",
                "dest is null",
                '{"carrier": "UA", "flight": 1545, "dest": null}',
            ),
            QuarantineRow(
                "2f9c", "formatted.flights", "flights-2013-13.csv", 13, 640, "", "too many fields", "UA,1545,,,,"
            ),
        )
        groups = (
            QuarantineGroup("trusted.flights", "not_null(dest)", 4, "2f9c"),
            QuarantineGroup("formatted.flights", "parse", 1, "2f9c"),
        )
        return Quarantine(groups, rows[:limit], 5)

    def fix(self, dataset: str, values: Mapping[str, Mapping[str, str | None]], because: str = "") -> Settled:
        CALLS.append(("fix", dataset, values, because))
        return Settled(dataset, tuple(values), "trusted/flights.csv")

    def accept(self, dataset: str, records: tuple[str, ...] = (), because: str = "") -> Settled:
        CALLS.append(("accept", dataset, records, because))
        return Settled(dataset, records or ("13:118",), "trusted/flights.csv")

    def drop(self, dataset: str, records: tuple[str, ...], because: str) -> Settled:
        CALLS.append(("drop", dataset, records, because))
        return Settled(dataset, records, "trusted/flights.csv")

    def replay(self, dataset: str, on_event: Any = None) -> Replayed:
        CALLS.append(("replay", dataset))
        again = QuarantineRow(
            "2f9c", dataset, "f.csv", 13, 118, "not_null(dest)", "dest has no value", '{"dest": null}'
        )
        return Replayed(dataset, PUBLISHED, 2, (again,))

    def repairs(self, dataset: str, rule: str | None = None, limit: int = 20) -> Repairs:
        CALLS.append(("repairs", dataset, rule, limit))
        rows = (
            Repair("13:118", "dest", " JFK", "JFK", ("trim(all)",), "blanks at the ends", 1.0),
            Repair("13:119", "city", "Barclona", "Barcelona", ("determined(city)",), "most rows of the same zip", 0.75),
        )
        return Repairs(dataset, (RepairGroup("trim(all)", 4), RepairGroup("determined(city)", 1)), rows[:limit], 5)

    def undo(self, dataset: str, what: str) -> Undone:
        CALLS.append(("undo", dataset, what))
        return Undone(dataset, 1, ("trusted/flights.yml",))

    def lineage(self, name: str) -> LineageGraph:
        up = (
            Origin(
                "exploitation.carrier_days", "late", "trusted.flights", "arr_delay", "count(*) FILTER (arr_delay > 30)"
            ),
            Origin("trusted.flights", "arr_delay", "formatted.flights", "arr_delay", "arr_delay"),
            Origin("formatted.flights", "arr_delay", "landing.flights", "arr_delay", partial=True),
        )
        down = (Origin("model.late_arrivals", "*", "exploitation.carrier_days", "late"),)
        return LineageGraph("exploitation.carrier_days", "late", up, down)

    def trace(self, dataset: str, key: Mapping[str, str], limit: int | None = 1) -> TraceNode:
        CALLS.append(("trace", dataset, dict(key), limit))
        file = TraceNode("flights-2013-01.csv", "record 1, line 2", "arrived 2026-03-02 09:14, sha256 81d2…")
        row = TraceNode("trusted.flights", "flight=1545 origin=EWR dest=IAH", "no repairs, 1:1", True, (file,))
        label = " ".join(f"{k}={v}" for k, v in key.items()) + "  flights=165"
        return TraceNode(dataset, label, "group of 165 rows, exact", True, (row,), 164 if limit else 0)

    def history(self, limit: int = 20) -> list[HistoryEntry]:
        return [
            HistoryEntry("2f9c", "dev", "published", NOON, 1.3, 14, 4, 679000),
            HistoryEntry("2f9b", "dev", "killed", NOON, None, message="killed while staging"),
        ]

    def doctor(self, repair=False, on_event=None) -> list[Check]:
        return [Check("catalogue", True, "14 snapshots"), Check("landing", False, "1 file is missing", "restore it: …")]


def _mode() -> str:
    return os.environ.get("BACKBONE_FAKE", "published")


def open_workspace(project: Path | None, env: str | None) -> Workspace:
    CALLS.append(("open", project, env))
    if _mode() == "misconfigured":
        at = Location("trusted/flights.yml", 7, 16)
        line = "  - {in_range: air_tme, from: 10, to: 720, else: null}"
        message = "column 'air_tme' is not in formatted.flights. Did you mean 'air_time'?"
        raise ProjectError([Problem(at, message, line, 7)])
    return Workspace()


def add(
    folder: Path, name: str | None, locations: tuple[str, ...], env: str | None, part: str | None, member: str | None
) -> Added:
    CALLS.append(("add", name, locations, env, part, member))
    sample = Sample(("id", "amount"), ((1, Decimal("9.50")), (2, None)), 12)
    return Added(
        name or Path(locations[0]).stem,
        (LANDED,),
        "sources/sales.yml",
        True,
        "csv, utf-8, comma, 2 columns",
        ("amount: NA means missing (3)",),
        ("1 row set aside: line 7 has 4 fields instead of 2",),
        sample,
        PUBLISHED,
        ".",
        'backbone sql "from sales"',
    )


class Peek:
    summary = PeekSummary(
        "sales.csv",
        "csv",
        1234,
        {"delimiter": "\t", "encoding": "utf-8"},
        (Attribute("id", "integer"), Attribute("amount", "decimal(2)")),
        Sample(("id", "amount"), ((1, Decimal("9.50")),), 12),
        ("NA means missing",),
    )


def peek(path: str, *, part: str | None, member: str | None, lenient: bool) -> Peek:
    CALLS.append(("peek", path, part, member, lenient))
    return Peek()


def clean(path: str, to: Path, *, lenient: bool, part: str | None, member: str | None) -> CleanSummary:
    CALLS.append(("clean", path, to, part, member, lenient))
    return CleanSummary(path, str(to), 2, 84, 1, {"delimiter": ";"})


def init(folder: Path, example: str | None) -> list[str]:
    return [f"made {folder}/backbone.yml"]


if __name__ == "__main__":
    sys.modules["backbone.workspace"] = sys.modules["__main__"]
    main()
