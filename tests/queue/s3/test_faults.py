"""What is said of an S3 that refuses, and what only passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, ReadTimeoutError

from tests.http_server import Act, http_server
from tests.s3_server import KEYS, Pail
from webapi.buckets import bucket
from webapi.errors import ConfigError, StoreAway
from webapi.queue.s3.faults import away, explained, passing
from webapi.queue.s3.store import S3Store


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (403, "InvalidAccessKeyId", "The access key is not known there"),
        (403, "SignatureDoesNotMatch", "The secret key is another one"),
        (403, "AccessDenied", r"ListObjectsV2 is refused \(AccessDenied\); docs/storage.md has the policy"),
        (404, "NoSuchBucket", "There is no such bucket"),
        (400, "ExpiredToken", "The credentials have expired"),
        (403, "RequestTimeTooSkewed", "clock is wrong"),
        (400, "AuthorizationHeaderMalformed", "The bucket is in another region"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(status: int, code: str, sentence: str, tmp_path: Path) -> None:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>canary</Message></Error>".encode()
    with http_server() as edge:
        edge.plan(Act(status, body=body))
        store = S3Store(bucket(f"s3://files?endpoint=http://127.0.0.1:{edge.port}"), str(tmp_path), *KEYS.values())
        with pytest.raises(ConfigError, match=f"^s3://files: .*{sentence}") as refused:
            store.check()
    assert not {"canary", *KEYS.values()} & set(refused.value.message.split())


def test_a_bucket_that_is_not_there_is_said(pail: Pail, tmp_path: Path) -> None:
    pail.client.delete_bucket(Bucket=pail.name)
    with pytest.raises(ConfigError, match="There is no such bucket"):
        pail.store(tmp_path).check()


def test_nobody_there_is_only_away(tmp_path: Path) -> None:
    store = S3Store(bucket("s3://files?endpoint=http://127.0.0.1:1"), str(tmp_path), *KEYS.values())
    with pytest.raises(StoreAway, match="It does not answer"):
        store.check()


def test_no_credentials_are_said() -> None:
    assert "There are no credentials" in explained(NoCredentialsError(), "s3://files").message


def test_what_passes_is_told_from_what_does_not() -> None:
    def answer(status: int, code: str) -> ClientError:
        return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")

    assert all(passing(answer(*each)) for each in [(500, ""), (503, "SlowDown"), (429, ""), (400, "RequestTimeout")])
    assert not any(passing(answer(*each)) for each in [(403, "AccessDenied"), (404, "NoSuchKey"), (400, "")])
    assert passing(ReadTimeoutError(endpoint_url="http://s3"))
    assert not passing(NoCredentialsError())


def test_a_job_whose_store_refuses_tries_again() -> None:
    """Somebody will correct the settings; its work is not to be lost over them."""
    with pytest.raises(StoreAway) as caught, away():
        raise NoCredentialsError
    assert (caught.value.retry_after, caught.value.headers) == (15.0, {"Retry-After": "15"})
