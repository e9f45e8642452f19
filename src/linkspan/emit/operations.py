"""What is left to do inside a container's root once devices and mounts are declared: the work of ``kernel.prepare``.

The same work has two spellings: a plain document, kept with the ready-made edits for the runtime wrapper, and the
arguments of the one hook entry in a CDI spec, for engines that inject by themselves. ``formats.hookargs`` turns each
into the other.
"""

from collections.abc import Iterable
from typing import Any

from linkspan.formats import hookargs
from linkspan.plan.model import Injection

HOOK_ENV = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin",)
"""Never empty: without an ``env`` of its own a hook gets the container's, LD_PRELOAD included (CVE-2025-23266)."""


def work(injection: Injection, arch: str) -> dict[str, Any]:
    """The injection's work inside the root, as ``kernel.prepare.prepare`` takes it; empty where there is none."""
    document: dict[str, Any] = {}
    if injection.links:
        document["links"] = [[link.target, link.path] for link in injection.links]
    if injection.loadables:
        document["loadables"] = [[item.path, item.bits] for item in injection.loadables]
    if injection.driver_version or injection.cuda_version:
        document["compat"] = _compat(injection)
    if injection.application_profile:
        document["profile"] = gpu_minors((node.path, node.minor) for node in injection.devices)
    return {"arch": arch, **document} if document else {}


def gpu_minors(nodes: Iterable[tuple[str, int]]) -> list[int]:
    """The minors of the GPUs among device nodes, given as (path, minor), ascending."""
    return sorted(minor for path, minor in nodes if path.removeprefix("/dev/nvidia").isdecimal())


def _compat(injection: Injection) -> dict[str, str]:
    return {"driver": injection.driver_version, "cuda": injection.cuda_version, "root": injection.compat_root}


def hook_arguments(injection: Injection) -> list[str]:
    """The arguments of the hook entry that does the same work in a container that an engine makes; may be empty."""
    return hookargs.render(work(injection, ""), injection.mask_params)


def hook(path: str, arguments: list[str]) -> dict[str, Any]:
    """An OCI hook entry (also CDI's, less the ``hookName``) that runs the program at ``path`` with these arguments."""
    return {"path": path, "args": ["linkspan-hook", hookargs.VERB, *arguments], "env": list(HOOK_ENV)}
