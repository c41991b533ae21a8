"""Where the way out does not lead: private addresses, other schemes, other people's keys; and no error unexplained."""

from __future__ import annotations

import gzip
import http.client
import shutil
import socket
import ssl
import subprocess
import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
import requests
from servers import Answers, Hostile
from urllib3 import exceptions as library

from catalogue.errors import SourceUnavailable
from catalogue.http import AGENT, Client, Limits, Session
from catalogue.http.wire import is_public

SMALL = Limits(connect=0.3, read=0.3, total=0.8, body=1 << 20, memory=1 << 18, retries=2, backoff=0.01)


@pytest.fixture
def client():
    with Client(SMALL, allow_private=True) as client:
        yield client


def only_127_0_0_1(address: str) -> bool:
    return address == "127.0.0.1"


def trouble(client: Client, url: str, **more) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught:
        client.get(url, **more)
    return caught.value


PRIVATE = {
    "IPv4": ["127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.7.7"],
    "set aside": ["100.64.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"],
    "IPv6": ["::1", "::", "fe80::1", "fe80::1%1", "fec0::1", "fc00::1", "fd00::254", "ff02::1", "2001:db8::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.7.7", "::127.0.0.1"],
    "6to4 and Teredo": ["2002:7f00:1::", "2002:a00:1::1", "2001:0:1:2:3:4:5:6"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::a9fe:707", "64:ff9b:1::1"],
}
PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"]
NEVER = ["169.254.7.7", "fe80::1", "::ffff:169.254.7.7", "64:ff9b::a9fe:707", "0.0.0.0", "224.0.0.1"]


@pytest.mark.parametrize("address", [*chain.from_iterable(PRIVATE.values())])
def test_a_name_at_an_address_that_is_not_public_is_refused(address):
    with Client(SMALL, resolve=lambda host, port: [address]) as client:
        error = trouble(client, "http://source.example/catalogue.ttl")
    assert f"'source.example' is at {address}, which is not a public address" in str(error)
    assert "FEDCAT_ALLOW_PRIVATE_SOURCES=1" in error.fix
    assert error.rule == "address-not-allowed"


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_let_through(address):
    assert is_public(address)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_addresses_are_refused_even_where_private_ones_are_allowed(address):
    with Client(SMALL, allow_private=True, resolve=lambda host, port: [address]) as client:
        assert "not a public address" in str(trouble(client, "http://source.example/"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_no_spelling_of_loopback_gets_through(host):
    with Answers({"/": (200, {}, "secret")}) as server, Client(SMALL) as client:
        error = trouble(client, server.url.replace("127.0.0.1", host))
        assert error.rule == "address-not-allowed"
        assert server.requests == []


def test_of_several_addresses_only_the_public_ones_are_tried():
    asked: list[str] = []
    session = Session(SMALL, AGENT, lambda address: asked.append(address) or address == "127.0.0.1", lambda *_: TWO)
    with Answers({"/": (200, {}, "mine")}) as server:
        assert session.get(server.url.replace("127.0.0.1", "two.example")).text == "mine"
    assert asked == list(TWO)


TWO = ("10.0.0.1", "127.0.0.1")


def test_the_address_that_was_checked_is_the_one_that_is_used():
    """A name server that gives an allowed address first and another one when asked again."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]
    session = Session(SMALL, AGENT, only_127_0_0_1, lambda host, port: answers.pop(0))
    with Answers({"/": (200, {}, "mine")}) as server:
        assert session.get(server.url.replace("127.0.0.1", "rebinds.example")).text == "mine"
        assert server.requests[0].headers["Host"].startswith("rebinds.example:")
    assert answers == [["127.0.0.2"]]


@pytest.mark.parametrize("kind", ["redirect-to-private", "redirect-to-loopback", "redirect-to-link-local"])
def test_each_hop_is_checked(kind):
    session = Session(SMALL, AGENT, only_127_0_0_1)
    with Hostile(kind) as server, pytest.raises(SourceUnavailable, match="not a public address") as caught:
        session.get(server.url)
    assert caught.value.address == server.url


NO_WEB_ADDRESS = ["file:///etc/passwd", "/etc/passwd", "C:\\data\\a.ttl", "catalogue.ttl", "", "http://", "http:///a"]
OTHER_SCHEMES = ["ftp://example.org/a", "gopher://example.org/", "data:text/turtle,"]
WITH_PASSWORD = ["https://user@example.org/", "http://user:pa55@example.org/a?b"]


@pytest.mark.parametrize("url", NO_WEB_ADDRESS + OTHER_SCHEMES + WITH_PASSWORD)
def test_only_plain_web_addresses_are_taken(client, url):
    error = trouble(client, url)
    assert error.rule == "address-not-allowed"
    assert client.requests == 0
    assert "pa55" not in str(error) + error.address


@pytest.mark.parametrize("host", ["[::1", "a b", "x:99999", ".example", "a" * 70 + ".uk", "x:y"])
def test_broken_addresses_are_told(client, host):
    assert trouble(client, f"http://{host}/").fix


def test_a_name_that_does_not_exist_is_told(client):
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with Client(SMALL, resolve=nowhere) as client:
        assert str(trouble(client, "http://typo.example/a")) == "There is no host called 'typo.example'."
        assert client.requests == 1


def test_keys_in_addresses_are_not_shown(client):
    with Answers({}) as server:
        error = trouble(client, server.url + "/a", params={"api_key": "hush", "q": "rivers"})
    assert "hush" not in str(error) + error.address
    assert "q=rivers" in error.address


# What we carry with us


def test_keys_and_cookies_stay_with_the_host_they_are_for(client):
    with Answers({"/end": (200, {}, "end")}) as other:
        leads = {"Location": other.url + "/end", "Set-Cookie": "visitor=1; Path=/"}
        with Answers({"/": (302, leads, ""), "/again": (200, {}, "")}) as server:
            keys = {"X-CKAN-API-Key": "hush", "Authorization": "hush", "Cookie": "a=hush", "If-None-Match": '"1"'}
            client.get(server.url, headers=keys)
            client.get(server.url + "/again")
    assert "hush" not in str(dict(other.requests[0].headers))
    assert other.requests[0].headers["If-None-Match"] == '"1"'
    assert server.requests[0].headers["X-CKAN-API-Key"] == "hush"
    assert "Cookie" not in server.requests[1].headers


def test_the_environment_does_not_change_the_way(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hush\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    with Hostile("down") as proxy, Answers({"/": (200, {}, "direct")}) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        with Client(SMALL, allow_private=True) as client:
            assert client.get(server.url).text() == "direct"
            assert client.session.get(server.url, proxies={"http": proxy.url}).text == "direct"
        assert proxy.requests == []
        assert "Authorization" not in server.requests[0].headers


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> dict[str, Path]:
    if not shutil.which("openssl"):
        pytest.skip("makes its certificates with openssl, which is not here")
    folder = tmp_path_factory.mktemp("tls")
    for name in ("localhost", "other.example"):
        make = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
        files = ["-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / name, "-out", folder / f"{name}.pem"]
        subprocess.run([*make.split(), *files], check=True, capture_output=True)
    return {"localhost": folder / "localhost", "other.example": folder / "other.example"}


@pytest.mark.parametrize("name", ["localhost", "other.example"])
def test_a_certificate_has_to_be_that_of_the_name_not_of_the_address(client, certificate, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{certificate[name]}.pem", certificate[name])
    with Answers({"/": (200, {}, "over TLS")}).secured(context) as server:
        assert "could not prove that it is localhost" in str(trouble(client, server.url))
        client.session.verify = f"{certificate[name]}.pem"
        if name == "localhost":
            assert client.get(server.url).text() == "over TLS"
            assert trouble(client, server.url.replace("localhost", "127.0.0.1"))
        else:
            assert "is not valid for 'localhost'" in str(trouble(client, server.url))
        assert client.requests == 2 + (name == "localhost")  # not repeated: a certificate does not mend itself


def test_a_robots_txt_is_asked_for_with_the_same_trust(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{certificate['localhost']}.pem", certificate["localhost"])
    slowly = "User-agent: *\nCrawl-delay: 9\n"
    with (
        Answers({"/": (200, {}, ""), "/robots.txt": (200, {}, slowly)}).secured(context) as server,
        Client(replace(SMALL, crawl_delay=0.3), allow_private=True) as client,
    ):
        client.session.verify = f"{certificate['localhost']}.pem"
        began = time.monotonic()
        client.get(server.url)
        client.get(server.url)
        assert time.monotonic() - began >= 0.3


# Every error of the libraries below

LOWER = [
    *(kind("said") for kind in vars(requests.exceptions).values() if isinstance(kind, type)
      and issubclass(kind, requests.RequestException) and kind is not requests.exceptions.JSONDecodeError),
    *(kind("said") for kind in vars(http.client).values() if isinstance(kind, type)
      and issubclass(kind, http.client.HTTPException) and kind is not http.client.IncompleteRead),
    http.client.IncompleteRead(b"half", 4),
    *(kind("said") for kind in (library.HTTPError, library.SSLError, library.DecodeError, library.ProtocolError)),
    *(kind("said") for kind in (library.TimeoutError, library.InvalidHeader, library.ResponseError)),
    *(kind(None, "said") for kind in (library.PoolError, library.EmptyPoolError, library.ClosedPoolError)),
    library.ConnectTimeoutError(None, "said"), library.ReadTimeoutError(None, "http://a", "said"),
    library.NewConnectionError(None, "said"), library.LocationParseError("said"),
    library.MaxRetryError(None, "http://a", library.ProtocolError("said")), library.IncompleteRead(1, 2),
    ConnectionResetError(104, "Connection reset by peer"), BrokenPipeError(), ConnectionRefusedError(),
    OSError(113, "No route to host"), TimeoutError("said"), socket.gaierror(socket.EAI_AGAIN, "Try again"),
    ssl.SSLError(1, "said"), ssl.SSLCertVerificationError(1, "said"), ssl.SSLEOFError(8, "said"),
    gzip.BadGzipFile("said"), zlib.error("said"), EOFError(), UnicodeError("label too long"), ValueError("said"),
]  # fmt: skip


@pytest.mark.parametrize("error", LOWER, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}")
def test_every_lower_error_is_put_in_plain_words(error):
    class Fails(requests.adapters.BaseAdapter):
        def send(self, *_, **__):
            raise error

        def close(self):
            pass

    with Client() as client:
        client.session.mount("http://source.example", Fails())
        caught = trouble(client, "http://source.example/a?token=hush")
    assert "source.example" in str(caught)
    assert caught.fix
    assert caught.address == "http://source.example/a?token=…"
    assert caught.__cause__ is not None


def test_our_own_mistakes_are_not_the_sources():
    def mistaken(host: str, port: int) -> Sequence[str]:
        raise KeyError("ours")

    with Client(resolve=mistaken) as client, pytest.raises(KeyError):
        client.get("http://source.example/")
