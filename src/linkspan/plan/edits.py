"""How an injection is put together: parts are merged, and device nodes bring the groups that may open them."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from linkspan.facts.model import DeviceNode
from linkspan.plan.model import Injection

VOID = "NVIDIA_VISIBLE_DEVICES=void"
"""Tells a second runtime or hook that this container has been served (contract 9.1 #3)."""
NO_DEVICE = "NVCT_EMPTY_DEVICE="
"""What the toolkit sets where the driver was asked for and no GPU (contract 5.4)."""

T = TypeVar("T")


def merge(*parts: Injection) -> Injection:
    """The parts as one, in order; a path of the container that an earlier part fills stays as that part has it.

    Where a file is mounted no link is made: it would have to replace the mount.
    """

    def once(items: Callable[[Injection], Iterable[T]], key: Callable[[T], object]) -> tuple[T, ...]:
        found: dict[object, T] = {}
        for part in parts:
            for item in items(part):
                found.setdefault(key(item), item)
        return tuple(found.values())

    def first(text: Callable[[Injection], str]) -> str:
        return next(filter(None, map(text, parts)), "")

    mounts = once(lambda part: part.mounts, lambda mount: mount.container_path)
    mounted = {mount.container_path for mount in mounts}
    links = once(lambda part: part.links, lambda link: link.path)
    return Injection(
        devices=once(lambda part: part.devices, lambda node: node.path),
        mounts=mounts,
        links=tuple(link for link in links if link.path not in mounted),
        loadables=once(lambda part: part.loadables, lambda item: item.path),
        env=once(lambda part: part.env, str),
        gids=once(lambda part: part.gids, int),
        driver_version=first(lambda part: part.driver_version),
        cuda_version=first(lambda part: part.cuda_version),
        compat_root=first(lambda part: part.compat_root),
        mask_params=any(part.mask_params for part in parts),
        application_profile=any(part.application_profile for part in parts),
    )


def nodes(found: Iterable[DeviceNode]) -> Injection:
    """These nodes, and the groups that a process needs to open those that are not for everyone (contract 5.4)."""
    devices = tuple(found)
    gids = dict.fromkeys(node.gid for node in devices if node.gid and node.mode & 0o006 != 0o006)
    return Injection(devices=devices, gids=tuple(gids))
