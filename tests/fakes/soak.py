"""A soak: arrivals, runs, readers, adds, maintenance, rollbacks and kills at once, for minutes; then all must be sound.

    python tests/fakes/soak.py --minutes 30 --seed 1 [--postgres]

Two checkouts of one project share a storage folder, as two machines would, and with `--postgres` a catalogue there.
What happens when is drawn from the seed; what comes of it depends on the machine, too.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults_shop import DATASETS, FILES, ORDERS, VISITS, settle, write_files
from postgres_server import postgres_server

import backbone
from backbone.errors import UsageError
from backbone.lake.catalogue import datasets_at, last_snapshot, registered_files, snapshots
from backbone.lake.site import Site
from backbone.workspace.reading import open_for_reading

_CONTEXT = multiprocessing.get_context("spawn")
_SETTINGS = """name: shop
storage: {data: ../storageCATALOGUE}
retention: {snapshots: 20 seconds, at_least: 6, files: 5 seconds}
"""
_TOTALS = """SELECT count(*) AS orders, sum(amount) AS amount, count(*) FILTER (amount >= 50) AS large
FROM trusted.orders
"""
QUESTION = """
    SELECT (SELECT count(*) FROM exploitation.large_orders) - large,
        (SELECT sum(amount) FROM exploitation.customer_days) - amount,
        (SELECT sum(orders) FROM exploitation.customer_days) - orders,
        (SELECT count(*) FROM trusted.visits) - (SELECT count(*) FROM exploitation.visit_log)
    FROM exploitation.totals"""
"""Zeros, in any snapshot: datasets that were published together are read together."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Soak:
    """What is going on: where, until when, what was delivered, what was done, and what went wrong."""

    roots: tuple[Path, Path]
    until: float
    seed: int
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    delivered: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: float = 0.0
    shared: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**9)))
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def over(self) -> bool:
        """Whether it is time to end."""
        return time.monotonic() > self.until

    def rest(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        time.sleep(max(0.0, min(seconds, self.until - time.monotonic())))

    def complain(self, what: str) -> None:
        """Note what went wrong."""
        with self.guard:
            self.wrong.append(what)
        _say(f"WRONG {what}")

    def next_number(self) -> int:
        """A number that nobody else gets."""
        with self.guard:
            return next(self.numbers)


def make(folder: Path, url: str | None = None) -> tuple[Path, Path]:
    """Two checkouts of the shop that share a storage folder, and its catalogue in PostgreSQL if there is a URL."""
    roots = (folder / "here", folder / "there")
    settings = _SETTINGS.replace("CATALOGUE", ", catalogue: 'postgres:${PG_URL}'" if url else "")
    for root in roots:
        write_files(root, {**FILES, "backbone.yml": settings, "exploitation/totals.sql": _TOTALS})
        if url:
            write_files(root, {"secrets.env": f"PG_URL={url}\n"})
        for name in ("data", "extra"):
            (root / name).mkdir()
    return roots


def text_of(kind: str, number: int, draw: random.Random) -> str:
    """A delivery: new rows, corrections of earlier ones, doubles, and rows that parser and rules set aside."""
    new = range(number * 10, number * 10 + 8)
    old = [draw.randrange(10, number * 10 + 8) for _ in range(3)]
    if kind == "orders":
        rows = [f"{n},c{n % 7},2026-01-{n % 9 + 1:02},{draw.randrange(1200)}" for n in (*new, *old)]
        return "\n".join([ORDERS, *rows, f"{number * 10 + 9},,2026-01-01,{number}", f"{number},c1,x,{number}", ""])
    rows = [f"{n},c{n % 5},{n},{draw.randrange(-2, 60)}" for n in new]
    return "\n".join([VISITS, *rows, rows[0], f"{number},c1,1,many {number}", ""])


def deliver(soak: Soak, draw: random.Random, folder: Path, kind: str) -> Path:
    """Bring a file, whole at once."""
    number = soak.next_number()
    text = text_of(kind, number, draw)
    path = folder / f"{kind}-{number}.csv"
    part = path.with_suffix(".part")
    part.write_text(text)
    settle(part)
    with soak.guard:
        soak.delivered[(kind, text)] += 1
    part.rename(path)
    return path


def arrive(soak: Soak, draw: random.Random) -> None:
    """Files that arrive: beside either checkout, or in the drop folder."""
    while not soak.over:
        kind = draw.choice(["orders", "visits"])
        drop = soak.roots[0].parent / "storage" / "landing" / "temporal" / kind
        folders = [root / "data" for root in soak.roots] + ([drop] if drop.exists() else [])
        deliver(soak, draw, draw.choice(folders), kind)
        soak.done["arrivals"] += 1
        soak.rest(draw.uniform(0.5, 6))


def command(soak: Soak, root: Path, *words: str, kill_after: float | None = None, fine: str = "") -> None:
    """A command in a process of its own: it ends well, is killed, or says what is `fine`."""
    line = [str(Path(sys.executable).with_name("backbone")), "--project", str(root), *words]
    talking = {**os.environ, "PYTHONFAULTHANDLER": "1"}
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=talking)
    try:
        out, err = process.communicate(timeout=kill_after or 600)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL if kill_after else signal.SIGABRT)  # one that hangs says where
        out, err = process.communicate()
        soak.done[f"{words[0]} killed" if kill_after else f"{words[0]} hung"] += 1
        if not kill_after:
            soak.complain(f"{words} hung: {out} {err}")
        return
    soak.done[words[0]] += 1
    if process.returncode and not (fine and fine in err):
        soak.complain(f"{words} ended with {process.returncode}: {out[-2000:]} {err[-2000:]}")


def run(soak: Soak, draw: random.Random, root: Path) -> None:
    """Runs, one in six of them killed."""
    while not soak.over:
        command(soak, root, "run", kill_after=draw.uniform(0.3, 8) if draw.random() < 1 / 6 else None)
        soak.rest(draw.uniform(0, 4))


def add(soak: Soak, draw: random.Random) -> None:
    """Files that are added by name."""
    while not soak.over:
        soak.rest(draw.uniform(20, 60))
        if not soak.over:
            path = deliver(soak, draw, soak.roots[0] / "extra", "orders")
            command(soak, soak.roots[0], "add", "orders", str(path))


def maintain(soak: Soak, draw: random.Random) -> None:
    """Maintenance, one in four killed."""
    while not soak.over:
        soak.rest(draw.uniform(8, 30))
        kill_after = draw.uniform(0.5, 5) if draw.random() < 1 / 4 else None
        command(soak, draw.choice(soak.roots), "maintain", kill_after=kill_after, fine="Nothing has run")


def go_back(soak: Soak, draw: random.Random) -> None:
    """Rollbacks by a few snapshots, one in four killed."""
    while not soak.over:
        soak.rest(draw.uniform(40, 90))
        known = last_snapshot(_site(soak.roots[0]))
        if known and known[1] > 8 and not soak.over:
            kill_after = draw.uniform(0.5, 5) if draw.random() < 0.25 else None
            to = str(known[1] - draw.randrange(1, 5))
            command(soak, soak.roots[1], "rollback", to, kill_after=kill_after, fine="is kept no longer")


def ask_by_command(soak: Soak, draw: random.Random) -> None:
    """A reader on the command line."""
    line = [str(Path(sys.executable).with_name("backbone")), "--project", str(soak.roots[1]), "--format", "json"]
    while not soak.over:
        began = time.monotonic()
        done = subprocess.run([*line, "sql", QUESTION], capture_output=True, text=True, check=False, timeout=600)
        soak.slowest = max(soak.slowest, time.monotonic() - began)
        if done.returncode == 0:
            soak.done["answers to a command"] += 1
            if any(set(row.values()) != {0} for row in json.loads(done.stdout)):
                soak.complain(f"a command read datasets that don't fit: {done.stdout}")
        elif "yet" not in done.stderr and "no dataset" not in done.stderr:
            soak.complain(f"a reading command failed: {done.stderr[-2000:]}")
        soak.rest(draw.uniform(0, 3))


def ask_by_python(root: Path, seconds: float, seed: int, told: Any) -> None:
    """A reader in a process of its own, that at times asks earlier snapshots, or holds one for a while."""
    draw, until = random.Random(seed), time.monotonic() + seconds
    answers = 0
    try:
        while time.monotonic() < until:
            answers += _ask(root, draw, until)
    except BaseException:  # noqa: BLE001 - whatever it is, the soak tells it
        told.put(traceback.format_exc())
    else:
        told.put(answers)


def _ask(root: Path, draw: random.Random, until: float) -> int:
    known = last_snapshot(_site(root))
    back = draw.choice([None, None, draw.randrange(1, 8)])
    as_of = None if back is None or known is None else max(known[1] - back, 1)
    try:
        result = backbone.open(root).sql(QUESTION, as_of=as_of)
        (first,) = result.rows()
    except UsageError as error:
        if any(words in str(error) for words in ("kept no longer", "no dataset", "yet", "no snapshot")):
            time.sleep(0.2)
            return 0
        raise
    if set(first) != {0}:
        message = f"snapshot {as_of} doesn't fit: {first}"
        raise AssertionError(message)
    for _ in range(draw.choice([0, 0, 4])):
        time.sleep(min(draw.uniform(0.5, 6), max(0.0, until - time.monotonic())))
        assert result.rows() == [first]
    backbone.open(root).status()
    return 1


@contextmanager
def _guarded(soak: Soak) -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 - an actor that fails is told, not lost
        soak.complain(traceback.format_exc())


def act(soak: Soak, what: Callable[..., None], number: int, *more: Any) -> threading.Thread:
    """Start an actor, with its own draws."""

    def live() -> None:
        with _guarded(soak):
            what(soak, random.Random(soak.seed * 1000 + number), *more)

    thread = threading.Thread(target=live, name=f"{what.__name__} {number}")
    thread.start()
    return thread


def soak_for(
    folder: Path, minutes: float, seed: int, readers: int = 3, url: str | None = None
) -> tuple[Soak, list[str]]:
    """Let all of it happen at once, bring it to rest, and say what is wrong then."""
    soak = Soak(make(folder, url), time.monotonic() + minutes * 60, seed, shared=url is not None)
    draw = random.Random(seed)
    for kind in ("orders", "visits"):
        deliver(soak, draw, soak.roots[0] / "data", kind)
    command(soak, soak.roots[0], "run")
    told = _CONTEXT.Queue()
    processes = [
        _CONTEXT.Process(target=ask_by_python, args=(soak.roots[n % 2], minutes * 60, seed * 100 + n, told))
        for n in range(readers)
    ]
    for process in processes:
        process.start()
    actors = [act(soak, run, 1, soak.roots[0]), act(soak, run, 2, soak.roots[1])]
    actors += [act(soak, what, 3 + n) for n, what in enumerate((arrive, add, maintain, go_back, ask_by_command))]
    for actor in actors:
        actor.join()
    for _ in processes:
        answer = told.get(timeout=900)
        if isinstance(answer, int):
            soak.done["answers to Python"] += answer
        else:
            soak.complain(answer)
    for process in processes:
        process.join()
    return soak, soak.wrong + at_rest(soak)


def at_rest(soak: Soak) -> list[str]:
    """What is wrong once all has been brought to rest: each checkout runs once more, and then once more."""
    for root in (*soak.roots, *soak.roots):
        command(soak, root, "run")
    here = backbone.open(soak.roots[0])
    wrong = [f"doctor: {check.name}: {check.detail}" for check in here.doctor() if not check.ok]
    wrong += [f"left behind: {path}" for path in _left_behind(soak)]
    landed = Counter((file.source, file.path.read_text()) for file in here.environment.landing.registry.files())
    wrong += [f"landed {landed[key]} times, not {soak.delivered[key]}: {key[0]} {key[1][:60]}"
              for key in {*landed, *soak.delivered} if landed[key] != soak.delivered[key]]  # fmt: skip
    command(soak, soak.roots[0], "--env", "prod", "run")  # a fresh rebuild from the same landed files
    rebuilt = backbone.open(soak.roots[0], env="prod")
    wrong += [name for name in DATASETS if _rows(here, name) != _rows(rebuilt, name)]
    governed = {"quarantine": "dataset, file, record, rule, reason, raw", "merged_away": "dataset, file, record, rule"}
    for table, columns in governed.items():
        query = f"SELECT {columns} FROM lake.governance.{table}"
        if _answer(here, query) != _answer(rebuilt, query):
            wrong.append(f"governance.{table} isn't that of a fresh rebuild")
    return wrong


def _site(root: Path) -> Site:
    return backbone.open(root).environment.site


def _rows(workspace: backbone.Workspace, dataset: str) -> "Counter[str]":
    site = workspace.environment.site
    known = last_snapshot(site)
    columns = sorted(name for name, _ in datasets_at(site, known[1] if known else 0)[dataset])
    return _answer(workspace, f"SELECT {', '.join(columns)} FROM lake.{dataset}")


def _answer(workspace: backbone.Workspace, query: str) -> "Counter[str]":
    with open_for_reading(workspace.environment) as reading:
        return Counter(str(row) for row in reading.lake.records(query))


def _left_behind(soak: Soak) -> list[str]:
    lake = soak.roots[0].parent / "storage" / "dev"
    known, tables = registered_files(_site(soak.roots[0])), lake / "tables"
    found = [p for p in tables.rglob("*") if p.is_file() and str(p.relative_to(tables)) not in known]
    if soak.shared:  # what the lake itself wrote for a transaction that died is removed after a day
        found = [p for p in found if not p.name.startswith("ducklake-")]
    found += [p for folder in ("runs", "scratch") for p in (lake / folder).rglob("*") if p.is_file()]
    found += list((lake / "readers").glob(f"{os.getpid()}-*.json"))
    return [str(path) for path in found]


def main() -> None:
    """Soak, and say what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="the catalogue in a PostgreSQL server of its own")
    parser.add_argument("--folder", type=Path, help="where; it is kept then")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch, ExitStack() as servers:
        folder = arguments.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        url = servers.enter_context(postgres_server()).url() if arguments.postgres else None
        soak, wrong = soak_for(folder, arguments.minutes, arguments.seed, url=url)
        lake, site = folder / "storage" / "dev", _site(soak.roots[0])
        size = sum(path.stat().st_size for path in lake.rglob("*") if path.is_file())
        known = last_snapshot(site)
        _say(f"seed {soak.seed}: {arguments.minutes:g} minutes")
        for what, times in sorted(soak.done.items()):
            _say(f"  {times:6,} {what}")
        _say(f"  {sum(soak.delivered.values()):6,} files delivered and landed")
        _say(f"  snapshot {known[1] if known else 0}, {len(snapshots(site))} kept; "
              f"lake {size / 1e6:,.1f} MB in {sum(1 for _ in lake.rglob('*.parquet')):,} files; "
              f"slowest reading command {soak.slowest:.1f} s")  # fmt: skip
    _say("\n".join(wrong) or "consistent: doctor clean, ledgers balance, datasets equal a fresh rebuild from landing")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
