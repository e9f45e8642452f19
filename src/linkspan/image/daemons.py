"""Images that an engine of this host has: exported by it into a private file without a name, and read from there."""

import contextlib
import http.client
import json
import os
import shutil
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from linkspan.engines import unix_http
from linkspan.errors import ConfigError, HostError, KernelError
from linkspan.image.access import Watch, nobody
from linkspan.image.blobs import LayerBlob
from linkspan.kernel import process

SOCKET = "/run/docker.sock"
CHUNK = 1 << 20
WAIT_S = 300.0
"""How long a daemon may be silent while it puts an image together."""
EXPORT_S = 1800.0
_DOCUMENT = 4 << 20
_NEEDED = ("HOME", "PATH", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "USER", "CONTAINER_HOST")


@contextlib.contextmanager
def of_docker(name: str, socket: str = SOCKET, watch: Watch = nobody) -> Iterator[str]:
    """The path of an archive with an image of Docker's, gone afterwards. Raises HostError with Docker's reason."""
    with tempfile.TemporaryFile(prefix="linkspan-image-") as file:
        _fetch(socket, f"/images/{urllib.parse.quote(name, safe='/:@')}/get", file, name, watch)
        yield f"/proc/self/fd/{file.fileno()}"


def docker_socket(env: Mapping[str, str]) -> str:
    """Where Docker's daemon listens: by DOCKER_HOST, as its client has it, else at its usual place.

    Raises ConfigError for a daemon that listens on another machine's port.
    """
    host = env.get("DOCKER_HOST", "")
    if host and not host.startswith("unix:///"):
        raise ConfigError(f"DOCKER_HOST is {host}, and only a socket, unix:///…, can be asked here", subject=host)
    return host.removeprefix("unix://") or SOCKET


@contextlib.contextmanager
def by_program(kind: str, name: str, env: Mapping[str, str]) -> Iterator[str]:
    """The same with an image of Podman's or containerd's, by ``podman`` or ``ctr``."""
    with tempfile.TemporaryDirectory(prefix="linkspan-image-") as folder:
        path = f"{folder}/image.tar"
        namespace = env.get("CONTAINERD_NAMESPACE", "k8s.io")
        command = {
            "podman": ["podman", "image", "save", "--quiet", "--format=oci-archive", f"--output={path}", "--", name],
            "containerd": ["ctr", f"--namespace={namespace}", "images", "export", path, name],
        }[kind]
        if not shutil.which(command[0], path=env.get("PATH")):
            hint = "save the image to a file where it is, and name that"
            raise HostError(
                f"{command[0]} is not installed, so nobody here has the image {name}", hint=hint, subject=name
            )
        try:
            process.run(command, env={key: env[key] for key in _NEEDED if key in env}, timeout_s=EXPORT_S)
        except KernelError as error:
            raise HostError(f"{command[0]} does not give the image {name}: {error.message}", subject=name) from error
        yield path


class ContainerSource:
    """A running container of Docker's: what its root file system is now, as one layer."""

    def __init__(self, name: str, socket: str = SOCKET) -> None:
        self.reference = f"container {name}"
        self._name = name
        self._socket = socket

    def config(self) -> bytes:
        """The configuration that the container runs with."""
        about = _document(self._socket, f"/containers/{urllib.parse.quote(self._name, safe='')}/json", self._name)
        return json.dumps({"config": about.get("Config") or {}, "os": "linux"}).encode()

    def layers(self) -> Iterator[LayerBlob]:
        """Its files, in one layer that is streamed."""
        yield LayerBlob("", "", -1, self._open)

    def _open(self) -> BinaryIO:
        connection = unix_http.Connection(self._socket, WAIT_S)
        return _answer(connection, f"/containers/{urllib.parse.quote(self._name, safe='')}/export", self._name)


def _fetch(socket: str, path: str, file: BinaryIO, name: str, watch: Watch) -> None:
    with contextlib.closing(unix_http.Connection(socket, WAIT_S)) as connection:
        answer = _answer(connection, path, name)
        try:
            while part := answer.read(CHUNK):
                file.write(part)
                watch("Docker's archive of it", file.tell(), 0)
        except (OSError, http.client.HTTPException) as error:
            raise HostError(f"Docker broke off while it sent {name}: {error}", subject=name) from error
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)


def _document(socket: str, path: str, name: str) -> dict[str, Any]:
    with contextlib.closing(unix_http.Connection(socket, WAIT_S)) as connection:
        try:
            found = json.loads(_answer(connection, path, name).read(_DOCUMENT))
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise HostError(f"Docker does not tell of {name}: {error}", subject=name) from error
    return found if isinstance(found, dict) else {}


def _answer(connection: unix_http.Connection, path: str, name: str) -> http.client.HTTPResponse:
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise HostError(
            f"Docker does not answer at {connection.path}: {why[:1].lower()}{why[1:]}",
            hint="it must run, and you need the right to its socket; DOCKER_HOST names another",
            subject=name,
        ) from error
    if answer.status != http.client.OK:
        raise HostError(f"Docker does not give {name}: {_reason(answer)}", subject=name)
    return answer


def _reason(answer: http.client.HTTPResponse) -> str:
    try:
        return str(json.loads(answer.read(_DOCUMENT))["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return f"{answer.status} {answer.reason}"
