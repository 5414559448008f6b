"""Objects: images, sound, video and documents. Each file is a record of what is cheap to tell; bytes stay there."""

import hashlib
import logging
import mimetypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from backbone.engine.protocol import Session
from backbone.formats.grids import write_csv
from backbone.formats.kinds.kind import Kind, needed
from backbone.formats.kinds.plain import as_csv
from backbone.model.files import Template

_FIELDS = (
    "uri", "sha256", "media_type", "size", "width", "height", "duration", "pages", "taken_at", "latitude", "longitude"
)  # fmt: skip
_MAGICS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
    b"%PDF-": "application/pdf",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"fLaC": "audio/flac",
    b"OggS": "audio/ogg",
    b"\x1aE\xdf\xa3": "video/x-matroska",
}
_BRANDS = {b"M4A ": "audio/mp4", b"heic": "image/heic", b"avif": "image/avif", b"qt  ": "video/quicktime"}
_RIFFS = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}
_PLACE, _TAKEN, _TAKEN_ORIGINAL, _DETAILS = 0x8825, 0x0132, 0x9003, 0x8769
"""Tags of EXIF: the place, the times, and where the more exact one is."""


def _detect(_path: Path, head: bytes, _part: str | None) -> Template | None:
    return Template(format="object") if _known(head) else None


def _known(head: bytes) -> str | None:
    """The media type that a file's first bytes say."""
    if head[:4] == b"RIFF":
        return _RIFFS.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    return next((media for magic, media in _MAGICS.items() if head.startswith(magic)), None)


def _convert(path: Path, _template: Template, _session: Session, target: Path) -> None:
    with path.open("rb") as file:
        media = _known(file.read(64)) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    found = {"uri": _uri(path), "sha256": digest, "media_type": media, "size": str(path.stat().st_size)}
    kind = media.partition("/")[0]
    tell: Callable[[Path], dict[str, str]] | None = (
        _image if kind == "image" else _sound if kind in {"audio", "video"} else _document if "pdf" in media else None
    )
    if tell:
        found |= tell(path)
    write_csv(_FIELDS, [[found.get(name) for name in _FIELDS]], target)


def _uri(path: Path) -> str:
    """Where the bytes are: the name in landing, which stays when a project is moved."""
    parts = path.parts
    if "persistent" in parts:
        last = len(parts) - 1 - parts[::-1].index("persistent")
        return "/".join(("landing", *parts[last:]))
    return path.name


@contextmanager
def _as_far_as_possible() -> Iterator[None]:
    """Nothing is told of a damaged file but its checksum: libraries fail in any way on such."""
    try:
        yield
    except Exception as error:
        if isinstance(error, ImportError):
            raise


def _image(path: Path) -> dict[str, str]:
    image = needed("PIL.Image", "images", "objects")
    found: dict[str, str] = {}
    with _as_far_as_possible(), image.open(path) as picture:
        found |= {"width": str(picture.width), "height": str(picture.height)}
        exif = picture.getexif()
        taken = exif.get_ifd(_DETAILS).get(_TAKEN_ORIGINAL) or exif.get(_TAKEN)
        if taken:
            found["taken_at"] = datetime.strptime(str(taken), "%Y:%m:%d %H:%M:%S").isoformat(" ")  # noqa: DTZ007 - EXIF has none
        place = exif.get_ifd(_PLACE)
        if {1, 2, 3, 4} <= place.keys():
            found |= {"latitude": _degrees(place[2], place[1]), "longitude": _degrees(place[4], place[3])}
    return found


def _degrees(parts: Any, side: str) -> str:
    """Degrees, minutes and seconds as degrees; south and west are below zero."""
    degrees, minutes, seconds = (float(part) for part in parts)
    return str(round((degrees + minutes / 60 + seconds / 3600) * (-1 if side in {"S", "W"} else 1), 7))


def _sound(path: Path) -> dict[str, str]:
    mutagen = needed("mutagen", "sound and video", "objects")
    found: dict[str, str] = {}
    with _as_far_as_possible():
        file = mutagen.File(path)
        if file is not None and file.info is not None:
            found["duration"] = str(round(float(file.info.length), 3))
    return found


def _document(path: Path) -> dict[str, str]:
    pypdf = needed("pypdf", "PDF", "objects")
    found: dict[str, str] = {}
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it says on the terminal what it thinks of damaged files
    with _as_far_as_possible(), path.open("rb") as file:
        found["pages"] = str(len(pypdf.PdfReader(file).pages))
    return found


_READ, _SCAN = as_csv(_convert)
KIND = Kind(
    "object", "an object", _READ, _SCAN, _detect, endings=(".png", ".jpg", ".pdf", ".mp3"), extra="objects", whole=True
)
