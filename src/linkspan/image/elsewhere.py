"""Images that are neither a file nor a folder: those of registries and of engines, by a prefix that says whose.

``registry:NAME`` (or ``docker://NAME``, as skopeo writes it), ``docker-daemon:NAME``, ``podman:NAME``,
``containerd:NAME`` and ``container:NAME``, a running container of any engine. Without a prefix nobody is asked: a
name alone never makes a check go to the network.
"""

from contextlib import AbstractContextManager

import msgspec

from linkspan.errors import RequestError
from linkspan.image import containerd, credentials, daemons, read, reference, running, source
from linkspan.image.access import Access
from linkspan.image.distribution_api import Registry
from linkspan.image.model import Image
from linkspan.image.remote import RegistrySource

PREFIXES = ("registry:", "docker://", "docker-daemon:", "podman:", "containerd:", "container:")


def open_any(asked: str, access: Access) -> Image:
    """Read an image, wherever it is; raises what ``open_elsewhere`` and ``source.open_image`` raise."""
    return open_elsewhere(asked, access) if is_elsewhere(asked) else source.open_image(asked, access)


def is_elsewhere(asked: str) -> bool:
    """True for a reference with one of the prefixes."""
    return asked.startswith(PREFIXES)


def open_elsewhere(asked: str, access: Access) -> Image:
    """Read such an image.

    Raises RequestError for what is no name, HostError where it cannot be had, FormatError where it is broken.
    """
    prefix = next(one for one in PREFIXES if asked.startswith(one))
    name = asked.removeprefix(prefix)
    if not name:
        raise RequestError(f"{prefix} names no image", hint=f"write it as in {prefix}team/app:1.2", subject=asked)
    if prefix == "container:":
        return running.open_container(name, access)
    if prefix in _EXPORTED:
        with _EXPORTED[prefix](name, access) as path:
            return msgspec.structs.replace(source.open_image(path, access), source=asked)
    return _of_registry(name, access)


def _of_docker(name: str, access: Access) -> AbstractContextManager[str]:
    return daemons.of_docker(name, daemons.docker_socket(access.env), access.watch)


def _of_podman(name: str, access: Access) -> AbstractContextManager[str]:
    return daemons.of_podman(name, access.env)


def _of_containerd(name: str, access: Access) -> AbstractContextManager[str]:
    return containerd.export(name, access.env, access.platform)


_EXPORTED = {"docker-daemon:": _of_docker, "podman:": _of_podman, "containerd:": _of_containerd}
"""Who puts an image into a private archive."""


def _of_registry(name: str, access: Access) -> Image:
    named = reference.parse(name)
    wanted = msgspec.structs.replace(named, host=access.mirrors.get(named.host, named.host))
    known = access.credentials.get(wanted.host) or credentials.find(wanted.host, access.env)
    plain = frozenset(host.removeprefix("http://") for host in access.insecure if host.startswith("http://"))
    with Registry(wanted, known, plain=plain, unverified=access.insecure) as registry:
        return read.read(RegistrySource(registry, access.wanted), access)
