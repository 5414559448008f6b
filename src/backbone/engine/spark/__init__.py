"""The Spark engine: the same steps on a cluster."""
