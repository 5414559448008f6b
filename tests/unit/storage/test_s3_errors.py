"""What a store refuses is one sentence with bucket, host and what to do."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, TokenRetrievalError

from backbone.errors import StoreError
from backbone.storage.s3_errors import explain

HOST = "s3.eu-west-1.amazonaws.com"


def told(error, what="a.parquet can't be read"):
    found = explain(error, what, "shop", HOST)
    assert isinstance(found, StoreError)
    return str(found)


def answered(code, status=400, headers=None, **more):
    meta = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}, "RetryAttempts": 3}
    return ClientError({"Error": {"Code": code, **more}, "ResponseMetadata": meta}, "GetObject")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (answered("ExpiredToken"), "the credentials for bucket 'shop' at s3.eu-west-1.amazonaws.com have expired"),
        (answered("InvalidAccessKeyId", 403), "doesn't accept the credentials (InvalidAccessKeyId)"),
        (answered("NoSuchBucket", 404), "there is no bucket 'shop' at s3.eu-west-1.amazonaws.com. Make it"),
        (answered("AccessDenied", 403), "don't allow it in bucket 'shop' at s3.eu-west-1.amazonaws.com (AccessDenied)"),
        (answered("SlowDown", 503), "failed (SlowDown), asked 4 times"),
        (answered("500", 500), "failed (500), asked 4 times"),
        (answered("RequestTimeTooSkewed", 403), "the clock of this machine differs too much"),
        (answered("BadDigest"), "wasn't what was sent (BadDigest)"),
        (answered("InvalidRequest", Message="No."), "refused: InvalidRequest No."),
        (NoCredentialsError(), "there are no credentials for bucket 'shop'"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), "there are no credentials for bucket 'shop'"),
        (ConnectTimeoutError(endpoint_url=f"https://{HOST}/shop?X-Amz-Signature=1"), "and was asked again in vain"),
    ],
)
def test_each_has_its_sentence(error, said):
    assert said in told(error)
    assert "Signature=" not in told(error)


def test_a_bucket_in_another_region_is_told_with_the_region():
    moved = answered("PermanentRedirect", 301, {"x-amz-bucket-region": "eu-north-1"})
    wrong = answered("AuthorizationHeaderMalformed", Region="eu-north-1")

    assert told(moved) == "a.parquet can't be read: bucket 'shop' is in region eu-north-1. Set AWS_REGION to it"
    assert told(wrong) == told(moved)


@pytest.mark.parametrize(
    ("verb", "right"),
    [
        ("read", "s3:GetObject"),
        ("written", "s3:PutObject"),
        ("listed", "s3:ListBucket"),
        ("removed", "s3:DeleteObject"),
    ],
)
def test_a_missing_right_is_named(verb, right):
    assert f"Needed there: {right}" in told(answered("AccessDenied", 403), f"a.parquet can't be {verb}")
