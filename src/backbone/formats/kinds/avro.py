"""Avro's files. The records go over by thousands, with the types of their schema."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.errors import UsageError, shown_value
from backbone.formats.kinds.kind import About, Kind, needed
from backbone.formats.kinds.plain import as_parquet
from backbone.formats.kinds.tables import write_batches
from backbone.model.files import Template

_ROWS = 10_000
_MAGIC = b"Obj\x01"


def _detect(path: Path, head: bytes, _part: str | None) -> Template | None:
    if head.startswith(_MAGIC):
        return Template(format="avro")
    if path.suffix.lower() == ".avro":
        raise UsageError(f"{path.name} is no Avro file, whatever its name says: rename it as what it is")
    return None


def _convert(path: Path, _template: Template, _session: Session, target: Path) -> None:
    fastavro, pyarrow = needed("fastavro", "Avro", "avro"), needed("pyarrow", "Avro", "avro")
    try:
        with path.open("rb") as file:
            records = fastavro.reader(file)
            schema = _schema(records.writer_schema, path, pyarrow)
            write_batches(schema, _batches(records, schema, pyarrow), target)
    except (ValueError, EOFError, KeyError, IndexError, TypeError, OSError, pyarrow.ArrowException) as error:
        why = str(error) or type(error).__name__
        raise UsageError(f"{path.name} can't be read as Avro: {why}. Fetch it again") from error


def _batches(records: Iterator[dict[str, Any]], schema: Any, pyarrow: Any) -> Iterator[Any]:
    while some := list(islice(records, _ROWS)):
        yield pyarrow.RecordBatch.from_pylist(some, schema=schema)


def _schema(schema: Any, path: Path, pyarrow: Any) -> Any:
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise UsageError(f"{path.name} holds no records but {shown_value(schema)}, which are no table")
    return pyarrow.schema([pyarrow.field(f["name"], _type(f["type"], f["name"], pyarrow)) for f in schema["fields"]])


def _type(kind: Any, name: str, pyarrow: Any) -> Any:
    """Arrow's type for one of Avro's.

    Raises:
        UsageError: it is nested, or a choice of several.
    """
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        if len(kinds) > 1:
            raise UsageError(f"the values of {shown_value(name)!r} are of several types, which is not built yet")
        return _type(kinds[0], name, pyarrow) if kinds else pyarrow.string()
    plain = {
        "null": pyarrow.string(), "boolean": pyarrow.bool_(), "int": pyarrow.int32(), "long": pyarrow.int64(),
        "float": pyarrow.float32(), "double": pyarrow.float64(), "bytes": pyarrow.binary(), "string": pyarrow.string(),
        "enum": pyarrow.string(), "fixed": pyarrow.binary(),
    }  # fmt: skip
    if isinstance(kind, dict):
        logical = {
            "date": pyarrow.date32(), "time-millis": pyarrow.time64("us"), "time-micros": pyarrow.time64("us"),
            "timestamp-millis": pyarrow.timestamp("us", "UTC"), "timestamp-micros": pyarrow.timestamp("us", "UTC"),
            "local-timestamp-millis": pyarrow.timestamp("us"), "local-timestamp-micros": pyarrow.timestamp("us"),
        }  # fmt: skip
        word = kind.get("logicalType")
        if word == "decimal":
            return pyarrow.decimal128(kind["precision"], kind.get("scale", 0))
        if word == "uuid":
            raise UsageError(f"the values of {shown_value(name)!r} are of the type uuid, which is not built yet")
        if kind["type"] == "array":
            return pyarrow.list_(_type(kind["items"], name, pyarrow))
        return logical[word] if word in logical else _type(kind["type"], name, pyarrow)
    if kind not in plain:
        raise UsageError(f"nested data under {shown_value(name)!r} is not built yet: only scalars and lists of scalars")
    return plain[kind]


def _about(path: Path, _template: Template, _session: Session) -> About:
    with path.open("rb") as file:
        fields = needed("fastavro", "Avro", "avro").reader(file).writer_schema["fields"]
    return About(descriptions={one["name"]: one["doc"] for one in fields if one.get("doc")})


_READ, _SCAN = as_parquet(_convert)
KIND = Kind("avro", "Avro", _READ, _SCAN, _detect, (".avro",), extra="avro", about=_about)
