"""What is measured, as data: workloads, differences between two of them, and their budgets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from benchmarks.measuring import Sample, Side

UNITS = {
    "cpu_s": "CPU-s",
    "wall_s": "s",
    "peak_mb": "MB at peak",
    "written_mb": "MB written",
    "kept_mb": "MB kept",
    "installed_mib": "MiB installed",
    "packages": "packages",
}


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of the median of a metric: in its own unit or, with `of_floor`, as a multiple of the floor's."""

    limit: float
    metric: str = "cpu_s"
    of_floor: bool = False

    def __str__(self) -> str:
        """The budget in words, such as `≤ 1.2 × floor`."""
        unit = UNITS[self.metric]
        if not self.of_floor:
            return f"≤ {self.limit:,g} {unit}"
        return f"≤ {self.limit:g} × floor" + ("" if self.metric == "cpu_s" else f" ({unit})")


@dataclass(frozen=True, slots=True)
class Workload:
    """One piece of work: done by Backbone, and by hand in DuckDB (the floor; None: there is none)."""

    name: str
    about: str
    ours: Side
    floor: Side | None = None
    budgets: tuple[Budget, ...] = ()
    rounds: int = 3
    peers: Mapping[str, Side] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def sides(self) -> Mapping[str, Side]:
        """Who does the work, in the order of measuring."""
        return {"backbone": self.ours} | ({"floor": self.floor} if self.floor else {}) | dict(self.peers)


@dataclass(frozen=True, slots=True)
class Difference:
    """What `whole` costs more than `part`, for each of `steps`: two workloads by name, measured already.

    `floor` names the side of both that Backbone is compared with.
    """

    name: str
    about: str
    whole: str
    part: str
    steps: int = 1
    budgets: tuple[Budget, ...] = ()
    floor: str = "floor"


Measurable = Workload | Difference
Samples = dict[str, list[Sample]]


def difference(one: Difference, measured: Mapping[str, Samples]) -> Samples:
    """The samples of a difference, pair by pair, of both sides that both workloads have. Memory has no difference."""
    whole, part = measured.get(one.whole, {}), measured.get(one.part, {})
    sides = {"backbone": "backbone", "floor": one.floor}
    return {
        name: list(_pairs(whole[side], part[side], one.steps))
        for name, side in sides.items()
        if side in whole and side in part
    }


def _pairs(whole: list[Sample], part: list[Sample], steps: int) -> Iterator[Sample]:
    for more, less in zip(whole, part, strict=False):
        yield {name: round((more[name] - less[name]) / steps, 5) for name in more if name != "peak_mb"}


def middle(samples: list[Sample], metric: str) -> float | None:
    """The median of a metric; None where it wasn't measured."""
    values = [one[metric] for one in samples if metric in one]
    return median(values) if values else None


def ratio(samples: Samples, metric: str, side: str = "backbone", to: str = "floor") -> float | None:
    """The median of one side as a multiple of another's; None where there is none."""
    ours, theirs = (middle(samples.get(name, []), metric) for name in (side, to))
    return ours / theirs if ours is not None and theirs is not None and theirs > 0 else None
