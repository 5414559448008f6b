"""What a file is: its format, and for text its encoding and dialect. Standard library only; no engine is started."""

from io import StringIO
from pathlib import Path

from backbone.errors import UsageError
from backbone.formats.delimited.detecting import detect_dialect
from backbone.formats.delimited.splitting import split_lines
from backbone.formats.delimited.structure import structure_of
from backbone.formats.encoding import detect_encoding, sample_text, tail_text
from backbone.formats.kinds import kinds
from backbone.formats.kinds.kind import HEAD_BYTES
from backbone.model.files import Template

SAMPLE_CHARACTERS = 256 << 10
TAIL_BYTES = 16 << 10
_REFUSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"(\xb5/\xfd": "zstandard",
    b"7z\xbc\xaf": "7z",
    b"PK\x03\x04": "a zip within a zip",
    b"PK\x05\x06": "a zip within a zip",
}
_JSON_NAMES = (".json", ".ndjson", ".jsonl")
_INSTEAD = "Save it as CSV, JSON or Parquet"
_HEAD_BYTES = 64 << 10
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\v\f\r\x1b"))
_FEW_CONTROLS = 8
_CONTROL_SHARE = 0.05


def detect_template(path: Path, part: str | None = None) -> Template:
    """The template of a file that is no archive; `part` names one of its tables, if it has several.

    Raises:
        UsageError: it is of a format that isn't built yet.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if found := next((found for one in kinds() if (found := one.detect(path, head, part))), None):
        return found
    refused = next((name for magic, name in _REFUSED.items() if head.startswith(magic)), None)
    if refused or head[257:262] == b"ustar":
        msg = f"{path.name} is {refused or 'a tar archive'}; reading that is not built yet. {_INSTEAD}"
        raise UsageError(msg)
    if path.suffix.lower() == ".parquet":
        raise UsageError(f"{path.name} is no Parquet file, whatever its name says: rename it as what it is")
    encoding = detect_encoding(path)
    if _is_binary(path, encoding):
        raise UsageError(
            f"{path.name} is no text, but full of control characters, and of no format that Backbone knows. {_INSTEAD}"
        )
    text, complete = sample_text(path, encoding, SAMPLE_CHARACTERS)
    if form := json_form(text):
        return Template(format=form, encoding=encoding)
    if path.suffix.lower() in _JSON_NAMES:
        raise UsageError(f"{path.name} is no table in JSON. Expected: an array of objects, or objects one by one")
    return delimited_template(text, "" if complete else tail_text(path, encoding, TAIL_BYTES), encoding)


def delimited_template(text: str, tail: str, encoding: str = "utf-8") -> Template:
    """The template of delimited text, from its beginning and, where that isn't all, its end."""
    lines = list(StringIO(text.removeprefix("\ufeff"), newline=""))
    found = detect_dialect(lines)
    dialect, rows = found.dialect, list(split_lines(lines, found.dialect))
    structure = structure_of(rows, found.width, list(split_lines(StringIO(tail, newline=""), dialect)))
    return Template(
        encoding=encoding,
        delimiter=dialect.delimiter,
        quotechar=dialect.quotechar,
        escapechar=dialect.escapechar,
        header_rows=structure.header_rows,
        preamble_rows=structure.preamble_lines,
        footer_rows=structure.footer_rows,
    )


def _is_binary(path: Path, encoding: str) -> bool:
    """Whether a file's first bytes have more control characters than text has; a few may be in any."""
    if encoding.startswith(("utf-16", "utf-32")):
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    controls = len(head) - len(head.translate(None, _CONTROLS))
    return controls > max(_FEW_CONTROLS, _CONTROL_SHARE * len(head))


def json_form(text: str) -> str | None:
    """`json` for an array or objects over several lines, `ndjson` for one object per line, None for other text."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("["):
        return "json" if start[1:].lstrip()[:1] in {"{", "]"} else None
    if not start.startswith("{"):
        return None
    lines = [line.strip() for line in start.splitlines() if line.strip()]
    whole = sum(1 for line in lines if line.startswith("{") and line.endswith("}"))
    return "ndjson" if whole * 2 > len(lines) else "json"
