"""A registry on loopback, with what real ones do: tokens, redirects, ranges, broken connections, hostile answers."""

import base64
import contextlib
import hashlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

USER, PASSWORD = "ada", "swordfish"
TOKEN = "a-token-for-pulling"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Content:
    """What a registry holds, and how it behaves."""

    def __init__(self) -> None:
        self.manifests: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.auth = ""  # or basic, or bearer
        self.busy = 0
        self.breaks = 0
        self.redirect = ""
        self.ranges = True
        self.seen: list[tuple[str, dict[str, str]]] = []

    def add(self, layers: list[bytes], tag: str = "1", config: bytes = b"{}") -> dict[str, Any]:
        document = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": self.put(config), "size": len(config)},
            "layers": [{"digest": self.put(layer), "size": len(layer)} for layer in layers],
        }
        self.manifests[tag] = self.manifests[digest(json.dumps(document).encode())] = json.dumps(document).encode()
        return document

    def put(self, data: bytes) -> str:
        self.blobs[digest(data)] = data
        return digest(data)


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    content: Content
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        content = self.content
        content.seen.append((self.path, dict(self.headers)))
        if self.path.startswith("/token"):
            self._token()
        elif content.auth and not self._may():
            self._challenge()
        elif content.busy:
            content.busy -= 1
            self._answer(503, b"", {"Retry-After": "2"})
        elif "/manifests/" in self.path:
            found = content.manifests.get(self.path.rpartition("/")[2])
            self._answer(200 if found else 404, found or b"")
        else:
            self._blob(content.blobs.get(self.path.rpartition("/")[2]))

    def do_POST(self) -> None:
        self.do_GET()

    def _may(self) -> bool:
        said = self.headers.get("Authorization", "")
        plain = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return said == (f"Basic {plain}" if self.content.auth == "basic" else f"Bearer {TOKEN}")

    def _challenge(self) -> None:
        host = self.headers["Host"]
        bearer = f'Bearer realm="http://{host}/token",service="test",scope="repository:app:pull"'
        self._answer(401, b"", {"WWW-Authenticate": 'Basic realm="x"' if self.content.auth == "basic" else bearer})

    def _token(self) -> None:
        plain = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        good = self.headers.get("Authorization") == f"Basic {plain}" or "refresh_token=identity" in body
        self._answer(200 if good else 401, json.dumps({"token": TOKEN}).encode())

    def _blob(self, data: bytes | None) -> None:
        content = self.content
        if data is None:
            self._answer(404, b"")
        elif content.redirect:
            target, content.redirect = content.redirect, ""
            self._answer(307, b"", {"Location": target + self.path})
        else:
            self._bytes(data)

    def _bytes(self, data: bytes) -> None:
        asked = self.headers.get("Range", "")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.content.ranges else 0
        rest = data[start:]
        if self.content.breaks:
            self.content.breaks -= 1
            self._head(200, len(rest))
            self.wfile.write(rest[: len(rest) // 2])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self._answer(206 if start else 200, rest)

    def _head(self, code: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _answer(self, code: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._head(code, len(body), headers)
        with contextlib.suppress(OSError):
            self.wfile.write(body)


@contextlib.contextmanager
def serving(content: Content, more: Callable[[type[Handler]], None] = lambda _: None) -> Iterator[str]:
    """A registry with this content; its host and port."""
    handler = type("Bound", (Handler,), {"content": content})
    more(handler)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)
