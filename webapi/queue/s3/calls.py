"""Requests to a bucket: each in bounded time, and again while that may help.

Boto's own retries are off: they would swallow the exception by which a job learns of its soft time limit.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from celery.exceptions import SoftTimeLimitExceeded

from webapi.buckets import Bucket
from webapi.queue.attempt import current
from webapi.queue.s3.faults import BROKEN, code_of, passing

TRIES = 3
PAUSE = 0.25  # seconds before the second try; twice as long before the next
CONNECT = 3.0  # seconds
PART = 16 << 20  # bytes that are sent in one request; an S3 takes 10,000 of them for one file


class Calls:
    """What is asked of one bucket. Each process has a client of its own: no connection is shared over a fork."""

    def __init__(self, bucket: Bucket, key_id: str | None, secret: str | None) -> None:
        self.bucket = bucket
        self._keys = {"aws_access_key_id": key_id, "aws_secret_access_key": secret} if key_id and secret else {}
        self._made: tuple[int, Any] = (0, None)

    @property
    def client(self) -> Any:
        pid, client = self._made
        if pid != os.getpid():
            client = self._client()
            self._made = (os.getpid(), client)
        return client

    def ask(self, operation: str, **values: Any) -> dict[str, Any]:
        """One request. What is sent again has the same key, so that a lost answer doubles nothing.

        Raises what boto raises.
        """
        for tried in range(1, TRIES):
            try:
                return self.once(operation, **values)
            except (BotoCoreError, ClientError) as error:
                if not passing(error):
                    raise
            time.sleep(PAUSE * tried * random.uniform(0.5, 1))  # noqa: S311 # nosec B311 - guards nothing
        return self.once(operation, **values)

    def once(self, operation: str, **values: Any) -> dict[str, Any]:
        """The same for whoever would not wait."""
        try:
            answer: dict[str, Any] = getattr(self.client, operation)(Bucket=self.bucket.name, **values)
        except HTTPClientError as error:
            cause = error.kwargs.get("error")
            if isinstance(cause, SoftTimeLimitExceeded):  # boto wraps whatever is raised while it waits
                raise cause from None
            raise
        return answer

    def upload(self, file: IO[bytes], key: str, size: int) -> None:
        """Make a file an object: the whole of it or nothing. Raises what boto raises, and what ends an attempt."""
        if size <= PART:
            content = file.read()
            self.ask("put_object", Key=key, Body=content, ContentMD5=_md5(content))
            return
        upload = {"Key": key, "UploadId": self.ask("create_multipart_upload", Key=key)["UploadId"]}
        try:
            parts = [self._part(upload, number, content) for number, content in enumerate(_contents(file), 1)]
            self._complete(upload, parts, size)
        except BaseException:
            with suppress(*BROKEN):  # the bucket's rule for unfinished uploads removes what stays
                self.once("abort_multipart_upload", **upload)
            raise

    def _part(self, upload: dict[str, str], number: int, content: bytes) -> dict[str, Any]:
        go_on()
        sent = self.ask("upload_part", **upload, PartNumber=number, Body=content, ContentMD5=_md5(content))
        return {"PartNumber": number, "ETag": sent["ETag"]}

    def _complete(self, upload: dict[str, str], parts: list[dict[str, Any]], size: int) -> None:
        try:
            self.ask("complete_multipart_upload", **upload, MultipartUpload={"Parts": parts})
        except ClientError as error:
            # Asked for the second time after a lost answer, some do not know it any more.
            if code_of(error) != "NoSuchUpload" or self.ask("head_object", Key=upload["Key"])["ContentLength"] != size:
                raise

    def _client(self) -> Any:
        bucket = self.bucket
        config = Config(
            connect_timeout=CONNECT,
            read_timeout=bucket.timeout,
            retries={"total_max_attempts": 1},
            signature_version="s3v4",
            s3={"addressing_style": bucket.addressing},
            # Newer checksums, which others than AWS often do not know; ours are Content-MD5 and the name.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        region = bucket.region or ("us-east-1" if bucket.endpoint else None)
        return Session().client("s3", region_name=region, endpoint_url=bucket.endpoint, config=config, **self._keys)


def go_on() -> None:
    """Between two requests of a long course. Raises what ends the attempt, if there is one."""
    if attempt := current():
        attempt.still_mine()


def _contents(file: IO[bytes]) -> Iterator[bytes]:
    while content := file.read(PART):
        yield content


def _md5(content: bytes) -> str:
    """For the server to see that nothing was changed on the way (RFC 1864)."""
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
