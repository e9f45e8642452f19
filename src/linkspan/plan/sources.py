"""Where a container's configuration asks for devices: annotations, volume mounts, environment (contract 2.3).

The first source that asks for anything wins. Nothing is decided here about what the ids mean.
"""

import posixpath
from collections.abc import Iterable, Mapping

from linkspan.errors import RequestError
from linkspan.facts.model import Model
from linkspan.formats import cdi
from linkspan.formats.oci import VOLUME_MOUNT_ROOT
from linkspan.plan.model import ContainerView, Policy
from linkspan.plan.wording import quoted

VISIBLE_DEVICES = "NVIDIA_VISIBLE_DEVICES"
IMEX_CHANNELS = "NVIDIA_IMEX_CHANNELS"


class Asked(Model, frozen=True, kw_only=True):
    """Ids as they were asked for, trimmed, in order, without repeats; ``source`` says where they stood.

    ``refused`` is a sentence where a request was there but the configuration does not honour it.
    """

    ids: tuple[str, ...] = ()
    source: str = ""
    refused: str = ""


def read_env(elements: Iterable[str]) -> dict[str, str]:
    """The environment by name; the last of several values wins. RequestError on an element without ``=``."""
    env: dict[str, str] = {}
    for element in elements:
        name, separator, value = element.partition("=")
        if not separator:
            raise RequestError(
                f"the environment has an element without '=': {quoted(element)}",
                hint="write it as NAME=VALUE, or leave it out",
                subject=element,
            )
        env[name] = value
    return env


def is_legacy_image(env: Mapping[str, str]) -> bool:
    """An image from before NVIDIA_REQUIRE_CUDA, which means: give it everything (contract 2.2)."""
    return bool(env.get("CUDA_VERSION")) and not env.get("NVIDIA_REQUIRE_CUDA")


def asked_devices(view: ContainerView, env: Mapping[str, str], policy: Policy, *, annotations: bool) -> Asked:
    """The devices asked for by the first source that names any; annotations only where they count."""
    if annotations and (asked := _in_annotations(view, policy)).ids:
        return asked
    if policy.volume_mounts and (asked := _in_mounts(view)).ids:
        return asked
    return _in_env(env, _device_variables(env, policy), view, policy, unset="all" if is_legacy_image(env) else "")


def asked_channels(view: ContainerView, env: Mapping[str, str], policy: Policy) -> Asked:
    """The IMEX channels asked for, by the same rules; a legacy image asks for none."""
    if policy.ignore_imex:
        return Asked()
    if policy.volume_mounts:
        channels = _once(name.removeprefix("imex/") for name in _mounted_names(view) if name.startswith("imex/"))
        if channels:
            return Asked(ids=channels, source=f"mounts below {VOLUME_MOUNT_ROOT}/imex")
    return _in_env(env, (IMEX_CHANNELS,), view, policy, unset="")


def _in_annotations(view: ContainerView, policy: Policy) -> Asked:
    keys = sorted(key for key in view.annotations if key.startswith(policy.annotation_prefixes))
    ids = _once(name for key in keys for name in _annotated(key, view.annotations[key], policy))
    return Asked(ids=ids, source=f"annotation {', '.join(keys)}" if keys else "")


def _annotated(key: str, value: str, policy: Policy) -> list[str]:
    """The names in one annotation. A malformed one is refused: whoever wrote it did not mean the environment's."""
    names = [name.strip() for name in value.split(",")]
    for name in names:
        # Where the mode is set to cdi, a bare name means one of the default kind.
        full = name if "=" in name or policy.mode != "cdi" else f"{policy.default_kind}={name}"
        if not cdi.parse_name(full):
            raise RequestError(
                f"the annotation {quoted(key)} has {quoted(name)} where a CDI device name has to stand",
                hint="write VENDOR/CLASS=DEVICE, such as nvidia.com/gpu=0, several of them separated by commas",
                subject=key,
            )
    return names


def _in_mounts(view: ContainerView) -> Asked:
    ids = _once(_device_of_mount(name) for name in _mounted_names(view) if not name.startswith("imex/"))
    return Asked(ids=ids, source=f"mounts below {VOLUME_MOUNT_ROOT}")


def _mounted_names(view: ContainerView) -> list[str]:
    """What stands below the folder of requests, compared by whole components; the source has to be /dev/null."""
    below = [
        _clean(destination).removeprefix(VOLUME_MOUNT_ROOT + "/")
        for source, destination in view.mounts
        if _clean(source) == "/dev/null" and _clean(destination).startswith(VOLUME_MOUNT_ROOT + "/")
    ]
    return [name for name in below if name not in ("imex", "cdi")]


def _clean(path: str) -> str:
    # POSIX lets two leading slashes stand; Go's path.Clean, and the kernel, do not care.
    return posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else posixpath.normpath(path)


def _device_of_mount(name: str) -> str:
    """``4`` and ``GPU-…`` as they are; ``cdi/nvidia.com/gpu/0`` and ``cdi/nvidia.com/gpu=0`` as the name they spell."""
    if not name.startswith("cdi/"):
        return name
    spelled = name.removeprefix("cdi/")
    if "=" not in spelled:
        spelled = "=".join(spelled.rsplit("/", 1))
    if not cdi.parse_name(spelled):
        raise RequestError(
            f"the mount {quoted(f'{VOLUME_MOUNT_ROOT}/{name}')} does not spell a CDI device name",
            hint=f"mount /dev/null at {VOLUME_MOUNT_ROOT}/cdi/VENDOR/CLASS/DEVICE",
            subject=name,
        )
    return spelled


def _device_variables(env: Mapping[str, str], policy: Policy) -> tuple[str, ...]:
    return tuple(name for name in policy.swarm_resources if name in env) or (VISIBLE_DEVICES,)


def _in_env(
    env: Mapping[str, str], names: tuple[str, ...], view: ContainerView, policy: Policy, *, unset: str
) -> Asked:
    """The ids in these variables, all together; ``unset`` is what it means that none of them is set."""
    present = [name for name in names if name in env]
    text = ",".join(env[name] for name in present) if present else unset
    ids = _once(item.strip() for item in text.split(","))
    if not ids or "void" in ids:
        return Asked()
    source = ", ".join(present) or "CUDA_VERSION"
    if not (view.privileged or policy.env_when_unprivileged):
        return Asked(source=source, refused=f"{source} does not count: the container lacks CAP_SYS_ADMIN")
    return Asked(ids=next(((item,) for item in ids if item in ("all", "none")), ids), source=source)


def _once(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for item in items if item))
