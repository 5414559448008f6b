"""What an object store refuses, or why it can't be reached: told with the bucket, the host and what to do.

The store gives codes, boto3 exceptions, and DuckDB only sentences. No key, token or signature is in what is told.
"""

from collections.abc import Mapping
from typing import Any

from backbone.errors import StoreError

_AGAIN = "Nothing that was published has changed; once it answers: backbone run"
_CHAIN = (
    "They are looked for as all AWS tools do: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE), "
    "the role of the machine"
)
_RIGHTS = {
    "read": "s3:GetObject",
    "written": "s3:PutObject, s3:GetObject and s3:AbortMultipartUpload",
    "listed": "s3:ListBucket",
    "removed": "s3:DeleteObject",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"}
_UNKNOWN_KEYS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure", "InvalidSecurity"}
_ELSEWHERE = {"PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"}
_CORRUPTED = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
_CLOCK = {"RequestTimeTooSkewed"}


def explain(error: Exception, what: str, bucket: str, host: str) -> StoreError:
    """An error of boto3's, in words that people can act on.

    Args:
        error: a `BotoCoreError` or `ClientError`, or one of the connection beneath.
        what: what was to be done with which file: `trusted/a.parquet can't be read`.
        bucket: the bucket, without any key.
        host: where the store is.
    """
    from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError

    place = f"bucket '{bucket}' at {host}"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StoreError(f"{what}: there are no credentials for {place}. {_CHAIN}")
    if not isinstance(error, ClientError):
        if "credential" in type(error).__name__.lower() or "token" in type(error).__name__.lower():
            return StoreError(f"{what}: there are no credentials for {place}: {error}. {_CHAIN}")
        said = _first_line(error)
        return StoreError(f"{what}: {place} didn't answer as it should, and was asked again in vain: {said}. {_AGAIN}")
    return StoreError(f"{what}: {_said(error.response, what, bucket, place)}")


def _said(response: Mapping[str, Any], what: str, bucket: str, place: str) -> str:  # noqa: PLR0911 - a table
    told, meta = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, status = str(told.get("Code", "")), int(meta.get("HTTPStatusCode", 0))
    region = meta.get("HTTPHeaders", {}).get("x-amz-bucket-region") or told.get("Region")
    if code == "NoSuchBucket":
        return f"there is no {place}. Make it, or name another as `storage: {{data: s3://BUCKET/PATH}}` in backbone.yml"
    if code in _EXPIRED:
        return f"the credentials for {place} have expired. Get new ones, then: backbone run"
    if code in _UNKNOWN_KEYS:
        return f"{place} doesn't accept the credentials ({code}). {_CHAIN}"
    if code in _ELSEWHERE:
        return f"bucket '{bucket}' is in {f'region {region}' if region else 'another region'}. Set AWS_REGION to it"
    if code in _CORRUPTED:
        return f"what arrived in {place} wasn't what was sent ({code}), and was not kept. {_AGAIN}"
    if code in _CLOCK:
        return f"the clock of this machine differs too much from that of {place}. Set it right"
    if code in {"AccessDenied", "403", "Forbidden", "AllAccessDisabled"} or status == 403:  # noqa: PLR2004 - HTTP's own
        right = next((names for verb, names in _RIGHTS.items() if f"be {verb}" in what), "the right")
        return f"the credentials don't allow it in {place} ({code}). Needed there: {right}"
    if status >= 500 or code in {"SlowDown", "RequestTimeout", "InternalError"}:  # noqa: PLR2004 - HTTP's own
        attempts = int(meta.get("RetryAttempts", 0)) + 1
        return f"{place} failed ({code or status}), asked {attempts} times. {_AGAIN}"
    return f"{place} refused: {code} {told.get('Message', '')}".strip()


def _first_line(error: Exception) -> str:
    """What happened, without the address: it may be a signed one."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return said.split('"')[0].split("?")[0].strip().rstrip(":") or type(error).__name__
