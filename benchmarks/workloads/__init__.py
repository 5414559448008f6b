"""Everything that is measured, the quick ones first. A new workload goes into one of these modules, or a new one."""

from benchmarks.workload import Measurable
from benchmarks.workloads import ageing, asking, flow, installing, loading, quality, starting, views

MODULES = (starting, installing, views, asking, loading, quality, flow, ageing)


def workloads(rows: int) -> list[Measurable]:
    """All workloads, the large ones with so many rows."""
    return [one for module in MODULES for one in module.workloads(rows)]
