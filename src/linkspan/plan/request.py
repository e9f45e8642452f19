"""A container's configuration as one ``DeviceRequest``: the only place that knows how each source spells it."""

from collections.abc import Mapping

from linkspan.errors import RequestError
from linkspan.facts.model import Platform
from linkspan.formats import cdi
from linkspan.plan import capabilities
from linkspan.plan.mode import Mode, resolve_mode
from linkspan.plan.model import GATES, Capability, ContainerView, DeviceRequest, Policy
from linkspan.plan.requirements import read_requirements
from linkspan.plan.sources import Asked, asked_channels, asked_devices, is_legacy_image, read_env
from linkspan.plan.wording import quoted

AUTOMATIC_KIND = "runtime.nvidia.com/gpu"
"""Names of this kind mean the device itself, not an entry of a spec on disk (contract 2.6)."""

_AUTOMATIC = f"{AUTOMATIC_KIND}="

_ALL_CSV_FILES = "csv-mounts=all"


def read_request(view: ContainerView, policy: Policy, platform: Platform = "nvml") -> DeviceRequest:
    """What the container asks for; empty where it is to be left as it is.

    Raises RequestError where a source is malformed, asks for what is not allowed, or mixes what cannot be mixed.
    """
    env = read_env(view.env)
    mode = resolve_mode(policy, view, platform)
    asked = asked_devices(view, env, policy, annotations=mode == "cdi")
    devices, cdi_devices = _by_kind(asked, mode, policy)
    if not (devices or cdi_devices):
        return DeviceRequest(source=asked.source, refused=asked.refused)
    legacy_image = is_legacy_image(env)
    return DeviceRequest(
        devices=devices,
        cdi_devices=cdi_devices,
        source=asked.source,
        capabilities=_capabilities(env, mode, policy, legacy_image=legacy_image),
        requirements=() if policy.disable_require else read_requirements(env, legacy_image=legacy_image),
        imex_channels=asked_channels(view, env, policy).ids,
        gates=tuple(gate for gate in GATES if env.get(f"NVIDIA_{gate.upper()}") == "enabled"),
        csv_all=env.get("NVIDIA_REQUIRE_JETPACK") == _ALL_CSV_FILES,
        mig_config=_mig_wide(env, "NVIDIA_MIG_CONFIG_DEVICES", view),
        mig_monitor=_mig_wide(env, "NVIDIA_MIG_MONITOR_DEVICES", view),
        legacy_image=legacy_image,
    )


def _by_kind(asked: Asked, mode: Mode, policy: Policy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The ids that we look up ourselves, and the qualified names that a spec on disk has to know."""
    kind = policy.default_kind if mode == "cdi" else AUTOMATIC_KIND
    names = [_qualify(item, kind, asked) for item in asked.ids]
    ours = [name.removeprefix(_AUTOMATIC) for name in names if name.startswith(_AUTOMATIC)]
    theirs = [name for name in names if not name.startswith(_AUTOMATIC)]
    if theirs and ours:
        raise RequestError(
            f"{asked.source} mixes {quoted(ours[0])}, a plain id, with {quoted(theirs[0])}, a CDI device name",
            hint="write all of them plain, or all of them as VENDOR/CLASS=DEVICE",
            subject=asked.source,
        )
    if theirs and mode in ("legacy", "csv"):
        raise RequestError(
            f"{asked.source} has the CDI device name {quoted(theirs[0])}, which mode {mode} cannot look up",
            hint="set the runtime's mode to auto or cdi, or ask for a plain id such as 0",
            subject=theirs[0],
        )
    alone = next((item for item in ours if item in ("all", "none")), None)
    return (alone,) if alone else tuple(dict.fromkeys(ours)), tuple(dict.fromkeys(theirs))


def _qualify(item: str, kind: str, asked: Asked) -> str:
    if cdi.parse_name(item):
        return item
    if "=" in item:  # no plain id has one, so this was to be a qualified name
        raise RequestError(
            f"{asked.source} has {quoted(item)}, which is not a CDI device name",
            hint="write VENDOR/CLASS=DEVICE, such as nvidia.com/gpu=0",
            subject=item,
        )
    return f"{kind}={item}"


def _capabilities(
    env: Mapping[str, str], mode: Mode, policy: Policy, *, legacy_image: bool
) -> tuple[Capability, ...] | None:
    named = capabilities.read_capabilities(env.get(capabilities.VARIABLE, ""), policy.supported_capabilities)
    if named is not None or mode != "legacy":
        return named
    return capabilities.hook_default(policy.supported_capabilities, legacy_image=legacy_image)


def _mig_wide(env: Mapping[str, str], variable: str, view: ContainerView) -> str:
    """The value of a variable that opens MIG for all GPUs at once: it takes CAP_SYS_ADMIN, and knows only ``all``."""
    value = env.get(variable, "").strip()
    if value and not view.privileged:
        raise RequestError(
            f"{variable} asks for {quoted(value)}, but the container lacks CAP_SYS_ADMIN",
            hint=f"add CAP_SYS_ADMIN to the container, or leave {variable} out",
            subject=variable,
        )
    if value not in ("", "all"):
        raise RequestError(f"{variable} is {quoted(value)}", hint="it can only be 'all'", subject=variable)
    return value
