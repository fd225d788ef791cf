"""What an address of a bucket means, and what is said of one that means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from webapi.buckets import Bucket, bucket, location


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://files", Bucket("files")),
        ("s3://files/", Bucket("files")),
        ("s3://files/web/api/", Bucket("files", "web/api/")),
        ("s3://files?region=eu-central-1&links=on", Bucket("files", region="eu-central-1", links=True)),
        (
            "s3://files/a?endpoint=http://minio:9000/&timeout=30",
            Bucket("files", "a/", "http://minio:9000", addressing="path", timeout=30),
        ),
        (
            "s3://files?endpoint=https://s3.example&addressing=virtual",
            Bucket("files", endpoint="https://s3.example", addressing="virtual"),
        ),
    ],
)
def test_an_address_is_read(url: str, expected: Bucket) -> None:
    assert bucket(url) == expected
    assert location(url) == url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://", "write s3://bucket/prefix"),
        ("s3:///prefix", "write s3://bucket/prefix"),
        ("s3://Bucket", "write s3://bucket/prefix"),
        ("s3://files/../other", "write s3://bucket/prefix"),
        ("s3://files/a//b", "write s3://bucket/prefix"),
        ("s3://key:canary@files", "credentials do not belong into the address"),
        ("s3://files?secret=canary", "there is no option 'secret'"),
        ("s3://files?endpoint=ftp://x", "the endpoint is an address like"),
        ("s3://files?endpoint=https://u:canary@x", "the endpoint is an address like"),
        ("s3://files?links=maybe", "links is off or on"),
        ("s3://files?addressing=dns", "addressing is path or virtual"),
        ("s3://files?timeout=0", "timeout is a number of seconds"),
        ("gs://files", "give a path of a local disk, or s3://bucket/prefix"),
        ("file://host/files", "give a path of a local disk"),
    ],
)
def test_what_is_wrong_is_said_without_a_secret(url: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        location(url)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("url", ["/srv/files", "file:///srv/files", "/srv/other/../files"])
def test_a_path_is_spelt_out(url: str) -> None:
    assert location(url) == "/srv/files"


def test_a_relative_path_begins_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert location("var/files") == str(tmp_path / "var" / "files")


def test_a_place_is_shown_without_its_options() -> None:
    assert bucket("s3://files/a?endpoint=http://minio:9000").place == "s3://files/a"
    assert bucket("s3://files").place == "s3://files"
