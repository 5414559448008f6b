"""The tables of docs/performance.md, written from the committed records, so that no number can be mistyped."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.growth.telling import HEADER as GROWTH_HEADER
from benchmarks.growth.telling import rows_of as growth_rows
from benchmarks.records import Record, load_records
from benchmarks.tables import HEADER, PEER_HEADER, markdown, peer_rows, rows_of

HERE = Path(__file__).parent
RESULTS, PEERS, GROWTH = (HERE / f"{name}.json" for name in ("results", "peers", "growth"))
PAGE = HERE.parent / "docs" / "performance.md"
PICTURE = HERE.parent / "docs" / "performance" / "growth.svg"


def tables() -> dict[str, str]:
    """The page's tables by name, each under a line that says what it was measured on."""
    results, peers, growth = load_records(RESULTS), load_records(PEERS), json.loads(GROWTH.read_text(encoding="utf-8"))
    return {
        "budgets": f"{measured_on(results)}\n\n{markdown(HEADER, rows_of(results))}",
        "peers": f"{measured_on(peers)}\n\n{markdown(PEER_HEADER, peer_rows(peers))}",
        "growth": f"Load average {growth['load'][0]:.0f} to {growth['load'][1]:.0f}.\n\n"
        f"{markdown(GROWTH_HEADER, growth_rows(growth['curves']))}",
    }


def measured_on(found: Sequence[Record]) -> str:
    """Machine, versions, size and load of records; all that differs between them, if they weren't measured at once."""
    machines = {
        f"{one.machine['cpus']} CPUs ({one.machine['processor']}), {one.machine['memory_gib']} GiB" for one in found
    }
    made = {f"Backbone {one.versions['backbone']}, DuckDB {one.versions['duckdb']}" for one in found}
    rows = {f"{one.rows:,} rows" for one in found}
    load = [value for one in found for value in one.load]
    days = {one.when[:10] for one in found}
    told = [*sorted(machines), *sorted(made), *sorted(rows), *sorted(days)]
    return f"{'; '.join(told)}; load average {min(load):.0f} to {max(load):.0f}."


def filled(text: str, found: dict[str, str]) -> str:
    """The page with its tables: what stands between `<!-- NAME -->` and `<!-- /NAME -->` is replaced."""
    for name, table in found.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{begin}\n{table}\n\n{end}{after}"
    return text


def write_page() -> None:
    """Fill the page in, and draw its picture."""
    from benchmarks.growth.plotting import plot

    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
    plot(json.loads(GROWTH.read_text(encoding="utf-8"))["curves"], PICTURE)
