"""Commands that a fault strikes at moments chosen by a seed; the same command again finishes the work.

`python tests/fakes/faults_survive.py --fault kill --seed 17` does again what seed 17 does, and tells what is wrong
after it. Faults: `kill` (-9), `full` (a small disk is full from then on, until there is space for the next command),
`limit` (files may not grow any more: what a full disk is where nobody may mount one), `interrupt` (Ctrl-C).
"""

import argparse
import multiprocessing
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from faults_disks import BALLAST, NoDiskError, be_alone, mount_small
from faults_events import Ended, Strike, Way, carry_out, changes
from faults_shop import (
    ANALYSIS,
    DATASETS,
    DELIVERIES,
    DROPPED,
    LATER,
    Content,
    arrivals,
    content,
    deliver,
    differences,
    landed_texts,
    leftovers,
    make_shop,
    unsound,
    write_files,
)

import backbone

CLICKS: Mapping[str, str] = {
    f"clicks-{n}.csv": "click_id,page,at\n" + "".join(f"{n}{i},p{i % 4},2026-01-{i:02}\n" for i in range(1, 20))
    for n in (1, 2)
}
_WAYS: Mapping[str, tuple[Way, ...]] = {
    "kill": ("die", "die", "die", "timer", "bytes"),
    "full": ("full",),
    "limit": ("limit",),
    "interrupt": ("interrupt",),
}
_ENDINGS: Mapping[Way, tuple[int, str]] = {
    "full": (1, r"no space left for /.+: .+ of .+ are free there now\. .*Make space|✗ disk  .+ free;(?s:.)+Make space"),
    "limit": (1, r"can't grow: `ulimit -f` allows "),
    "interrupt": (130, r"interrupted"),
}
"""The exit code, and what must be said (a pattern); a fault that strikes at the end may also do no harm."""
_ALL = {**DELIVERIES, **DROPPED}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A command that is struck. `after` is the scenario that it begins from. Since then `more` has been delivered,
    files of the project were `written`, and a file of the lake was `lost`.

    `landed` are all files that have landed when it is done, `history` counts the runs by then. The next run has
    nothing to do, or comes to what the scenario `then` comes to.
    """

    command: tuple[str, ...]
    landed: Mapping[str, str]
    history: Mapping[str, int]
    after: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    datasets: tuple[str, ...] = DATASETS
    written: Mapping[str, str] = field(default_factory=dict)
    lost: str = ""
    then: str = ""


SCENARIOS: Mapping[str, Scenario] = {
    "first": Scenario(("run",), _ALL, {"published": 1}),
    "later": Scenario(("run",), _ALL | LATER, {"published": 2}, "first", LATER),
    "forced": Scenario(("run", "--force"), _ALL, {"published": 2}, "first"),
    "add": Scenario(
        ("add", "clicks", "data/clicks-*.csv"), _ALL | CLICKS, {"published": 2}, "first", CLICKS,
        (*DATASETS, "formatted.clicks", "trusted.clicks"),
    ),
    "analysis": Scenario(
        ("run",), _ALL, {"published": 2}, "first", written=ANALYSIS,
        datasets=(*DATASETS, "analysis.dear__train", "analysis.dear__validate", "exploitation.dear__predictions"),
    ),
    "repair": Scenario(
        ("doctor", "--repair"), _ALL | LATER, {"published": 3}, "later", lost="lake/dev/tables/trusted/orders/*.parquet"
    ),
    "maintenance": Scenario(("maintain",), _ALL | LATER, {"published": 2, "maintained": 1}, "later"),
    "rollback": Scenario(
        ("rollback", "2"), _ALL | LATER, {"published": 2, "rolled back": 1}, "later", then="later"
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """What a scenario begins from, what it comes to without a fault, and its events."""

    start: Path
    content: Content
    files: Mapping[str, str]
    events: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """What a seed means: a scenario, where in it a fault strikes, and perhaps where another strikes what recovers."""

    seed: int
    scenario: str
    strike: Strike
    again: Strike | None = None
    phase: str = ""
    label: str = ""

    def __str__(self) -> str:
        then = f", then {self.again}" if self.again else ""
        return f"{self.scenario}: {self.phase}, {self.strike}{then}, before {self.label!r}"


class Home:
    """A folder in which scenarios are carried out, always at the same place, since origins are absolute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "disk" / "shop"
        self._known: dict[str, Undisturbed] = {}

    def undisturbed(self, name: str) -> Undisturbed:
        """How a scenario goes without a fault; found out once."""
        if name not in self._known:
            scenario = SCENARIOS[name]
            start = self._start(name, scenario)
            self.begin(start)
            ended = carry_out(self.root, scenario.command)
            assert ended.code == 0, ended.said
            shutil.copytree(self.root, self.folder / f"{name}.end")
            found = content(self.root, scenario.datasets)
            self._known[name] = Undisturbed(start, found, _declared(self.root), ended.events)
        return self._known[name]

    def _start(self, name: str, scenario: Scenario) -> Path:
        start = self.folder / f"{name}.start"
        if scenario.after:
            self.undisturbed(scenario.after)
            self.begin(self.folder / f"{scenario.after}.end")
            deliver(self.root, scenario.more)
            write_files(self.root, scenario.written)
            for path in sorted(self.root.glob(scenario.lost))[:1] if scenario.lost else ():
                path.unlink()
        else:
            make_shop(self.root)
        shutil.copytree(self.root, start)
        return start

    def begin(self, start: Path) -> Path:
        """The project as it is in `start`."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(start, self.root)
        return self.root


def _declared(root: Path) -> dict[str, str]:
    """The project's own files."""
    found = (path for path in root.rglob("*") if path.is_file() and "lake" not in path.parts)
    return {str(path.relative_to(root)): path.read_text() for path in found}


def moment_of(seed: int, home: Home, fault: str) -> Moment:
    """What a seed means. Phases come up equally often, and in them events that change something."""
    chosen = random.Random(f"{fault} {seed}")
    name = chosen.choice(list(SCENARIOS))
    events = home.undisturbed(name).events
    near = [n for n in range(1, len(events)) if changes(events[n][1]) or changes(events[n - 1][1])]
    phase = chosen.choice(sorted({events[n][0] for n in near}))
    number = chosen.choice([n for n in near if events[n][0] == phase])
    amounts: Mapping[Way, int] = {
        "timer": int(10 ** chosen.uniform(1, 4.5)),
        "bytes": chosen.randrange(20_000),
        "limit": chosen.randrange(20_000),
        "full": chosen.choice([0, chosen.randrange(100_000)]),
    }
    way: Way = chosen.choice(_WAYS[fault])
    again = Strike(chosen.randrange(len(events))) if way == "die" and chosen.random() < 0.3 else None
    return Moment(seed, name, Strike(number, way, amounts.get(way, 0)), again, *events[number])


def survive(moment: Moment, home: Home) -> list[str]:
    """Carry a moment out; what is wrong after it and the same command again."""
    scenario, undisturbed = SCENARIOS[moment.scenario], home.undisturbed(moment.scenario)
    then = home.undisturbed(scenario.then or moment.scenario).content
    root = home.begin(undisturbed.start)
    first = carry_out(root, scenario.command, moment.strike)
    if moment.again:
        carry_out(root, scenario.command, moment.again)
    (root.parent / BALLAST).unlink(missing_ok=True)
    wrong = list(_ending(moment.strike.way, first))
    return wrong + list(_after(root, scenario, undisturbed, then, carry_out(root, scenario.command)))


def _ending(way: Way, ended: Ended) -> Iterator[str]:
    """What is wrong with how a command ended that a fault struck."""
    code, said = _ENDINGS.get(way, (None, ""))
    if code is None:
        # What strikes later than its event may find the command at its end.
        if not ended.killed and (way == "die" or ended.code != 0):
            yield f"it was not killed: {ended.code} {ended.said}"
    elif ended.code not in {0, code} or (ended.code and not re.search(said, ended.said)) or "Backbone's" in ended.said:
        yield f"exit code {ended.code}, and it said: {ended.said}"


def _after(root: Path, scenario: Scenario, undisturbed: Undisturbed, then: Content, ended: Ended) -> Iterator[str]:
    """What is wrong after a command that has finished the work; `then` is what the next run comes to."""
    if ended.code != 0:
        yield f"exit code {ended.code}: {ended.said}"
        return
    yield from differences(content(root, scenario.datasets), undisturbed.content)
    yield from (f"left: {path}" for path in leftovers(root))
    if landed_texts(root) != Counter(scenario.landed.items()):
        yield f"landed: {sorted(name for name, _ in landed_texts(root).elements())}"
    if arrivals(root) != len(scenario.landed):
        yield f"{arrivals(root)} arrivals of {len(scenario.landed)} files"
    if waiting := list((root / "lake/landing/temporal").rglob("*.csv")):
        yield f"still waiting: {waiting}"
    if _declared(root) != undisturbed.files:
        yield f"the project's files differ: {_declared(root)}"
    yield from unsound(backbone.open(root).doctor())
    yield from _history_of(root, scenario)
    again = backbone.open(root).run()
    if (again.status == "nothing") == bool(scenario.then):
        yield f"the next run: {again.status}"
    if scenario.then:
        yield from (f"after the next run: {line}" for line in differences(content(root, scenario.datasets), then))


def _history_of(root: Path, scenario: Scenario) -> Iterator[str]:
    found = Counter(entry.status for entry in backbone.open(root).history())
    unended = found.pop("killed", 0) + found.pop("failed", 0)
    # What had published when it was struck is done again by force.
    more = 2 if "--force" in scenario.command else 0
    wanted = Counter(scenario.history)
    if not wanted <= found <= wanted + Counter(dict.fromkeys(wanted, more)) or unended > 2:
        yield f"history: {dict(found)}, and {unended} that didn't end"


Seed = tuple[str, int]
"""A fault with a number: what `moment_of` makes a moment of."""


@contextmanager
def survivors(jobs: int) -> Iterator[Callable[[Iterable[Seed]], list[str]]]:
    """Some processes that carry out seeds side by side.

    Yields:
        What carries seeds out and returns what is wrong, with the commands that do it again.
    """
    context = multiprocessing.get_context("forkserver")
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield lambda seeds: [told for told in pool.map(partial(_survive_seed, Path(folder)), seeds) if told]


_HOMES: list[Home] = []


def _home(folder: Path) -> Home:
    """The home of this process, on a small disk of its own where that can be had."""
    if not _HOMES:
        home = Home(Path(tempfile.mkdtemp(dir=folder)))
        with suppress(NoDiskError):
            be_alone()
            mount_small(home.root.parent, 60)
        _HOMES.append(home)
    return _HOMES[0]


def _survive_seed(folder: Path, seed: Seed) -> str:
    fault, number = seed
    home = _home(folder)
    moment = moment_of(number, home, fault)
    wrong = survive(moment, home)
    again = f"python tests/fakes/faults_survive.py --fault {fault} --seed {number}"
    return "\n  ".join([str(moment), f"again: {again}", *wrong]) if wrong else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one seed, or several from it on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fault", choices=list(_WAYS), default="kill")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    with survivors(options.jobs) as carry:
        wrong = carry((options.fault, n) for n in range(options.seed, options.seed + options.count))
    sys.stdout.write("\n".join([*wrong, f"{options.count} moments, {len(wrong)} not survived", ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
