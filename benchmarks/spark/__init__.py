"""Backbone on Spark, in turn with the same work by hand in PySpark, and with both of them on DuckDB."""
