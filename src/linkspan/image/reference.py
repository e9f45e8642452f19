"""The names of images in registries, as docker reads them (distribution's reference grammar)."""

import re

from linkspan.errors import RequestError
from linkspan.facts.model import Model
from linkspan.plan.wording import quoted

DOCKER_HUB = "docker.io"
_HUBS_API = "registry-1.docker.io"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?|\[[0-9a-fA-F:]+\](?::\d{1,5})?")
LONGEST = 255


class Reference(Model, frozen=True, kw_only=True):
    """An image in a registry: by ``digest`` where that is given, else by ``tag``."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def api_host(self) -> str:
        """The host that answers for the registry; that of Docker Hub has another name."""
        return _HUBS_API if self.host == DOCKER_HUB else self.host

    @property
    def wanted(self) -> str:
        """What a manifest is asked for by."""
        return self.digest or self.tag

    def __str__(self) -> str:
        """The whole name."""
        return f"{self.host}/{self.repository}{'@' if self.digest else ':'}{self.wanted}"


def parse(text: str) -> Reference:
    """Read a name; RequestError where it is none.

    ``ubuntu`` is ``docker.io/library/ubuntu:latest``. What comes before the first slash is a host only where it has a
    dot or a port, or is ``localhost``.
    """
    name, at, digest = text.partition("@")
    host, repository = _split_host(name)
    path, colon, tag = repository.rpartition(":")
    repository, tag = (path, tag) if colon else (repository, "")
    if host == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    fits = _HOST.fullmatch(host) and _REPOSITORY.fullmatch(repository) and len(repository) <= LONGEST
    if not fits or (colon and not _TAG.fullmatch(tag)) or (at and not _DIGEST.fullmatch(digest)):
        hint = "write it as in registry.example:5000/team/app:1.2"
        raise RequestError(f"{quoted(text)} is no name of an image", hint=hint, subject=text)
    return Reference(host=host, repository=repository, tag=tag or ("" if digest else "latest"), digest=digest)


def _split_host(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return ("docker.io" if first in ("index.docker.io", _HUBS_API) else first), rest
    return DOCKER_HUB, name
