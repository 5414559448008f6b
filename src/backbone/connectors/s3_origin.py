"""Objects in a store that speaks S3: each that is new or has changed becomes a file, in the order of their keys."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import translate
from functools import partial
from pathlib import Path, PurePosixPath

from backbone.connectors.fetching import Fetch, Fetched, Note, Question
from backbone.errors import MissingExtraError, OriginError
from backbone.storage.s3_client import client, endpoint_host
from backbone.storage.s3_errors import explain
from backbone.troubles import size_of

_CHUNK = 1 << 20
_MAGIC = re.compile(r"[*?\[]")
_DIGITS = re.compile(r"(\d+)")


def object_fetches(question: Question) -> Iterator[Fetch]:
    """One fetch for each object that is new or has changed since the last time, numbers in keys as numbers.

    What to know the next time is the version (ETag) of each object that has landed. Objects are listed once: one that
    appears meanwhile is for the next run.

    Raises:
        OriginError: the store refuses, can't be reached, or there is no such object.
        MissingExtraError: boto3 isn't installed.
    """
    known: dict[str, str] = json.loads(question.memory) if question.memory else {}
    with _explained(question, "listed"):
        found = sorted(_objects(question.origin), key=lambda one: _natural(one[0]))
    if not found:
        raise OriginError(f"{question.told} can't be read: there is no such object. Look at the address under `from`")
    for key, etag in found:
        if known.get(key) != etag:
            yield partial(_fetch, question, key, known)


def _fetch(question: Question, key: str, known: dict[str, str], part: Path, note: Note) -> Fetched:
    """Write an object to a file, whole or not at all."""
    bucket, _ = _place(question.origin)
    with _explained(question, "read"), part.open("wb") as file:
        answer = client().get_object(Bucket=bucket, Key=key)
        done, total = 0, int(answer["ContentLength"])
        for chunk in answer["Body"].iter_chunks(_CHUNK):
            done += file.write(chunk)
            note(f"s3://{bucket}/{key}, {size_of(done)} of {size_of(total)}")
    if done != total:
        raise OriginError(f"s3://{bucket}/{key} can't be read: it ended after {done:,} of {total:,} bytes. Run again")
    known[key] = str(answer["ETag"])
    return Fetched(PurePosixPath(key).name, json.dumps(known))


def _objects(origin: str) -> Iterator[tuple[str, str]]:
    """The keys and versions of the objects that an origin names."""
    bucket, pattern = _place(origin)
    magic = _MAGIC.search(pattern)
    wanted = re.compile(translate(pattern) if magic else re.escape(pattern) + r"\Z", re.DOTALL)
    prefix = pattern[: magic.start()] if magic else pattern
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Contents", ()):
            if wanted.match(one["Key"]) and not one["Key"].endswith("/"):
                yield str(one["Key"]), str(one["ETag"])


def _place(origin: str) -> tuple[str, str]:
    """The bucket, and the key or a pattern of keys."""
    bucket, _, key = origin.removeprefix("s3://").partition("/")
    return bucket, key


def _natural(key: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _DIGITS.split(key)]


@contextmanager
def _explained(question: Question, verb: str) -> Iterator[None]:
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise MissingExtraError("Reading from s3://", "s3") from error
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        bucket, _ = _place(question.origin)
        why = explain(error, f"{question.told} can't be {verb}", bucket, endpoint_host())
        raise OriginError(str(why)) from None
