"""Facts, request and policy in, one container's injection out."""

from collections.abc import Collection

from linkspan.errors import RequestError
from linkspan.facts.model import HostFacts
from linkspan.plan import devices, tegra, wsl
from linkspan.plan.capabilities import granted
from linkspan.plan.driver import driver_edits, require_driver
from linkspan.plan.edits import NO_DEVICE, merge, nodes
from linkspan.plan.model import Capability, DeviceRequest, Injection, Policy
from linkspan.plan.requirements import check
from linkspan.plan.selection import Choice, Selection, select
from linkspan.plan.switches import NO_GIDS, hooks_off, without


def inject(facts: HostFacts, request: DeviceRequest, policy: Policy) -> Injection:
    """What is carried across for the plain ids of a request; nothing where it names none.

    Raises RequestError, and its kinds DeviceNotFound and RequirementError, where the request cannot be granted, and
    HostError where the host lacks what it takes.
    """
    if not request.devices:
        return Injection()
    whole = merge(
        _platform_edits(facts, request, policy),
        *(devices.gate_edits(facts, gate) for gate in request.gates),
        nodes(devices.channels(facts, request.imex_channels).values()),
    )
    off = hooks_off(policy.disabled_hooks)
    if policy.cuda_compat_mode == "disabled":
        off.add("enable-cuda-compat")
    return without(whole, off, gids=policy.additional_gids and NO_GIDS not in policy.features)


def _platform_edits(facts: HostFacts, request: DeviceRequest, policy: Policy) -> Injection:
    capabilities = granted(request, policy)
    if facts.platform == "wsl":
        check(request.requirements, facts, facts.gpus)
        return wsl.container_edits(facts, request.devices, capabilities, policy.features)
    if facts.platform == "tegra" or policy.mode == "csv":
        check(request.requirements, facts, facts.gpus)
        return tegra.container_edits(facts, request, policy, capabilities)
    return _plain_edits(facts, request, policy, capabilities)


def _plain_edits(
    facts: HostFacts, request: DeviceRequest, policy: Policy, capabilities: Collection[Capability]
) -> Injection:
    """A host with NVIDIA's own kernel driver. The order is that of the toolkit: GPUs as asked, then control nodes."""
    require_driver(facts)
    selection = _select(facts, request)
    check(request.requirements, facts, selection.gpus)
    return merge(
        *(devices.choice_edits(facts, choice, capabilities) for choice in selection.choices),
        Injection(env=() if selection.choices else (NO_DEVICE,)),
        *(devices.mig_wide_edits(facts, selection.gpus, entry) for entry in _mig_wide(request)),
        devices.control_nodes(facts, capabilities, _needed(request, selection)),
        driver_edits(facts, capabilities, policy.features),
    )


def _mig_wide(request: DeviceRequest) -> list[str]:
    return [entry for entry, asked in (("config", request.mig_config), ("monitor", request.mig_monitor)) if asked]


def _select(facts: HostFacts, request: DeviceRequest) -> Selection:
    """The devices asked for. Who may change or watch MIG as a whole gets whole GPUs, MIG devices or not."""
    if not _mig_wide(request):
        return select(facts, request.devices)
    if request.devices == ("all",):
        return Selection(choices=tuple(Choice(gpu=gpu) for gpu in facts.gpus))
    selection = select(facts, request.devices)
    if selection.mig:
        raise RequestError(
            f"MIG device {selection.choices[0].index} was asked for together with MIG's {_mig_wide(request)[0]}",
            hint="ask for whole GPUs, or leave NVIDIA_MIG_CONFIG_DEVICES and NVIDIA_MIG_MONITOR_DEVICES out",
            subject=selection.mig[0][1].uuid,
        )
    return selection


def _needed(request: DeviceRequest, selection: Selection) -> tuple[str, ...]:
    """The control nodes without which what was asked for by name is bound to fail: CUDA opens nvidia-uvm first."""
    computes = {"compute", "video"}.intersection(request.capabilities or ())
    return (devices.UVM,) if computes and selection.choices else ()
