"""The tables of docs/performance.md and docs/spark.md, from the committed records: so no number can be mistyped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.growth.telling import HEADER as GROWTH_HEADER
from benchmarks.growth.telling import Growth, curves_of
from benchmarks.growth.telling import rows_of as growth_rows
from benchmarks.records import Record, load_records
from benchmarks.spark.telling import HEADER as SPARK_HEADER
from benchmarks.spark.telling import spark_rows
from benchmarks.tables import HEADER, PEER_HEADER, markdown, peer_rows, rows_of

HERE = Path(__file__).parent
RESULTS, PEERS, GROWTH, SPARK = (HERE / "measured" / f"{name}.json" for name in ("results", "peers", "growth", "spark"))
PAGE = HERE.parent / "docs" / "performance.md"
SPARK_PAGE = HERE.parent / "docs" / "spark.md"
PICTURE = HERE.parent / "docs" / "performance" / "growth.svg"


def tables() -> dict[str, str]:
    """The page's tables by name, each under a line that says what it was measured on."""
    results, peers, growth = load_records(RESULTS), load_records(PEERS), growth_found()
    return {
        "budgets": f"{records_on(results)}\n\n{markdown(HEADER, rows_of(results))}",
        "peers": f"{records_on(peers)}\n\n{markdown(PEER_HEADER, peer_rows(peers))}",
        "growth": f"{measured_on(list(growth.values()))}\n\n{markdown(GROWTH_HEADER, growth_rows(growth))}",
    }


def spark_tables() -> dict[str, str]:
    """The same of docs/spark.md."""
    spark = load_records(SPARK)
    return {"spark": f"{records_on(spark)}\n\n{markdown(SPARK_HEADER, spark_rows(spark))}"}


def growth_found() -> dict[str, Growth]:
    """The committed curves."""
    found: dict[str, Growth] = json.loads(GROWTH.read_text(encoding="utf-8"))
    return found


def records_on(found: Sequence[Record]) -> str:
    """What workloads were measured on."""
    rows = " and ".join(sorted({f"{one.rows:,}" for one in found}))
    return f"{rows} rows. {measured_on([asdict(one) for one in found])}"


def measured_on(found: Sequence[Mapping[str, Any]]) -> str:
    """Machine, versions and load; all that differs between records, if they weren't measured at once."""
    on = {f"{m['cpus']} CPUs ({m['processor']}), {m['memory_gib']} GiB" for m in (one["machine"] for one in found)}
    made = {f"Backbone {v['backbone']} with DuckDB {v['duckdb']}" for v in (one["versions"] for one in found)}
    days = {one["when"][:10] for one in found}
    load = [value for one in found for value in one["load"]]
    return f"{'; '.join([*sorted(on), *sorted(made), *sorted(days)])}; load average {min(load):.0f} to {max(load):.0f}."


def filled(text: str, found: dict[str, str]) -> str:
    """The page with its tables: what stands between `<!-- NAME -->` and `<!-- /NAME -->` is replaced."""
    for name, table in found.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{begin}\n{table}\n\n{end}{after}"
    return text


def write_page() -> None:
    """Fill the pages in, and draw the picture."""
    from benchmarks.growth.plotting import plot

    for page, found in {PAGE: tables(), SPARK_PAGE: spark_tables()}.items():
        page.write_text(filled(page.read_text(encoding="utf-8"), found), encoding="utf-8")
    plot(curves_of(growth_found()), PICTURE)
