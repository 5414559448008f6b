"""The tables of docs/performance.md, written from the committed records, so that no number can be mistyped."""

from pathlib import Path

from benchmarks.records import load_records
from benchmarks.tables import HEADER, markdown, rows_of

RESULTS = Path(__file__).parent / "results.json"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def tables() -> dict[str, str]:
    """The page's tables by name."""
    return {"budgets": markdown(HEADER, rows_of(load_records(RESULTS)))}


def filled(text: str, found: dict[str, str]) -> str:
    """The page with its tables: what stands between `<!-- NAME -->` and `<!-- /NAME -->` is replaced."""
    for name, table in found.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = f"{before}{begin}\n{table}\n\n{end}{after}"
    return text


def write_page() -> None:
    """Fill the page in."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), tables()), encoding="utf-8")
