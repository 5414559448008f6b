"""The same work done by other tools, each in an environment of its own."""

from types import ModuleType

from benchmarks.peers import dagster, dbt, dlt, kedro, sqlmesh

PEERS: dict[str, ModuleType] = {"dbt": dbt, "sqlmesh": sqlmesh, "dagster": dagster, "kedro": kedro, "dlt": dlt}
