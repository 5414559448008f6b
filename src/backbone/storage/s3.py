"""Data in an object store that speaks S3."""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from backbone.errors import LakeError
from backbone.storage.data import Stored
from backbone.storage.folder import CHUNK, sha256_of
from backbone.storage.s3_client import ATTEMPTS, Access, access, client, endpoint_host
from backbone.storage.s3_errors import explain
from backbone.storage.waiting import side_by_side

PART_BYTES = 16 << 20
"""Files of more than this are put in parts, each checked and, if need be, sent again by itself."""
_MOST_PARTS = 9_000
_MANY = 100
_AT_ONCE = 1_000
_DIGEST = "sha256"


@dataclass(frozen=True, slots=True)
class Encryption:
    """How the store is asked to encrypt what is put: `AES256` (its own keys) or `aws:kms` with a key's id."""

    algorithm: str = ""
    key: str = ""

    @property
    def options(self) -> dict[str, str]:
        """As boto3 takes them; none where the bucket's own setting is to hold."""
        if not self.algorithm:
            return {}
        return {"ServerSideEncryption": self.algorithm, **({"SSEKMSKeyId": self.key} if self.key else {})}


@dataclass(frozen=True, slots=True)
class S3Data:
    """Implements `Data` below `prefix` of a bucket. An object shows when all of it is there, and not before."""

    bucket: str
    prefix: str = ""
    encryption: Encryption = field(default_factory=Encryption)

    @property
    def is_local(self) -> bool:
        """See `Data`."""
        return False

    def uri(self, name: str) -> str:
        """See `Data`."""
        return f"s3://{self.bucket}/{self._key(name)}"

    def inside(self, name: str) -> "S3Data":
        """See `Data`."""
        return S3Data(self.bucket, self._key(name), self.encryption)

    def access(self) -> Access:
        """What another client must know to reach the same objects.

        Raises:
            LakeError: there are no credentials.
        """
        with self._told("the lake's data can't be reached"):
            return access()

    def sizes(self, names: Collection[str]) -> Mapping[str, int]:
        """See `Data`. Few are asked for one by one, for many all are listed."""
        if len(names) > _MANY:
            wanted = set(names)
            beginning = os.path.commonprefix(sorted(wanted))  # noqa: RUF071 - names are to begin alike
            return {one.name: one.bytes for one in self.list(beginning) if one.name in wanted}
        found = side_by_side(self._size, names)
        return {name: size for name, size in zip(names, found, strict=True) if size is not None}

    def list(self, under: str) -> Iterator[Stored]:
        """See `Data`."""
        with self._told(f"{under or 'what is there'} can't be listed"):
            pages = client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._key(under))
            for page in pages:
                for entry in page.get("Contents", ()):
                    name = entry["Key"][len(self._key("")) :]
                    yield Stored(name, entry["Size"], entry["LastModified"])

    def sha256(self, name: str) -> str | None:
        """See `Data`."""
        return self._read(name, None)

    def fetch(self, name: str, path: Path) -> str | None:
        """See `Data`. What it returns is surely on the disk."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as file:
                digest = self._read(name, file)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if digest is None:
            path.unlink()
        return digest

    def _read(self, name: str, into: IO[bytes] | None) -> str | None:
        """Read all of an object; where the connection breaks, go on from there, for as long as something comes."""
        digest, offset, etag, tries = hashlib.sha256(), 0, "", 0
        with self._told(f"{name} can't be read"):
            while True:
                begun = offset
                try:
                    response = client().get_object(
                        Bucket=self.bucket, Key=self._key(name),
                        **({"Range": f"bytes={offset}-", "IfMatch": etag} if offset else {}),
                    )  # fmt: skip
                    etag, size = response["ETag"], offset + response["ContentLength"]
                    with closing(response["Body"]) as body:  # a broken one would keep its connection
                        for chunk in body.iter_chunks(CHUNK):
                            digest.update(chunk)
                            if into:
                                into.write(chunk)
                            offset += len(chunk)
                    if offset == size:
                        return digest.hexdigest()
                except _broken() as error:
                    if _is_missing(error):
                        return None
                    tries = 0 if offset > begun else tries + 1
                    if _response(error) or tries >= ATTEMPTS:
                        raise

    def put(self, name: str, path: Path, *, again: bool = False) -> None:
        """See `Data`.

        An object that is there is never overwritten by mistake: the store is asked to refuse it. If it is ours, from
        an attempt whose answer was lost, its checksum tells.
        """
        digest, size = sha256_of(path), path.stat().st_size
        options = {
            "Bucket": self.bucket, "Key": self._key(name), "Metadata": {_DIGEST: digest}, **self.encryption.options,
        }  # fmt: skip
        once = {} if again else {"IfNoneMatch": "*"}
        with self._told(f"{name} can't be written"):
            try:
                self._send(path, size, options, once)
            except _broken() as error:
                if _code(error) not in {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}:
                    raise
            head = client().head_object(Bucket=self.bucket, Key=self._key(name))
        if head["ContentLength"] != size or head["Metadata"].get(_DIGEST) != digest:
            raise LakeError(
                f"{self.uri(name)} is there already, and is another file: {head['ContentLength']:,} bytes, not "
                f"{size:,}. Nothing was overwritten"
            )

    def _send(self, path: Path, size: int, options: dict[str, Any], once: dict[str, str]) -> None:
        if size <= PART_BYTES:
            body = path.read_bytes()
            client().put_object(**options, **once, Body=body, ChecksumAlgorithm="SHA256")
            return
        upload = client().create_multipart_upload(**options, ChecksumAlgorithm="SHA256")
        place = {"Bucket": options["Bucket"], "Key": options["Key"], "UploadId": upload["UploadId"]}
        try:
            parts = [
                self._send_part(place, number, chunk)
                for number, chunk in enumerate(_pieces(path, max(PART_BYTES, -(-size // _MOST_PARTS))), 1)
            ]
            client().complete_multipart_upload(**place, **once, MultipartUpload={"Parts": parts})
        except BaseException:
            with suppress(*_broken()):  # the first error is told; what is left of the parts nobody sees
                client().abort_multipart_upload(**place)
            raise

    def _send_part(self, place: Mapping[str, str], number: int, chunk: bytes) -> dict[str, object]:
        sent = client().upload_part(**place, PartNumber=number, Body=chunk, ChecksumAlgorithm="SHA256")
        checksum = {"ChecksumSHA256": sent["ChecksumSHA256"]} if "ChecksumSHA256" in sent else {}
        return {"PartNumber": number, "ETag": sent["ETag"], **checksum}

    def remove(self, names: Collection[str]) -> None:
        """See `Data`."""
        with self._told("what nobody needs any more can't be removed"):
            keys = [{"Key": self._key(name)} for name in names]
            for objects in (keys[n : n + _AT_ONCE] for n in range(0, len(keys), _AT_ONCE)):
                answer = client().delete_objects(Bucket=self.bucket, Delete={"Objects": objects, "Quiet": True})
                for wrong in answer.get("Errors", ())[:1]:
                    from botocore.exceptions import ClientError

                    raise ClientError({"Error": wrong, "ResponseMetadata": answer["ResponseMetadata"]}, "DeleteObjects")

    def _size(self, name: str) -> int | None:
        with self._told(f"{name} can't be read"):
            try:
                return int(client().head_object(Bucket=self.bucket, Key=self._key(name))["ContentLength"])
            except _broken() as error:
                if _is_missing(error):
                    return None
                raise

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except _broken() as error:
            raise explain(error, what, self.bucket, endpoint_host()) from error


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(partial(file.read, size), b"")


def _broken() -> tuple[type[Exception], ...]:
    """What boto3 raises when a store refuses, or can't be reached: imported only where something is asked of one."""
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    return BotoCoreError, ClientError, HTTPError


def _response(error: Exception) -> Mapping[str, Any]:
    found: Mapping[str, Any] = getattr(error, "response", None) or {}
    return found


def _code(error: Exception) -> str:
    return str(_response(error).get("Error", {}).get("Code", ""))


def _is_missing(error: Exception) -> bool:
    return _code(error) in {"NoSuchKey", "404", "NotFound"}
