"""Landed files in which everything occurs that the formatted zone knows, staged wherever a test says."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.engine.protocol import Each, one_by_one
from backbone.errors import DatasetError
from backbone.model.files import Column, FileNamePattern, Inside, LandedFile, Template
from backbone.model.project import Source
from backbone.model.steps import Format, Staging, Step
from backbone.zones.formatted import stage_formatted

_BIG = 300 << 10
"""More than a small file: it is read by itself."""


def _csv(rows: int, *, first: int = 0, note: Callable[[int], str] = lambda i: f"n{i}") -> str:
    lines = (f"{i},{i}.25,2024-01-{1 + i % 28:02d},{note(i)}" for i in range(first, first + rows))
    return "id,amount,day,note\n" + "".join(f"{line}\n" for line in lines)


def _quoted(i: int) -> str:
    return f'"two\nlines, ""{i}"""' if i % 7 == 0 else f"n{i}"


_DECLARED = (Column("id", "integer"), Column("amount", "decimal(2)"), Column("day", "date"), Column("note", "text"))
_LARGE = _BIG // 20

CASES: dict[str, tuple[Source, tuple[bytes, ...]]] = {}
"""A source and the contents of its landed files, by what is special about them."""


def _case(name: str, source: Source, *texts: str | bytes) -> None:
    CASES[name] = (source, tuple(t.encode() if isinstance(t, str) else t for t in texts))


_case(
    "quoted newlines", Source("s", columns=_DECLARED), *(_csv(_LARGE, first=i * _LARGE, note=_quoted) for i in range(3))
)
_case("small ones together", Source("s", columns=_DECLARED), *(_csv(5, first=i * 5) for i in range(120)))
_case(
    "bad values and records",
    Source("s", columns=_DECLARED),
    _csv(_LARGE) + "x,1,2024-01-01,a\n7,b\n8,2.5,2024-13-01,c\n",
    _csv(_LARGE, first=10**6) + '9,1.0,2024-01-01,"open\n',
    _csv(3),
)
_case(
    "bad values become null",
    Source("s", columns=_DECLARED, bad_values="null"),
    _csv(_LARGE) + "x,1,2024-01-01,a\n",
    _csv(_LARGE) + "8,?,2024-02-30,c\n",
)
_case("inferred", Source("s"), _csv(_LARGE), _csv(_LARGE, first=_LARGE))
_case(
    "a wider column, in the third",
    Source("s", columns=_DECLARED),
    _csv(_LARGE),
    _csv(_LARGE, first=9),
    _csv(_LARGE).replace("\n1", "\nA"),
    _csv(_LARGE, first=10**7),
)
_case(
    "twice wider",
    Source("s", columns=(Column("id", "integer"), Column("v", "integer"))),
    "id,v\n" + "".join(f"{i},{i}\n" for i in range(_LARGE * 2)),
    "id,v\n" + "".join(f"{i},{i}.5\n" for i in range(_LARGE * 2)),
    "id,v\n" + "".join(f"{i},v{i}\n" for i in range(_LARGE * 2)),
)
_case(
    "new columns, one after the other",
    Source("s", columns=_DECLARED[:2]),
    "id,amount\n" + "".join(f"{i},{i}.5\n" for i in range(_LARGE * 2)),
    _csv(_LARGE),
    "id,amount,more\n" + "".join(f"{i},{i}.5,{i % 3}\n" for i in range(_LARGE * 2)),
    _csv(_LARGE, first=77),
    "note,more,id,amount\n" + "".join(f"m,x{i},{i},{i}.5\n" for i in range(_LARGE * 2)),
    "id,amount\n" + "".join(f"{i},{i}.5\n" for i in range(_LARGE * 2)),
)
_case(
    "a stranger that later columns know",
    Source("s", columns=_DECLARED[:2]),
    "id,amount\n" + "".join(f"{i},{i}.5\n" for i in range(_LARGE * 2)),
    "id,amount,more\n" + "".join(f"{i},{i}.5,{i % 3}\n" for i in range(_LARGE * 2)),
    "more\n" + "".join(f"{i % 7}\n" for i in range(_LARGE * 8)),
    "else\n" + "".join(f"{i % 7}\n" for i in range(_LARGE * 8)),
)
_case(
    "set aside by contract",
    Source("s", columns=_DECLARED, contract="quarantine"),
    _csv(_LARGE),
    "id,amount,day,note,new\n" + "".join(f"{i},1.5,2024-01-01,a,b\n" for i in range(_LARGE)),
    _csv(_LARGE, first=3),
)
_case(
    "frozen",
    Source("s", columns=_DECLARED, contract="freeze"),
    _csv(_LARGE),
    "id,amount,day\n" + "".join(f"{i},1.5,2024-01-01\n" for i in range(_LARGE)),
    "id,amount\n" + "".join(f"{i},1.5\n" for i in range(_LARGE * 3)),
)
_case(
    "columns from the name, and another encoding",
    Source(
        "s",
        template=Template(encoding="latin-1", delimiter=";"),
        columns=_DECLARED,
        file_name=FileNamePattern(r"f(\d+)\.csv", (Column("part", "integer"),)),
    ),
    *(_csv(_LARGE, first=i * _LARGE, note=lambda i: f"é{i}").replace(",", ";").encode("latin-1") for i in range(3)),
)
_case(
    "lines of JSON",
    Source("s", template=Template(format="ndjson")),
    "".join(json.dumps({"id": i, "tags": ["a", str(i)], "day": "2024-01-01"}) + "\n" for i in range(_LARGE)),
    "".join(json.dumps({"id": i, "tags": [], "day": "?" if i == 5 else "2024-01-02"}) + "\n" for i in range(_LARGE)),
    "".join(json.dumps({"id": i, "new": True}) + "\n" for i in range(_LARGE * 2)) + "no json\n",
)
_ITEMS = (Inside("items"),)
_case(
    "lists in records",
    Source(
        "s",
        template=Template(format="ndjson", children=_ITEMS),
        children=(
            Source("s__items", template=Template(format="ndjson", children=_ITEMS, inside=("items",)), parent="s"),
        ),
    ),
    '{"id": 1, "at": {"x": 0.10}, "items": [{"n": 1}, {"n": 2}]}\n{"id": \n' * _BIG,
    '{"id": 2, "items": [{"n": "many"}, 7]}\n{"id": 3, "id": 4, "items": []}\n' * _BIG,
)
_case("no files", Source("s", columns=_DECLARED))
_case(
    "one can't be read",
    Source("s", template=Template(format="json")),
    '{"a": 1}\n' * _BIG,
    '{"a": 1}\n' * _BIG + '{"a": ',
)


@dataclass(frozen=True, slots=True)
class Found:
    """All that comes of staging files, but for their names: rows, what was set aside, the books, what is left."""

    rows: tuple[str, ...]
    aside: tuple[str, ...]
    told: tuple[Any, ...]
    left: tuple[str, ...]


def staged(root: Path, source: Source, texts: Sequence[bytes], each: Each = one_by_one) -> Found | str:
    """Stage files in a folder; what comes of it, or why it failed."""
    numbers = count(1)
    files = []
    for number, text in enumerate(texts, 1):
        path = root / "landed" / str(number) / f"f{number}.csv"
        path.parent.mkdir(parents=True)
        path.write_bytes(text)
        arrived = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        files.append(LandedFile(number, "s", path.name, path, "", len(text), "", arrived))

    def new_file(dataset: str) -> Path:
        path = root / "tables" / f"{dataset}-{next(numbers)}.parquet"
        path.parent.mkdir(exist_ok=True)
        return path

    outputs = tuple(f"formatted.{one.name}" for one in source.relations)
    step = Step(outputs, (), Format(source), {}, increments=True)
    staging = Staging(
        step, "full", "r1", root, new_file, 0, {}, {}, tuple(files), tuple(files), scratch=root / "scratch"
    )  # fmt: skip
    engine = DuckDBEngine()
    try:
        with engine.session() as session:
            made = stage_formatted(staging, session, each)
            paths = {path for one in made for path in (*one.added, *one.quarantined)}
            left = [p for p in root.rglob("*") if p.is_file() and p not in paths and root / "landed" not in p.parents]
            rows = tuple(row for one in made for row in _rows(session, one.added, "_file, _record"))
            aside = tuple(row for one in made for row in _rows(session, one.quarantined, "file, record, rule"))
            facts = [(one.relation, one.replaces, one.ledger, one.delta, one.findings, one.rows) for one in made]
            return Found(rows, aside, (facts, "; ".join(one.note for one in made if one.note)), tuple(map(str, left)))
    except DatasetError as error:
        assert not list((root / "tables").glob("*"))
        return str(error)
    finally:
        engine.close()


def _rows(session: Any, paths: Sequence[Path], order: str) -> tuple[str, ...]:
    if not paths:
        return ()
    listed = ", ".join(f"'{path}'" for path in paths)
    rows = session.rows(f"FROM read_parquet([{listed}], union_by_name => true) ORDER BY {order}")
    return tuple(map(str, rows))
