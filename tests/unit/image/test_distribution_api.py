"""Images of registries: found, let in, sent on, broken off and gone on with; and registries that are no friends."""

import json
import os
from collections.abc import Iterator

import pytest

from linkspan.errors import HostError
from linkspan.image import reference
from linkspan.image.credentials import Credentials
from linkspan.image.distribution_api import TRIES, Registry
from tests.unit.image.registry_server import PASSWORD, USER, Content, digest, serving

LAYER = os.urandom(3 << 20)
ADA = Credentials(USER, PASSWORD)


@pytest.fixture
def content() -> Content:
    made = Content()
    made.add([LAYER])
    return made


@pytest.fixture
def host(content: Content) -> Iterator[str]:
    with serving(content) as found:
        yield found


def opened(
    host: str, name: str = "app:1", credentials: Credentials | None = None, waited: list[float] | None = None
) -> Registry:
    pauses = [] if waited is None else waited
    return Registry(reference.parse(f"{host}/{name}"), credentials, plain=frozenset({host}), pause=pauses.append)


def pull(registry: Registry) -> bytes:
    with registry:
        layer = registry.manifest()["layers"][0]
        return b"".join(registry.blob(layer["digest"], 1 << 30))


def test_an_image_is_read_by_its_tag(host):
    assert pull(opened(host)) == LAYER


def test_an_image_is_read_by_its_digest_and_of_an_index_the_one_for_the_platform(content, host):
    manifest = next(data for name, data in content.manifests.items() if name.startswith("sha256:"))
    index = {"manifests": [
        {"digest": digest(b"other"), "platform": {"os": "linux", "architecture": "s390x"}},
        {"digest": digest(manifest), "platform": {"os": "linux", "architecture": "amd64"}},
    ]}  # fmt: skip
    content.manifests["all"] = json.dumps(index).encode()
    assert pull(opened(host, f"app@{digest(manifest)}")) == LAYER
    assert pull(opened(host, "app:all")) == LAYER
    with opened(host, "app:all") as registry, pytest.raises(HostError, match="has no image for linux/riscv64"):
        registry.manifest(("linux", "riscv64"))


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_credentials_open_what_is_closed(content, host, auth):
    content.auth = auth
    assert pull(opened(host, credentials=ADA)) == LAYER


def test_an_identity_token_stands_for_a_password(content, host):
    content.auth = "bearer"
    assert pull(opened(host, credentials=Credentials(token="identity"))) == LAYER


@pytest.mark.parametrize(("auth", "reason"), [("basic", "wants credentials for"), ("bearer", "gives no token for")])
def test_without_them_it_is_said_how_to_log_in(content, host, auth, reason):
    content.auth = auth
    with opened(host) as registry, pytest.raises(HostError, match=reason) as refusal:
        registry.manifest()
    assert refusal.value.hint == f"log in: docker login {host}"


def test_a_busy_registry_is_asked_again_when_it_says(content, host):
    content.busy, waited = 2, list[float]()
    assert pull(opened(host, waited=waited)) == LAYER
    assert waited == [2.0, 2.0]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_gone_on_with(content, host, ranges):
    content.breaks, content.ranges = 2, ranges
    assert pull(opened(host)) == LAYER


def test_one_that_breaks_off_for_ever_is_given_up(content, host):
    content.breaks = 99
    with pytest.raises(HostError, match="broke off while sending"):
        pull(opened(host))
    assert content.breaks == 99 - TRIES


def test_where_it_redirects_to_gets_no_credentials(content, host):
    elsewhere = Content()
    elsewhere.add([LAYER])
    content.auth = "basic"
    with serving(elsewhere) as other:
        content.redirect = f"http://{other}"
        assert pull(opened(host, credentials=ADA)) == LAYER
    assert [headers.get("Authorization") for _, headers in elsewhere.seen] == [None]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.blobs.update({digest(LAYER): LAYER[:-1] + b"x"}), "sent other bytes than those of"),
        (lambda c: c.blobs.pop(digest(LAYER)), "does not know"),
        (lambda c: c.manifests.update({"1": b"{"}), "is no JSON object"),
        (lambda c: c.manifests.update({"1": b"[]"}), "is no JSON object"),
        (lambda c: c.manifests.update({"1": b"{}"}), "its manifest has no layers"),
        (lambda c: c.manifests.update({"1": b" " * (5 << 20)}), "sent more than 4194304 bytes"),
        (lambda c: c.manifests.pop("1"), "does not know"),
    ],
)
def test_a_registry_that_is_no_friend_is_refused(content, host, change, reason):
    change(content)
    with pytest.raises(HostError, match=reason):
        pull(opened(host))


def test_a_manifest_that_is_not_that_of_the_digest_is_refused(content, host):
    name = next(name for name in content.manifests if name.startswith("sha256:"))
    content.manifests[name] = content.manifests[name].replace(b"2", b"3", 1)
    with opened(host, f"app@{name}") as registry, pytest.raises(HostError, match="sent another manifest than"):
        registry.manifest()


def test_more_bytes_than_there_may_be_are_not_read(host):
    with opened(host) as registry, pytest.raises(HostError, match="has more than 1000 bytes"):
        b"".join(registry.blob(digest(LAYER), 1000))


def test_nobody_at_that_port_is_told_in_a_sentence():
    with opened("127.0.0.1:1") as registry, pytest.raises(HostError, match=r"127\.0\.0\.1:1 does not answer"):
        registry.manifest()


def test_over_https_no_token_is_got_by_http(host):
    wanted = {"realm": f"http://{host}/token"}
    with Registry(reference.parse("registry.example/app")) as registry, pytest.raises(HostError, match="no safe place"):
        registry._token(wanted)
