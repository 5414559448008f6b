"""Every cell of docs/rows-over-time.md is what really happens: each event is delivered, run by run."""

import re
from pathlib import Path

import pytest

import backbone
from backbone.model.reports import StepReport

PAGE = (Path(__file__).parents[2] / "docs" / "rows-over-time.md").read_text(encoding="utf-8")
MODES = {
    "`append`": "versions: append",
    "`snapshot`": "versions: snapshot",
    "`snapshot`, `newest_by: day`": "versions: snapshot\nnewest_by: day",
    "`upsert`": "versions: upsert\nkey: id",
    "`upsert`, `newest_by: day`": "versions: upsert\nkey: id\nnewest_by: day",
    "`history`": "versions: history\nkey: id",
    "`history`, `newest_by: day`": "versions: history\nkey: id\nnewest_by: day",
    "`history`, `absent: deleted`": "versions: history\nkey: id\nabsent: deleted",
}
EVENTS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)[:6]
LONG = {"Late", "Out of order", "Sent twice", "Back again"}


def section(event: str) -> tuple[list[list[tuple[str, int, int]]], dict[str, tuple[str, ...]]]:
    """The deliveries of an event, and the row of its table for each mode."""
    text = PAGE.partition(f"## {event}\n")[2].partition("\n## ")[0]
    deliveries = [
        [(name, int(value), int(day)) for name, value in re.findall(r"(\w)=(\d)", line)]
        for line, day in re.findall(r"^\d\. (.+), day (\d)", text, re.MULTILINE)
    ]
    rows = (tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines() if "|" in line)
    return deliveries, {mode: tuple(cells) for mode, *cells in rows if mode in MODES}


def make_project(root: Path) -> None:
    """One source and three views for each mode, all of the same files."""
    files = {"backbone.yml": "name: page\n"}
    for number, mode in enumerate(MODES.values()):
        name = f"m{number}"
        files[f"sources/{name}.yml"] = "from: data/*.csv\ncolumns: {id: text, v: integer, day: integer}\n"
        files[f"trusted/{name}.yml"] = f"{mode}\nrules: []\n"
        select = f"SELECT id, v FROM trusted.{name}\n"
        files[f"exploitation/{name}_full.sql"] = select
        files[f"exploitation/{name}_append.sql"] = f"/*---\nmode: append\n---*/\n{select}"
        grouped = f"SELECT id, count(*) AS n, sum(v) AS v FROM trusted.{name} GROUP BY id\n"
        files[f"exploitation/{name}_merge.sql"] = f"/*---\nmode: merge\nkey: id\n---*/\n{grouped}"
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def deliver(root: Path, number: int, rows: list[tuple[str, int, int]]) -> None:
    path = root / "data" / f"delivery-{number}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("id,v,day\n" + "".join(f"{name},{value},{day}\n" for name, value, day in rows))


def shown_rows(root: Path, number: int) -> str:
    """A trusted dataset as the page writes it: with the delivery, or the day, from which and until which it holds."""
    history = "history" in list(MODES.values())[number]
    valid = "_valid_from, _valid_to" if history else "NULL, NULL"
    query = f"SELECT id, v, {valid} FROM trusted.m{number} ORDER BY id, _file, _record"
    rows = backbone.open(root).sql(query).rows()
    files = backbone.open(root).environment.landing.registry.files(f"m{number}")
    moments = {file.arrived_at: n for n, file in enumerate(files, 1)} | {day: day for day in range(9)} | {None: ""}
    times = [f" ({moments[since]}-{moments[until]})" if history else "" for _, _, since, until in rows]
    return ", ".join(f"{name}={value}{time}" for (name, value, *_), time in zip(rows, times, strict=True))


def shown_work(step: StepReport) -> str:
    """What a run did about a view."""
    if step.status == "unchanged":
        return "nothing"
    found = re.match(r"([\d,]+) (new rows?|keys?)", step.note)
    return f"{found[1]} {found[2]}" if found else "all rows"


def happened(root: Path, deliveries: list[list[tuple[str, int, int]]]) -> dict[str, tuple[str, ...]]:
    """The cells of an event's table, and what must hold beside them."""
    make_project(root)
    for number, rows in enumerate(deliveries, 1):
        deliver(root, number, rows)
        report = backbone.open(root).run()
        assert [(step.dataset, step.failure) for step in report.failed] == []
    steps = {step.dataset: step for step in report.steps}
    cells = {}
    for number, mode in enumerate(MODES):
        expect_the_same_rows_everywhere(root, number)
        works = [shown_work(steps[f"exploitation.m{number}_{view}"]) for view in ("append", "merge")]
        cells[mode] = (shown_rows(root, number), *works)
    assert all(check.ok for check in backbone.open(root).doctor())
    again = backbone.open(root).run(select=("zone:trusted",), force=True)
    assert {step.status for step in again.steps} == {"unchanged"}
    return cells


def expect_the_same_rows_everywhere(root: Path, number: int) -> None:
    """Formatted has all rows, trusted accounts for each, and every view has trusted's rows, however it came by them."""
    source = f"m{number}"
    query = f"""
        SELECT (SELECT count(*) FROM formatted.{source}),
            (SELECT count(*) FROM trusted.{source})
            + (SELECT count(*) FROM governance.merged_away WHERE dataset = 'trusted.{source}'),
            (SELECT list(t ORDER BY t) FROM (SELECT id, v FROM trusted.{source}) AS t),
            (SELECT list(t ORDER BY t) FROM exploitation.{source}_full AS t),
            (SELECT list(t ORDER BY t) FROM exploitation.{source}_append AS t),
            (SELECT list(t ORDER BY t) FROM (SELECT id, count(*), sum(v) FROM trusted.{source} GROUP BY id) AS t),
            (SELECT list(t ORDER BY t) FROM exploitation.{source}_merge AS t)"""
    ((formatted, accounted, trusted, full, append, groups, merge),) = backbone.open(root).sql(query).rows()
    assert formatted == accounted
    assert trusted == full == append
    assert [tuple(g.values()) for g in groups] == [tuple(m.values()) for m in merge]


@pytest.mark.parametrize("event", [pytest.param(e, marks=pytest.mark.long) if e in LONG else e for e in EVENTS])
def test_each_cell_of_the_page_is_what_happens(tmp_path: Path, event: str) -> None:
    deliveries, cells = section(event)

    assert len(deliveries) >= 2
    assert happened(tmp_path, deliveries) == cells
