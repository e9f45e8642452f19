"""A running container of any engine, by its ID or name: by Docker where that knows it, else through its first process.

What is mounted into it is none of its own, and is left out: the host's files that GPUs came with, volumes, ``/proc``.
"""

import contextlib

import msgspec

from linkspan.check import subjects
from linkspan.errors import HostError, RequestError
from linkspan.image import daemons, read, rootfs
from linkspan.image.access import Access
from linkspan.image.model import Config, Image


def open_container(name: str, access: Access) -> Image:
    """The image that a container is now: by Docker, which knows its configuration, else by its process.

    Raises ConfigError for a DOCKER_HOST that cannot be asked, HostError where no engine here runs such a container.
    """
    source = daemons.ContainerSource(name, daemons.docker_socket(access.env))
    try:
        return read.read(source, access)
    except HostError as of_docker:
        return msgspec.structs.replace(_of_process(name, of_docker), source=source.reference)


def _of_process(name: str, of_docker: HostError) -> Image:
    try:
        pid = subjects.pid_of(name)
    except RequestError:
        raise HostError(
            f"no engine here runs a container {name}",
            hint=f"look at its name in docker ps, podman ps or crictl ps; {of_docker.message}",
            subject=name,
        ) from of_docker
    root = subjects.of_process(pid)
    return rootfs.read(root.path, Config(env=_environment(pid), is_there=False), frozenset(root.mounts))


def _environment(pid: int) -> tuple[str, ...]:
    """The variables that its first process was started with; none where we may not look."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", encoding="utf-8", errors="replace") as file:
        return tuple(one for one in file.read().split("\0") if "=" in one)
    return ()
