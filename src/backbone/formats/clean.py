"""A file's exact texts as plain CSV, for every other program: UTF-8, commas, one header."""

import csv
import io
import shutil
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.formats.records import Records, field_name
from backbone.model.names import path_literal


def write_clean(records: Records, target: Path, session: Session) -> None:
    """Write the records that can be read, in their order, with the file's own headers; without any, an empty file."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            if records.headers:
                file.write(_header(records.headers))
                body = target.with_name(f"{target.name}.records")
                try:
                    session.execute(f"COPY ({_texts(records)}) TO {path_literal(body)} (FORMAT csv, HEADER false)")
                    with body.open("rb") as rows:
                        shutil.copyfileobj(rows, file, 1 << 20)
                finally:
                    body.unlink(missing_ok=True)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _texts(records: Records) -> str:
    fields = ", ".join(
        f"to_json({field_name(i)})" if i in records.lists else field_name(i) for i in range(len(records.headers))
    )
    return f"SELECT {fields} FROM {records.table} ORDER BY _record"


def _header(headers: tuple[str, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(headers)
    return line.getvalue().encode("utf-8", errors="replace")
