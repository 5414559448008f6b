"""Where values come from: the shape of a query, its column lineage, and the way back from a row."""
