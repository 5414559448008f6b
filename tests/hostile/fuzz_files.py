"""Fuzzing files: `python tests/hostile/fuzz_files.py MINUTES [SEED]`, or `make fuzz`.

Polluted files are cut, glued, repeated and sprinkled with bytes, and looked at as `peek` does. Each is read or refused
by a UsageError, in seconds; read leniently, no letter or digit is lost. What breaks that is a finding: it is printed
with the seed that makes it again, and kept in tests/hostile/test_findings.py once it is mended.
"""

import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from fuzz import StuckError, limited
from pollution import files

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.delimited.exact import exact_rows
from backbone.formats.delimited.header import csv_headers
from backbone.formats.detection import detect_template
from backbone.formats.encoding import transcoded
from backbone.formats.peek import peek_file
from backbone.model.files import Template

SLOWEST_SECONDS = 30
_BITS = [
    b",",
    b";",
    b"\t",
    b"|",
    b'"',
    b"'",
    b"\\",
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b'""',
    b'","',
    b" ",
    b"\xff",
    b"\xe9",
    b"\xc3",
]


def _sprinkle(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 12)):
        at = chance.randint(0, len(data))
        data = data[:at] + chance.choice(_BITS) * chance.choice([1, 1, 1, 2, 50]) + data[at:]
    return data


def _cut(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.randint(0, 200) :]


def _glue(data: bytes, chance: random.Random) -> bytes:
    return data + chance.choice([b"", b"\n", b"\n\n"]) + chance.choice(_CLEAN)


def _repeat(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at : at + chance.randint(1, 300)] * chance.randint(2, 40) + data[at:]


def _long(data: bytes, chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice([b"x" * 100, b"1", b" ", b"a,"]) * chance.randint(100, 1_000) + data[at:]


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (_sprinkle, _sprinkle, _cut, _glue, _repeat, _long)
_CLEAN = [one.data for one in islice(files(0), None, None, 40)]


def mutated(number: str) -> bytes:
    """The file of a number."""
    chance = random.Random(number)
    data = chance.choice([one.data for one in islice(files(chance.randint(0, 5)), chance.randint(0, 20), None, 20)])
    for _ in range(chance.randint(1, 3)):
        data = chance.choice(_WAYS)(data, chance)
    return data


def try_file(data: bytes, session: Session, folder: Path) -> str:
    """What is wrong with how a file is read; nothing if all is well."""
    path = folder / "odd.csv"
    path.write_bytes(data)

    def look() -> str:
        template = detect_template(path)
        peek_file(path, session, scratch=folder / "scratch", template=template)
        return _lost(path, replace(template, lenient=True), folder) if template.format == "csv" else ""

    try:
        return str(limited(SLOWEST_SECONDS, look))
    except UsageError:
        return ""
    except StuckError:
        return f"took more than {SLOWEST_SECONDS} s"
    except Exception:  # noqa: BLE001 - that is what is looked for
        return traceback.format_exc(limit=-4)


def _lost(path: Path, template: Template, folder: Path) -> str:
    """Letters and digits of the records that are nowhere in the mended rows, or were not in the file."""
    if template.footer_rows or template.encoding != "utf-8":
        return ""
    file = transcoded(path, template.encoding, folder / "scratch")
    headers = csv_headers(file, template)
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        text = "".join(islice(lines, template.preamble_rows, None))
    names = "".join(headers) if template.header_rows else ""
    rows = "".join(cell for row in exact_rows(file, template, len(headers)) for cell in row)
    if template.header_rows > 1 or not text.isascii():
        return ""
    wanted, found = Counter(filter(str.isalnum, text)), Counter(filter(str.isalnum, names + rows))
    return f"lost {wanted - found}, made {found - wanted}, {template}" if wanted != found else ""


def main() -> int:
    """Try files for some minutes."""
    minutes, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print(f"seed {seed}", flush=True)
    ends, number, found = time.monotonic() + minutes * 60, 0, 0
    with tempfile.TemporaryDirectory(prefix="backbone-fuzz-") as folder, DuckDBEngine().session() as session:
        while time.monotonic() < ends:
            if wrong := try_file(mutated(f"{seed}-{number}"), session, Path(folder)):
                found += 1
                print(f"FILE {seed}-{number}\n{wrong}", flush=True)
            number += 1
    print(f"{number:,} files, {found} findings")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
