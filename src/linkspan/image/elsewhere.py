"""Images that are neither a file nor a folder: those of registries and of engines, by a prefix that says whose.

``registry:NAME`` (or ``docker://NAME``, as skopeo writes it), ``docker-daemon:NAME``, ``podman:NAME``,
``containerd:NAME`` and ``container:NAME``, a running container of Docker's. Without a prefix nobody is asked: a name
alone never makes a check go to the network.
"""

import platform
from collections.abc import Mapping

import msgspec

from linkspan.image import credentials, daemons, read, reference, source
from linkspan.image.distribution_api import Registry
from linkspan.image.layer_cache import LayerCache
from linkspan.image.model import Image
from linkspan.image.remote import RegistrySource

PREFIXES = ("registry:", "docker://", "docker-daemon:", "podman:", "containerd:", "container:")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def open_any(
    asked: str, env: Mapping[str, str], cache: LayerCache | None = None, insecure: frozenset[str] = frozenset()
) -> Image:
    """Read an image, wherever it is; raises what ``open_elsewhere`` and ``source.open_image`` raise."""
    return open_elsewhere(asked, env, cache, insecure) if is_elsewhere(asked) else source.open_image(asked, cache)


def is_elsewhere(asked: str) -> bool:
    """True for a reference with one of the prefixes."""
    return asked.startswith(PREFIXES)


def open_elsewhere(
    asked: str, env: Mapping[str, str], cache: LayerCache | None = None, insecure: frozenset[str] = frozenset()
) -> Image:
    """Read such an image. ``insecure`` are hosts whose certificate is not looked at; ``http://HOST`` has none.

    Raises RequestError for what is no name, HostError where it cannot be had, FormatError where it is broken.
    """
    prefix = next(one for one in PREFIXES if asked.startswith(one))
    name = asked.removeprefix(prefix)
    if prefix == "docker-daemon:":
        with daemons.of_docker(name) as path:
            return _named(source.open_image(path, cache), asked)
    if prefix in ("podman:", "containerd:"):
        with daemons.by_program(prefix.rstrip(":"), name, env) as path:
            return _named(source.open_image(path, cache), asked)
    if prefix == "container:":
        return read.read(daemons.ContainerSource(name), cache)
    return _of_registry(name, env, cache, insecure)


def _of_registry(name: str, env: Mapping[str, str], cache: LayerCache | None, insecure: frozenset[str]) -> Image:
    wanted = reference.parse(name)
    known = credentials.find(wanted.host, env)
    machine = platform.machine()
    plain = frozenset(host.removeprefix("http://") for host in insecure if host.startswith("http://"))
    with Registry(wanted, known, plain=plain, unverified=insecure) as registry:
        return read.read(RegistrySource(registry, ("linux", _MACHINES.get(machine, machine))), cache)


def _named(image: Image, asked: str) -> Image:
    return msgspec.structs.replace(image, source=asked)
