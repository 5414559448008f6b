"""Fuzzing, by the minute: `python tests/hostile/fuzz.py MINUTES [SEED]`, or `make fuzz MINUTES=10`.

Half of the time goes to the loader of projects (mutations of real projects, and random YAML), half to `sql` (queries
grown from a grammar, and mutations of known escapes). A project loads or is refused by a ProjectError whose every
problem names a file and a line. A query gives rows or a QueryError, within its time and memory, writes nothing, and
never shows what is in a file beside the lake. What breaks that is a finding: it is printed with the seed that makes it
again, and kept in tests/hostile/test_findings.py once it is mended.
"""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLOWEST = 20
MEMORY = "256MB"
MOST_BYTES = 8 << 30
AT_ONCE = 50
"""Queries on one connection: making one takes longer than most of them."""
CANARY = "canary-in-the-file"
NASTY = (
    "",
    "~",
    "null",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[[[[[[[[[[[[[[[[[",
    "{a: {b: {c: d}}}",
    "- - - -",
    "&a",
    "*a",
    "!!python/object:os.system",
    "!!binary",
    "%YAML 1.2",
    "---",
    "...",
    "<<",
    "? a",
    "|",
    ">-",
    "\t",
    "\0",
    "\x07",
    "\u2028",
    "\ufeff",
    "\ud7ff",
    "\U0001d54f",
    "é",
    "'",
    '"',
    "\\",
    "\\x",
    "\\ud800",
    "${HOME}",
    "${",
    "${}",
    "${NOPE}",
    "../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "http://localhost/x",
    "a" * 300,
    "9" * 30,
    "-1",
    "1e999",
    "0x1F",
    "nan",
    "inf",
    "007",
    "9999-99-99",
    "0000-00-00",
    "select",
    "order",
    "any",
    "all",
    "this",
    "_file",
    "trusted.orders",
    "trusted.nope",
    "SELECT 1; SELECT 2",
    "SELECT (",
    "((((((((",
    "SELECT * FROM a, b, c",
    "x IN (SELECT 1)",
    "count(*) > 1",
    "a -> b",
    "CASE WHEN",
    "--",
    "/*",
    "*/",
    "/*---",
    "---*/",
    "(?:",
    "(a+)+$",
    "[a-",
    "{set: x, to: y}",
    "else: quarantine",
    "tolerate: 200%",
    "decimal(99)",
    "text[][][]",
    "import os",
    "@view(",
    "lambda: 0",
    "f'{x}'",
    "async def f(): pass",
    "\n",
    "\n\n",
    "  ",
    "\r\n",
    "#",
    ": ",
    "- ",
    "? ",
    ",",
    "=",
    ";",
)
"""What mutations put in."""
FOLDERS = ("sources/", "trusted/", "exploitation/", "analysis/", "sources/a/")
FILES = ("x.yml", "x.sql", "x.py", "X Y.yml", "a__b.yml", "é.yml", ".yml", "orders.sql")
PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("- ", ""), ("not ", ""), ("case when ", ""), ("-", ""), ("a and ", "a"))
KEYS = ("name", "from", "columns", "rules", "key", "else", "where", "template", "set", "to", "expect", "versions")
NOTES = {"note", "findings"}


class StuckError(Exception):
    """It took longer than anything may."""


def limited(seconds: int, work: Callable[[], object]) -> object:
    """Do some work, but no longer than this, as the processor counts; ten times as long by the clock."""

    def stop(*_: object) -> None:
        raise StuckError(f"longer than {seconds} s")

    signal.signal(signal.SIGPROF, stop)
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(10 * seconds)
    try:
        return work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


# Projects
def projects() -> Iterator[dict[str, str]]:
    """Valid projects to begin with: the example, and a small one that uses what it doesn't."""
    example = ROOT / "examples/nycflights"
    yield {
        str(path.relative_to(example)): path.read_text(encoding="utf-8")
        for path in sorted(example.rglob("*"))
        if path.suffix in {".yml", ".sql", ".py"} and path.name != "deliver.py"
    }
    yield {
        "backbone.yml": "name: shop\nenvironments: [dev, prod]\nstorage: {catalogue: sqlite, data: lake}\n"
        "memory_limit: 512MB\ndefaults: {contract: freeze, clean: off}\n",
        "sources/orders.yml": "from: [data/orders-*.csv, '${HOME}/x.csv']\n"
        "template: {format: csv, encoding: utf-8, delimiter: ';', null_tokens: [NA, ~]}\nbad_values: 'null'\n"
        "columns:\n  id: integer\n  customer: {type: text, header: [Customer, Kunde]}\n  amount: decimal(2)\n"
        "  placed: {type: date, format: '%d.%m.%Y', contract: quarantine}\n  tags: text[]\n"
        "file_name: {pattern: 'orders-(\\d{4})\\.csv', into: {file_year: integer}}\ntags: [a, b]\n",
        "trusted/orders.yml": "versions: upsert\nkey: [id]\nnewest_by: placed\nrules:\n  - {trim: all}\n"
        "  - {in_range: amount, from: 0, to: 100.5, else: quarantine, tolerate: 20%}\n"
        "  - {one_of: customer, values: [A, NO, 007], else: 'null', where: amount > 3}\n"
        "  - expect: amount IS NULL OR placed IS NOT NULL\n    else: warn\n    because: so it is\n"
        "  - {unique: [id], keep: last, order: 'placed DESC', else: deduplicate}\n"
        "  - {set: amount, to: 0, where: amount < 0}\n  - {matches: customer, pattern: '[A-Z]+', else: fail}\n",
        "exploitation/big.sql": "/*---\nkey: customer\nmode: merge\n"
        "rules:\n  - {expect: total >= 0, else: fail}\n---*/\n"
        "SELECT customer, sum(amount) AS total FROM trusted.orders GROUP BY ALL\n",
        "glossary.yml": "customer:\n  means: Who pays.\n  columns: [trusted.orders.customer]\n"
        "  rules: [{not_null: this, else: warn}]\n",
    }


def mutated(files: dict[str, str], chance: random.Random) -> dict[str, str]:
    """A project with one to six changes."""
    changed = dict(files)
    for _ in range(chance.randint(1, 6)):
        path = chance.choice(sorted(changed))
        changed[path] = chance.choice(MUTATIONS)(changed[path], chance)
        if chance.random() < 0.03:
            changed[chance.choice(FOLDERS) + chance.choice(FILES)] = changed[path]
    return changed


def _insert(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + chance.choice(NASTY) + text[at:]


def _delete(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    return text[:at] + text[at + chance.randint(1, 20) :]


def _word(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    words[chance.randrange(len(words))] = chance.choice(NASTY)
    return " ".join(words)


def _lines(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    match chance.randrange(4):
        case 0:
            lines.insert(at, lines[chance.randrange(len(lines))])
        case 1:
            del lines[at]
        case 2:
            lines[at] = "  " * chance.randint(0, 30) + lines[at]
        case _:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def _many(text: str, chance: random.Random) -> str:
    return _insert(text, chance) if chance.random() < 0.9 else text * chance.randint(2, 5)


def _deep(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    opening, closing = chance.choice(
        ["()", "[]", "{}", ("- ", ""), ("not ", ""), ("case when ", ""), ("-", ""), ("a and ", "a")]
    )
    depth = chance.choice([5, 50, 500, 5000])
    return text[:at] + opening * depth + chance.choice(["1", "a", ""]) + closing * depth + text[at:]


def _tree(_: str, chance: random.Random) -> str:
    def node(depth: int) -> str:
        kind = chance.random()
        if depth > 4 or kind < 0.5:
            return chance.choice([*NASTY, "x", "1", "trusted.orders", "''"])
        some = [node(depth + 1) for _ in range(chance.randint(0, 4))]
        if kind < 0.75:
            return "[" + ", ".join(some) + "]"
        return "{" + ", ".join(f"{chance.choice(KEYS)}: {one}" for one in some) + "}"

    return "\n".join(
        f"{chance.choice(['name', 'columns', 'rules', 'key', 'template', 'from'])}: {node(0)}" for _ in range(3)
    )


MUTATIONS = (_insert, _insert, _delete, _word, _word, _lines, _lines, _many, _deep, _tree)


def write_project(root: Path, files: dict[str, str]) -> None:
    """Write a project's files, halves of characters too."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode("utf-8", "surrogatepass"))


def try_project(files: dict[str, str]) -> str:
    """What is wrong with how a project is loaded; nothing if it is well."""
    from backbone.errors import ProjectError
    from backbone.project.load import load_project

    with tempfile.TemporaryDirectory(prefix="backbone-fuzz-") as folder:
        root = Path(folder)
        write_project(root, files)
        try:
            limited(SLOWEST, lambda: load_project(root))
        except ProjectError as error:
            return "; ".join(
                f"no place: {p}" for p in error.problems if not (root / p.at.path).exists() or p.at.line < 1
            )
        except Exception:  # noqa: BLE001 - that is what is looked for
            return traceback.format_exc(limit=-8)
    return ""


# Queries
ATOMS = (
    "a",
    "x",
    "trusted.a",
    "exploitation.b",
    "governance.run",
    "lake.trusted.a",
    "'/etc/passwd'",
    "'canary.csv'",
    '"canary.csv"',
    "*",
    "1",
    "NULL",
    "'x'",
    "-1",
    "1e308",
    "9223372036854775807",
    "DATE '2024-01-01'",
    "[1, 2]",
    "{'a': 1}",
    "MAP {1: 2}",
    "interval 1 day",
    "x'00'",
    "$1",
    "?",
    "_file",
    "rowid",
    "current_date",
    "getenv('HOME')",
    "version()",
    "range(3)",
    "generate_series(1, 9)",
    "repeat('x', 1000000000)",
    "range(1000000000)",
    "random()",
    "read_text('canary.csv')",
    "read_csv('canary.csv')",
    "read_blob('*')",
    "glob('*')",
    "query('select 1')",
    "query_table('a')",
    "duckdb_settings()",
    "duckdb_secrets()",
    "duckdb_tables()",
    "duckdb_databases()",
    "pragma_database_list()",
    "sniff_csv('canary.csv')",
    "parquet_scan('canary.csv')",
    "sqlite_scan('x', 'y')",
    "ducklake_snapshots('lake')",
    "ducklake_list_files('lake', 'a')",
    "which_secret('x', 'y')",
    "current_setting('temp_directory')",
    "pragma_storage_info('a')",
)
FORMS = (
    "select {0} from {1}",
    "from {0}",
    "from {0} select {1}",
    "with c as ({q}) select * from c",
    "{q} union all {q}",
    "select * from ({q})",
    "select ({q})",
    "select {0} from {1} where {2}",
    "select {0} + {1}",
    "select {0}({1})",
    "with recursive r as (select 1 as n union all select n + 1 from r) select * from r",
    "select count(*) from {0}, {1}, {2}",
    "pivot {0} on {1} using count(*)",
    "summarize {0}",
    "describe {0}",
    "explain {q}",
    "explain analyze {q}",
    "show tables",
    "show all tables",
    "copy ({q}) to 'out.csv'",
    "create table t as {q}",
    "attach '{0}'",
    "set {0} = {1}",
    "pragma {0}",
    "call {0}",
    "install {0}",
    "load {0}",
    "export database 'x'",
    "select * from {0} natural join {1}",
    "select columns('{0}') from {1}",
    "select * exclude ({0}) from {1}",
    "values ({0}), ({1})",
    "select list({0} order by {1}) from {2}",
    "select {0} over (partition by {1}) from {2}",
    "from {0} asof join {1} on {2}",
    "select unnest({0})",
    "prepare p as {q}",
    "execute p",
    "{q}; {q}",
    "select {0}::{1}",
    "/* {0} */ {q}",
    "select * from {0} at (version => {1})",
    "select * from {0} using sample 10%",
    "from {0} positional join {1}",
    "select x'{0}'",
    'select {0} as "{1}" from {2}',
    "select [y for y in {0}]",
)


def grown(chance: random.Random, depth: int = 0) -> str:
    """A query from the grammar."""
    form = chance.choice(FORMS) if depth < 3 else "select {0} from {1}"
    parts = [chance.choice(ATOMS) for _ in range(3)]
    for place in range(3):
        form = form.replace("{" + str(place) + "}", parts[place])
    while "{q}" in form:
        form = form.replace("{q}", grown(chance, depth + 1), 1)
    return form


def queries(chance: random.Random) -> Iterator[str]:
    """Queries without end: grown, and then mutated half of the time."""
    while True:
        query = grown(chance)
        if chance.random() < 0.3:
            query = chance.choice([_insert, _delete, _word, _deep])(query, chance)
        yield query


def _make_lake(folder: Path) -> None:
    from backbone.engine.duckdb.engine import DuckDBEngine
    from backbone.lake.site import Site
    from backbone.lake.store import Lake
    from backbone.model.relations import Attribute, Relation

    engine = DuckDBEngine()
    lake = Lake(engine.connection, Site(folder / "dev"))
    relation = Relation((Attribute("_file", "integer"), Attribute("x", "integer")))
    for dataset in ("trusted.a", "exploitation.b"):
        path = lake.site.folder / "tables" / dataset.replace(".", "/") / "r1-0.parquet"
        with engine.session() as session:
            session.write("SELECT 1 AS _file, range AS x FROM range(100)", path)
        with lake.transaction("r1") as transaction:
            transaction.replace(dataset, relation, [path])
    engine.close()


def _state(folder: Path) -> dict[str, str]:
    """What is in each file: their times change where a copy of the catalogue is used."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in NOTES)
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}


def fuzz_queries(folder: Path, seconds: float, seed: int) -> None:
    """In a process of its own, since a query may end it: each query is noted before it runs."""
    from backbone.errors import QueryError
    from backbone.lake.books import Lease
    from backbone.lake.catalogue import last_snapshot
    from backbone.lake.sealed import SealedLake, run_query
    from backbone.lake.site import Site
    from backbone.lineage.stars import hide_system_columns

    os.chdir(folder)
    Path("canary.csv").write_text(f"x\n{CANARY}\n")
    _make_lake(folder)
    last = (last_snapshot(Site(folder / "dev")) or ("", 0))[1]
    sealed = SealedLake(Site(folder / "dev"), Lease(last), memory_limit=MEMORY)
    sealed.run("from a", lambda cursor: cursor.fetchall())
    before, connection = _state(folder), sealed._connection("", system=False)
    chance, ends, done = random.Random(seed), time.monotonic() + seconds, 0
    for query in queries(chance):
        if time.monotonic() > ends:
            break
        Path("note").write_text(query, encoding="utf-8", errors="replace")
        started = time.monotonic()
        try:
            narrowed = hide_system_columns(query) if "_" in query else query
            if not done % AT_ONCE:
                connection.close()
                connection = sealed._connection("", system=False)
            rows = run_query(connection, narrowed, lambda c: c.fetchmany(1000), memory_limit=MEMORY, timeout_seconds=2)
            assert CANARY not in str(rows), "it shows what is in a file"
        except QueryError as error:
            wrong = "it shows a file in an error" if CANARY in str(error) else ""
        except Exception:  # noqa: BLE001 - that is what is looked for
            wrong = traceback.format_exc(limit=-8)
        else:
            wrong = ""
        if time.monotonic() - started > SLOWEST:
            wrong = wrong or f"it took {time.monotonic() - started:.0f} s"
        done += 1
        if wrong or done % 100 == 0:
            wrong = wrong or ("files were changed" if _state(folder) != before else "")
        if wrong:
            with Path("findings").open("a", encoding="utf-8", errors="replace") as findings:
                findings.write(f"QUERY {query!r}\n{wrong}\n\n")
    print(f"{done:,} queries", flush=True)


def main() -> int:
    minutes, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print(f"seed {seed}", flush=True)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, hard))  # a finding ends its process, not the machine
    found = 0
    folder = Path(tempfile.mkdtemp(prefix="backbone-fuzz-"))
    ends, number, started = time.monotonic() + minutes * 30, 0, list(projects())
    os.environ.setdefault("HOME", "/root")
    while time.monotonic() < ends:
        chance = random.Random(f"{seed}-{number}")
        files = mutated(chance.choice(started), chance)
        if wrong := try_project(files):
            found += 1
            print(f"PROJECT {seed}-{number}\n{wrong}", flush=True)
        number += 1
    print(f"{number:,} projects", flush=True)
    ends = time.monotonic() + minutes * 30
    while (left := ends - time.monotonic()) > 1:
        seed += 1
        shutil.rmtree(folder)
        folder.mkdir()
        script = [sys.executable, __file__, "--queries", str(folder), str(left), str(seed)]
        child = subprocess.run(script, check=False, stdout=subprocess.PIPE, text=True)
        print(child.stdout, end="", flush=True)
        if child.returncode:
            found += 1
            print(f"QUERY ended the process ({child.returncode}): {(folder / 'note').read_text()!r}", flush=True)
        if (folder / "findings").exists():
            text = (folder / "findings").read_text()
            found += text.count("QUERY ")
            print(text, flush=True)
    shutil.rmtree(folder)
    print(f"{found} findings")
    return int(found > 0)


if __name__ == "__main__":
    if sys.argv[1] == "--queries":
        fuzz_queries(Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
    else:
        sys.exit(main())
