"""The forms in which a view in Python may take its inputs and give its rows."""

from collections.abc import Mapping

FORMS: Mapping[str, str] = {
    "pandas.DataFrame": "pandas",
    "polars.DataFrame": "polars",
    "pyarrow.Table": "arrow",
    "pyarrow.RecordBatchReader": "arrow_batches",
    "duckdb.DuckDBPyRelation": "duckdb",
    "pyspark.sql.DataFrame": "spark",
}
"""Python's classes, as people annotate with them, and what the engine calls each."""
FORM_NAMES = ", ".join(FORMS)
HABITS: Mapping[str, str] = {"pd": "pandas", "pl": "polars", "pa": "pyarrow"}
"""Names that modules are usually imported under."""
