"""The Spark engine: the same steps, on a machine with Java, on a cluster, or over Spark Connect."""
