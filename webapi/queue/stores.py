"""Which file store there is."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from webapi import buckets
from webapi.errors import ConfigError
from webapi.queue.disk import DiskStore
from webapi.queue.files import Store


def made(config: Mapping[str, Any]) -> Store:
    """The store that STORAGE_URL means. Nothing is connected to. Raises ConfigError without the extra `s3`."""
    url: str = config["STORAGE_URL"]
    if not url.startswith(buckets.SCHEME):
        return DiskStore(url)
    try:
        s3 = import_module("webapi.queue.s3.store")  # its library takes a third of a second and 20 MB: not for a disk
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"boto3", "botocore"}:
            raise
        sentence = "STORAGE_URL is an s3:// address, and the library is not installed: pip install 'webapi[s3]'."
        raise ConfigError(sentence) from None
    keys = (config["S3_ACCESS_KEY_ID"], config["S3_SECRET_ACCESS_KEY"])
    store: Store = s3.S3Store(buckets.bucket(url), config["SCRATCH_PATH"], *keys)
    return store
