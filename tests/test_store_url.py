"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import RetryingStore, check_url, open_store
from storage.local import LocalStore
from storage.s3_address import S3Address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://host/bucket", "not the URL of a store"),
        ("", "not the URL of a store"),
        ("/srv/photos", "not the URL of a store"),
        ("file://srv/photos", "file:///srv"),
        ("file:photos", "file:///srv"),
        ("file://", "file:///srv"),
        ("s3://bucket", "s3://key:secret@host/bucket"),
        ("s3://key:hush@host", "s3://key:secret@host/bucket"),
        ("s3://key:hush@host/", "s3://key:secret@host/bucket"),
        ("s3://key@host/bucket", "s3://key:secret@host/bucket"),
        ("s3://key:hush@host:99999/bucket", "Port"),
        ("s3://key:hush@host/a", "name of a bucket"),
        ("s3://key:hush@host/buck%20et", "name of a bucket"),
        ("s3://key:hush@host/bucket?tsl=false", "options"),
        ("s3://key:hush@host/bucket?tls=no", "options"),
    ],
)
def test_a_url_that_names_no_store_is_refused(url: str, said: str) -> None:
    for refuse in (check_url, open_store):
        with pytest.raises(ValueError, match=said) as raised:
            refuse(url)
        assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["file:///", "file://localhost/srv", "s3://k:s@h/bkt", "s3://k:a%2Fb@[::1]:1/bkt/c?tls=true"]
)
def test_a_url_that_names_a_store_is_taken(url: str) -> None:
    check_url(url)


def test_names_in_a_url_are_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "Фото, 100 % #1?"
    assert isinstance(open_store(folder.as_uri()), LocalStore)
    assert (folder / ".parts").is_dir()
    address = S3Address.parse("s3://key:a%2Fb%40c@host:9000/bucket/a/b")
    assert (address.secret_key, address.host, address.bucket, address.prefix) == (
        "a/b@c",
        "host:9000",
        "bucket",
        "a/b/",
    )


def test_an_address_of_numbers_keeps_its_brackets() -> None:
    assert S3Address.parse("s3://key:secret@[::1]:9000/bucket").host == "[::1]:9000"


@pytest.mark.parametrize("url", ["s3://key:secret@host/bucket", "s3://key:secret@[::1]:9000/bucket?tls=false"])
def test_a_store_behind_a_network_tries_again(url: str) -> None:
    assert isinstance(open_store(url), RetryingStore)
