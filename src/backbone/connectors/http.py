"""Files over HTTP: asked for only if they have changed, resumed where they were cut off, and never taken by halves."""

import http.client
import json
import random
import re
import ssl
import time
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from backbone import __version__
from backbone.connectors.fetching import Fetched, Note, Question
from backbone.connectors.secrets import concealed
from backbone.errors import OriginError
from backbone.troubles import size_of

ATTEMPTS = 5
"""How often in a row a server may give nothing."""
TIMEOUT_SECONDS = 30.0
PAUSE_SECONDS = 0.5
LONGEST_SECONDS = 60.0
"""A server that wants a longer pause is left until the next run."""
_CHUNK = 1 << 18
_TOLD_EVERY_SECONDS = 0.5
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_SUFFIXES = {
    "text/csv": ".csv", "application/json": ".json", "application/x-ndjson": ".ndjson", "application/zip": ".zip",
    "application/vnd.apache.parquet": ".parquet",
}  # fmt: skip
_LONGEST_NAME = 200


@dataclass(slots=True)
class _Progress:
    """How far a file has come: bytes, what marks the version that they are of, and the last answer's headers."""

    bytes: int = 0
    total: int | None = None
    validator: str = ""
    headers: Any = field(default_factory=dict)


class _CutOffError(Exception):
    """An answer that ended too early, or may be had later. `pause_seconds` is what the server asked for."""

    def __init__(self, why: str, pause_seconds: float | None = None) -> None:
        self.pause_seconds = pause_seconds
        super().__init__(why)


def fetch_url(question: Question, part: Path, note: Note) -> Fetched | None:
    """Write what is at a URL to a file; None if it is what has landed.

    Raises:
        OriginError: the server refuses, can't be reached, or gives up again and again.
    """
    known: dict[str, str] = json.loads(question.memory) if question.memory else {}
    progress, failures = _Progress(), 0
    with part.open("wb") as file:
        while True:
            begun = progress.bytes
            try:
                changed = _attempt(question, known, progress, file, note)
            except _CutOffError as error:
                failures = 1 if progress.bytes > begun else failures + 1
                _pause(question, error, failures)
                continue
            if not changed:
                return None
            break
    memory = {name: progress.headers[name] for name in ("ETag", "Last-Modified") if progress.headers.get(name)}
    return Fetched(_name(question, progress.headers), json.dumps(memory))


def _attempt(question: Question, known: dict[str, str], progress: _Progress, file: IO[bytes], note: Note) -> bool:
    """Ask once, and write what comes. False if nothing has changed."""
    request = _request(question, known, progress)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - http(s) only: `is_url`
            _begin(question, response, progress, file)
            _read(question, response, progress, file, note)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == HTTPStatus.NOT_MODIFIED and not progress.bytes:
                return False
            _refused(question, error, progress)
    except ssl.SSLCertVerificationError as error:
        raise OriginError(f"{question.told} can't be read: its certificate isn't trusted: {error.reason}") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            why = f"its certificate isn't trusted: {error.reason.verify_message}"
            raise OriginError(f"{question.told} can't be read: {why}") from None
        raise _CutOffError(concealed(str(error.reason))) from None
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _CutOffError(concealed(str(error) or type(error).__name__)) from None
    return True


def _request(question: Question, known: dict[str, str], progress: _Progress) -> urllib.request.Request:
    parts = urlsplit(question.filled)
    user, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urlunsplit((parts.scheme, host, parts.path or "/", parts.query, "")))  # noqa: S310 - http(s) only: `is_url`
    request.add_header("User-Agent", f"backbone/{__version__}")
    request.add_header("Accept-Encoding", "identity")
    if user:  # not sent on to where a server may redirect
        request.add_unredirected_header("Authorization", f"Basic {b64encode(unquote(user).encode()).decode()}")
    if progress.bytes and progress.validator:
        request.add_header("Range", f"bytes={progress.bytes}-")
        request.add_header("If-Range", progress.validator)
    elif known and not progress.bytes:
        for name, header in (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")):
            if name in known:
                request.add_header(header, known[name])
    return request


def _begin(question: Question, response: Any, progress: _Progress, file: IO[bytes]) -> None:
    """See what comes: the rest, or all from the beginning."""
    headers = response.headers
    if headers.get("Content-Encoding", "identity") != "identity":
        raise OriginError(f"{question.told} came as {headers['Content-Encoding']}, which was not asked for")
    length = headers.get("Content-Length", "")
    size = int(length) if length.isdecimal() else None
    if response.status == HTTPStatus.PARTIAL_CONTENT:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
        if found is None or int(found[1]) != progress.bytes:
            progress.validator = ""  # begin again
            raise _CutOffError("it answered with another part than it was asked for")
        if found[2] != "*":
            progress.total = int(found[2])
        return
    file.seek(0)
    file.truncate()
    etag = headers.get("ETag", "")
    progress.bytes, progress.total, progress.headers = 0, size, headers
    progress.validator = etag if etag and not etag.startswith("W/") else ""


def _read(question: Question, response: Any, progress: _Progress, file: IO[bytes], note: Note) -> None:
    told = time.monotonic()
    while chunk := response.read(_CHUNK):
        file.write(chunk)
        progress.bytes += len(chunk)
        if time.monotonic() - told > _TOLD_EVERY_SECONDS:
            told = time.monotonic()
            of = f" of {size_of(progress.total)}" if progress.total else ""
            note(f"{question.told}, {size_of(progress.bytes)}{of}")
    if progress.total is not None and progress.bytes != progress.total:
        if progress.bytes > progress.total:
            progress.validator = ""
        raise _CutOffError(f"it ended after {progress.bytes:,} of {progress.total:,} bytes")


def _refused(question: Question, error: urllib.error.HTTPError, progress: _Progress) -> None:
    """Raise what an answer means that isn't the file."""
    status = error.code
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and progress.bytes:
        progress.validator = ""  # it has become shorter: begin again
        raise _CutOffError("it has changed meanwhile")
    if status in _PASSING:
        raise _CutOffError(f"HTTP {status}", _wanted_pause(error.headers.get("Retry-After", "")))
    meant = {
        401: "it wants to know who asks. Write https://USER:${PASSWORD}@HOST/…, with PASSWORD in secrets.env",
        403: "it doesn't allow that: HTTP 403",
        404: "it isn't there: HTTP 404. Look at the address under `from`",
        410: "it is gone for good: HTTP 410. Look at the address under `from`",
    }
    raise OriginError(f"{question.told} can't be read: {meant.get(status, f'HTTP {status}')}") from None


def _wanted_pause(text: str) -> float | None:
    """The seconds that `Retry-After` asks for, as a number or a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _pause(question: Question, error: _CutOffError, failures: int) -> None:
    """Wait before the next attempt, longer each time.

    Raises:
        OriginError: there were enough of them, or the server wants to be left alone for long.
    """
    again = "Nothing is lost; once it answers: backbone run"
    wanted = error.pause_seconds
    if wanted is not None and wanted > LONGEST_SECONDS:
        raise OriginError(f"{question.told} can't be read: {error}, and to be asked again in {wanted:,.0f} s. {again}")
    if failures >= ATTEMPTS:
        raise OriginError(f"{question.told} can't be read: {error}, asked {failures} times. {again}") from None
    jitter = 0.5 + random.random() / 2  # noqa: S311 - no secret: so that not all ask again at once
    time.sleep(wanted if wanted is not None else min(LONGEST_SECONDS, PAUSE_SECONDS * 2 ** (failures - 1) * jitter))


def _name(question: Question, headers: Any) -> str:
    """What the file is called: as the server says, else as the address does."""
    given = headers.get_filename() or unquote(urlsplit(question.origin).path)
    name = "".join(c for c in PurePosixPath(given.replace("\\", "/")).name if c.isprintable()).lstrip(".~")
    name = concealed(name)[-_LONGEST_NAME:] or "download"
    return name if "." in name else name + _SUFFIXES.get(headers.get_content_type(), "")
