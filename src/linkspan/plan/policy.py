"""What a toolkit's ``config.toml`` means for deciding."""

from linkspan.formats.toolkit_config import CudaCompatMode, ToolkitConfig
from linkspan.plan.model import CAPABILITIES, Capability, Policy


def policy_of(config: ToolkitConfig) -> Policy:
    """The switches of ``config.toml`` that the planner reads."""
    runtime, features = config.nvidia_container_runtime, config.features
    return Policy(
        mode=runtime.mode,
        default_kind=runtime.modes.cdi.default_kind,
        annotation_prefixes=runtime.modes.cdi.annotation_prefixes,
        swarm_resources=_names(config.swarm_resource),
        env_when_unprivileged=config.accept_nvidia_visible_devices_envvar_when_unprivileged,
        volume_mounts=config.accept_nvidia_visible_devices_as_volume_mounts,
        supported_capabilities=_capabilities(config.supported_driver_capabilities),
        disable_require=config.disable_require,
        ignore_imex=features.ignore_imex_channel_requests,
        cuda_compat_mode=_cuda_compat_mode(config),
        additional_gids=not features.no_additional_gids_for_device_nodes,
        compat_root=runtime.modes.csv.compat_container_root,
        features=runtime.modes.jit_cdi.nvcdi_feature_flags,
        disabled_hooks=runtime.modes.jit_cdi.nvcdi_disable_hooks,
    )


def _cuda_compat_mode(config: ToolkitConfig) -> CudaCompatMode:
    """The compatibility libraries stay off where their hook was switched off, by either of its two switches."""
    modes = config.nvidia_container_runtime.modes
    chosen = modes.legacy.cuda_compat_mode
    off = config.features.disable_cuda_compat_lib_hook and chosen == "hook"
    off = off or not {"enable-cuda-compat", "all"}.isdisjoint(modes.jit_cdi.nvcdi_disable_hooks)
    return "disabled" if off else chosen


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def _capabilities(text: str) -> tuple[Capability, ...]:
    names = _names(text)
    return tuple(name for name in CAPABILITIES if name in names or "all" in names)
