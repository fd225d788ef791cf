"""Where a call may go. Each class of attack, and its neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from tests.services.resolving import Resolver
from webapi.errors import Transient
from webapi.services.targets import NotCallable, Target, addresses, checked, parse, public


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://example.com", ("http", "example.com", 80, "/")),
        ("HTTPS://Example.COM/a?b=c#d", ("https", "example.com", 443, "/a?b=c")),
        ("https://example.com:8443/a%20b", ("https", "example.com", 8443, "/a%20b")),
        ("https://bücher.example/ä", ("https", "xn--bcher-kva.example", 443, "/%C3%A4")),
        ("https://[2001:4860:4860::8888]:8443/", ("https", "2001:4860:4860::8888", 8443, "/")),
        ("http://2130706433/", ("http", "127.0.0.1", 80, "/")),
        ("http://0177.0.0.1/", ("http", "127.0.0.1", 80, "/")),
        ("http://0x7f.1/", ("http", "127.0.0.1", 80, "/")),
        ("http://127.1/", ("http", "127.0.0.1", 80, "/")),
        ("http://１２７。０。０。１/", ("http", "127.0.0.1", 80, "/")),
        ("http://%31%32%37.0.0.1/", ("http", "127.0.0.1", 80, "/")),
        ("http://127.0.0.1./", ("http", "127.0.0.1", 80, "/")),
        ("http://ⓔⓧⓐⓜⓟⓛⓔ.com/", ("http", "example.com", 80, "/")),
    ],
)
def test_a_url_has_one_meaning(url: str, parts: tuple[str, str, int, str]) -> None:
    target = parse(url)
    assert (target.scheme, target.host, target.port, target.path) == parts
    assert parse(target.url) == target, "its canonical form means the same"


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "/etc/passwd", "ftp://example.com/", "file:///etc/passwd",
        "gopher://example.com/", "javascript:alert(1)", "http://", "http://:80/", "http://user@example.com/",
        "http://user:secret@example.com/", "http://:@example.com/", "http://@example.com/",
        "http://public.example@127.0.0.1/", "http://example.com\\@127.0.0.1/", "http://example.com/\r\nX: y",
        "http://exa\nmple.com/", "http://example.com/a b", "http://example.com\t/", "http://example.com/\0",
        "http://example.com/\u2028", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1/",
        "http://1.2.3.4.5/", "http://256.1.1.1/", "http://a.0x4/", "http://a..b/", "http://.a/", "http://example.com./",
        "http://" + "a" * 64 + ".com/", "http://" + "a." * 127 + "com/", "http://example.com:99999/",
        "http://-a.example/", "http://a%00b.example/", "http://a%2fb.example/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|host"):
        parse(url)


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://example.com", "http://example.com/", "http://["]))
def test_whatever_is_taken_can_be_written_as_it_stands(text: str, prefix: str) -> None:
    """One line of printable ASCII without a space, and a host that no resolver reads another way."""
    try:
        target = parse(prefix + text)
    except ValueError:
        return
    assert re.fullmatch(r"/[\x21-\x7e]*", target.path)
    assert re.fullmatch(r"[a-z0-9_.-]+|[0-9a-f:]+", target.host)
    assert parse(target.url) == target


def test_a_path_keeps_its_at_sign() -> None:
    assert parse("https://example.com/@ada?to=b@example.com").path == "/@ada?to=b@example.com"


@pytest.mark.parametrize(
    ("url", "netloc"),
    [
        ("http://example.com", "example.com"), ("http://example.com:443", "example.com:443"),
        ("https://example.com:443", "example.com"), ("https://[2001:db8::1]:80", "[2001:db8::1]:80"),
    ],
)  # fmt: skip
def test_the_host_header_leaves_out_the_usual_port_alone(url: str, netloc: str) -> None:
    assert parse(url).netloc == netloc


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2001:4860:4860::8888", "2606:4700::1111"])
def test_ordinary_addresses_may_be_called(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1",
        "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "ff0e::1", "2606:4700::1111%lo",
    ],
)  # fmt: skip
def test_no_other_address_may_be_called(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://0.0.0.0/", "http://[::]/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
        "http://2130706433/", "http://0x7f000001/", "http://localhost/", "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:a9fe:a9fe]/", "http://[fd00:ec2::254]/",
    ],
)  # fmt: skip
def test_private_addresses_are_refused_however_they_are_written(calling: Callable[..., Flask], url: str) -> None:
    calling()
    with pytest.raises(NotCallable, match="private or reserved"):
        addresses(parse(url))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/", "private or reserved"), ("http://0x7f.1/", "private or reserved"),
        ("http://[::1]/", "private or reserved"), ("http://[64:ff9b::808:808]/", "private or reserved"),
        ("http://93.184.216.34:22/", "Port 22"), ("http://example.com:0/", "Port 0"), ("ftp://example.com/", "http"),
        ("http://example.com/" + "a" * 100, "at most 100 characters"),
        ("http://127.0.0.1:8081/", "Port 8081"),
    ],
)  # fmt: skip
def test_what_can_be_told_without_a_name_server_is_told_at_once(
    calling: Callable[..., Flask], url: str, words: str
) -> None:
    calling(CALL_PRIVATE=["127.0.0.1:8080"])
    with pytest.raises(ValueError, match=words):
        checked(url, 100)


@pytest.mark.parametrize("url", ["https://EXAMPLE.com", "http://93.184.216.34/", "http://127.0.0.1:8080/"])
def test_a_url_that_may_be_called_is_given_its_canonical_form_and_nobody_is_asked(
    calling: Callable[..., Flask], resolver: Resolver, url: str
) -> None:
    calling(CALL_PRIVATE=["127.0.0.1:8080"])
    resolver.names["example.com"] = [["127.0.0.1"]]
    assert checked(url, 100) == parse(url).url
    assert resolver.asked == []


@pytest.mark.parametrize("private", ["10.0.0.1", "127.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"])
@pytest.mark.parametrize("first", [True, False])
def test_one_private_address_among_several_is_enough(
    calling: Callable[..., Flask], resolver: Resolver, private: str, first: bool
) -> None:
    calling()
    both = [private, "93.184.216.34"] if first else ["93.184.216.34", private]
    resolver.names["mixed.example"] = [both]
    with pytest.raises(NotCallable) as refused:
        addresses(parse("http://mixed.example/"))
    assert private not in refused.value.message, "what a name resolves to inside is not for strangers"


def test_a_public_name_is_resolved_once_to_all_of_its_addresses(
    calling: Callable[..., Flask], resolver: Resolver
) -> None:
    calling()
    resolver.names["public.example"] = [["93.184.216.34", "2606:4700::1111", "93.184.216.34"], ["127.0.0.1"]]
    assert addresses(parse("https://public.example/")) == ["93.184.216.34", "2606:4700::1111"]
    assert resolver.asked == ["public.example"]


def test_a_name_that_nobody_knows_may_be_known_later(calling: Callable[..., Flask]) -> None:
    calling()
    with pytest.raises(Transient, match="cannot be resolved"):
        addresses(parse("http://nobody.invalid/"))


def test_a_name_with_too_many_addresses_is_refused(calling: Callable[..., Flask], resolver: Resolver) -> None:
    calling()
    resolver.names["many.example"] = [[f"93.184.216.{number}" for number in range(65)]]
    with pytest.raises(NotCallable):
        addresses(parse("http://many.example/"))


@pytest.mark.parametrize(("port", "open_to_us"), [(80, True), (443, True), (8080, True), (22, False), (6379, False)])
def test_only_the_usual_ports_and_those_configured_are_called(
    calling: Callable[..., Flask], port: int, open_to_us: bool
) -> None:
    calling(CALL_PORTS=[8080])
    target = Target("http", "93.184.216.34", port, "/")
    if open_to_us:
        assert addresses(target) == ["93.184.216.34"]
    else:
        with pytest.raises(NotCallable, match=f"Port {port}"):
            addresses(target)


def test_a_port_that_is_configured_opens_no_private_address(calling: Callable[..., Flask]) -> None:
    calling(CALL_PORTS=[8080])
    with pytest.raises(NotCallable):
        addresses(parse("http://127.0.0.1:8080/"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "http://0x7f.1:8080/", "https://[::1]:8443/"])
def test_a_private_place_that_is_named_may_be_called(calling: Callable[..., Flask], url: str) -> None:
    calling(CALL_PRIVATE=["127.0.0.1:8080", "[::1]:8443"])
    assert addresses(parse(url)) in (["127.0.0.1"], ["::1"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081/", "http://127.0.0.2:8080/", "http://localhost:8080/"])
def test_its_neighbours_may_not(calling: Callable[..., Flask], url: str) -> None:
    calling(CALL_PRIVATE=["127.0.0.1:8080"], CALL_PORTS=[8080, 8081])
    with pytest.raises(NotCallable):
        addresses(parse(url))
