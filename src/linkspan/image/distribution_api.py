"""Registries, by the OCI distribution API: manifests and blobs, read and checked by their digests.

A registry is a stranger. What it sends is bounded in size and time, and its digests are computed anew. Credentials go
to it, or to the place for tokens that it names, and over plain http only where that was asked for; not to where it
redirects to.
"""

import base64
import contextlib
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Self

import httpx

from linkspan._version import __version__
from linkspan.errors import HostError
from linkspan.image.credentials import Credentials
from linkspan.image.reference import Reference

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_INDEXES = MANIFESTS[:2]
MANIFEST_LIMIT = 4 << 20
"""Bytes of a manifest or token, as most registries bound them, too."""
CONNECT_S, READ_S = 15.0, 60.0
TRIES = 4
PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
CHUNK = 1 << 20
_REASONS = {401: "wants credentials for", 403: "does not let us have", 404: "does not know", 429: "is too busy for"}
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class Registry:
    """A connection to the registry of one image. ``plain`` are hosts that may be spoken to by http."""

    def __init__(
        self,
        reference: Reference,
        credentials: Credentials | None = None,
        *,
        plain: frozenset[str] = frozenset(),
        unverified: frozenset[str] = frozenset(),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.reference = reference
        self._credentials = credentials
        self._authorization = ""
        self._pause = pause
        scheme = "http" if reference.host in plain else "https"
        self._base = f"{scheme}://{reference.api_host}/v2/{reference.repository}"
        self._client = httpx.Client(
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            verify=reference.host not in unverified,
            headers={"User-Agent": f"linkspan/{__version__}", "Accept-Encoding": "identity"},
            follow_redirects=True,  # httpx sends no Authorization to another origin
            max_redirects=5,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def manifest(self, platform: tuple[str, str] = ("linux", "amd64")) -> dict[str, Any]:
        """The image's manifest, for a platform where there are several; HostError where there is none."""
        document = self._document(self.reference.wanted, self.reference.digest)
        if document.get("mediaType") in _INDEXES or "manifests" in document:
            digest = _of_platform(document, platform)
            if not digest:
                raise HostError(f"{self.reference} has no image for {'/'.join(platform)}", subject=str(self.reference))
            document = self._document(digest, digest)
        if not isinstance(document.get("layers"), list) or not isinstance(document.get("config"), dict):
            raise HostError(f"{self.reference} is no image: its manifest has no layers", subject=str(self.reference))
        return document

    def _document(self, wanted: str, digest: str) -> dict[str, Any]:
        url = f"{self._base}/manifests/{wanted}"
        with self._get(url, {"Accept": ", ".join(MANIFESTS)}) as answer:
            data = _bounded(answer, MANIFEST_LIMIT)
        if digest and f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            raise HostError(f"the registry sent another manifest than {digest}", subject=str(self.reference))
        try:
            document = json.loads(data)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise HostError(f"the manifest of {self.reference} is no JSON object", subject=str(self.reference))
        return document

    def blob(self, digest: str, limit: int) -> Iterator[bytes]:
        """The bytes of a blob, gone on with where a connection breaks; HostError where the digest is another.

        ``limit`` is how many bytes there may be. The digest is known only at the end: who uses the parts before has to
        take back what came of them.
        """
        seen, done = hashlib.sha256(), 0
        for attempt in range(TRIES):
            try:
                for part in self._parts(digest, done):
                    done += len(part)
                    if done > limit:
                        raise HostError(f"{digest} has more than {limit} bytes", subject=digest)
                    seen.update(part)
                    yield part
                break
            except httpx.TransportError as error:
                if attempt + 1 == TRIES:
                    raise HostError(f"{self.reference.host} broke off while sending {digest}: {error}") from error
                self._pause(PAUSE_S * 2**attempt)
        if f"sha256:{seen.hexdigest()}" != digest:
            raise HostError(f"the registry sent other bytes than those of {digest}", subject=digest)

    def _parts(self, digest: str, start: int) -> Iterator[bytes]:
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._get(f"{self._base}/blobs/{digest}", headers) as answer:
            skip = start if start and answer.status_code == httpx.codes.OK else 0  # it knows no ranges: all over again
            for part in answer.iter_raw(CHUNK):
                yield part[skip:]
                skip = max(0, skip - len(part))

    def _get(self, url: str, headers: dict[str, str]) -> "contextlib.closing[httpx.Response]":
        return contextlib.closing(self._send_and_wait(url, headers))

    def _send_and_wait(self, url: str, headers: dict[str, str]) -> httpx.Response:
        """Ask, with a token where one is wanted, and again after a while where the registry is busy."""
        for attempt in range(TRIES):
            own = {"Authorization": self._authorization} if self._authorization else {}
            answer = self._send(url, {**headers, **own})
            if answer.status_code == httpx.codes.UNAUTHORIZED and attempt == 0:
                challenge = answer.headers.get("WWW-Authenticate", "")
                answer.close()
                self._authorization = self._answer(challenge)
            elif answer.status_code in (429, 502, 503, 504) and attempt + 1 < TRIES:
                wait = _wait(answer, attempt)
                answer.close()
                self._pause(wait)
            else:
                return self._checked(answer, url)
        raise HostError(f"{self.reference.host} refuses us although it gave us a token", subject=str(self.reference))

    def _send(self, url: str, headers: dict[str, str]) -> httpx.Response:
        try:
            return self._client.send(self._client.build_request("GET", url, headers=headers), stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            hint = "--insecure HOST allows http, or a certificate that nobody signed" if "SSL" in str(error) else ""
            raise HostError(f"{self.reference.host} does not answer: {_why(error)}", hint=hint) from error

    def _checked(self, answer: httpx.Response, url: str) -> httpx.Response:
        if answer.status_code in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            return answer
        answer.close()
        host, name = self.reference.host, str(self.reference)
        reasons = {
            401: "wants credentials for",
            403: "does not let us have",
            404: "does not know",
            429: "is too busy for",
        }
        reason = reasons.get(answer.status_code, f"answers {answer.status_code} to")
        hint = f"log in: docker login {host}" if answer.status_code in (401, 403) else ""
        raise HostError(f"{host} {reason} {name}", hint=hint, subject=url)

    def _answer(self, challenge: str) -> str:
        """The header for a challenge: our name and password, or a token got for them (distribution's token spec)."""
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic" and self._credentials and self._credentials.username:
            return _basic(self._credentials)
        if kind.lower() == "bearer":
            return f"Bearer {self._token(dict(_CHALLENGE.findall(rest)))}"
        return ""

    def _token(self, wanted: dict[str, str]) -> str:
        realm = wanted.get("realm", "")
        if not realm.startswith("https://") and not (realm.startswith("http://") and self._base.startswith("http://")):
            raise HostError(f"{self.reference.host} names no safe place to get a token from: {realm!r}")
        query = {"service": wanted.get("service", ""), "scope": f"repository:{self.reference.repository}:pull"}
        with contextlib.closing(self._token_answer(realm, query)) as answer:
            if answer.status_code != httpx.codes.OK:
                hint = f"log in: docker login {self.reference.host}"
                raise HostError(f"{self.reference.host} gives no token for {self.reference}", hint=hint)
            data = _bounded(answer, MANIFEST_LIMIT)
        try:
            document = json.loads(data)
            return str(document.get("token") or document["access_token"])
        except (ValueError, KeyError, AttributeError) as error:
            raise HostError(f"{self.reference.host} sent no token where it had to") from error

    def _token_answer(self, realm: str, query: dict[str, str]) -> httpx.Response:
        credentials = self._credentials
        if credentials and credentials.token:
            form = {**query, "grant_type": "refresh_token", "client_id": "linkspan", "refresh_token": credentials.token}
            request = self._client.build_request("POST", realm, data=form)
        else:
            headers = {"Authorization": _basic(credentials)} if credentials and credentials.username else {}
            request = self._client.build_request("GET", realm, params=query, headers=headers)
        try:
            return self._client.send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise HostError(f"the place to get a token from does not answer: {_why(error)}") from error


def _basic(credentials: Credentials) -> str:
    plain = f"{credentials.username}:{credentials.password}".encode()
    return f"Basic {base64.b64encode(plain).decode()}"


def _wait(answer: httpx.Response, attempt: int) -> float:
    text = answer.headers.get("Retry-After", "")
    asked = float(text) if text.isdecimal() and len(text) < 6 else PAUSE_S * 2**attempt
    return min(asked, LONGEST_PAUSE_S)


def _bounded(answer: httpx.Response, limit: int) -> bytes:
    data = b""
    for part in answer.iter_raw(CHUNK):
        data += part
        if len(data) > limit:
            raise HostError(f"a registry sent more than {limit} bytes where a document was asked for")
    return data


def _of_platform(index: dict[str, Any], platform: tuple[str, str]) -> str:
    for entry in index.get("manifests") or ():
        about = entry.get("platform") if isinstance(entry, dict) else None
        if isinstance(about, dict) and (about.get("os"), about.get("architecture")) == platform:
            return str(entry.get("digest", ""))
    return ""


def _why(error: Exception) -> str:
    """What httpx complains of, without the number of the system's error."""
    return re.sub(r"^\[Errno -?\d+\] ", "", str(error)).lower() or type(error).__name__
