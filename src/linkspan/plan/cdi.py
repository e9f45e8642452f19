"""A CDI spec to be, in every mode of ``nvidia-ctk cdi generate`` (contract 5)."""

from collections.abc import Callable, Iterable
from typing import Literal

from linkspan.errors import HostError, RequestError
from linkspan.facts.model import HostFacts, Model
from linkspan.formats.cdi import kind_problem
from linkspan.plan import devices, tegra, wsl
from linkspan.plan.capabilities import DEFAULT
from linkspan.plan.driver import driver_edits, require_driver
from linkspan.plan.edits import NO_DEVICE, VOID, merge, nodes
from linkspan.plan.model import GATES, CdiDevice, CdiPlan, Gate, Injection
from linkspan.plan.selection import Choice, select
from linkspan.plan.switches import FEATURES, HOOKS, NO_GIDS, check_names, hooks_off, without

CdiMode = Literal["auto", "nvml", "wsl", "csv", "management", "gds", "mofed", "gdrcopy", "nvswitch", "imex"]
NameStrategy = Literal["index", "uuid", "type-index"]


class CdiOptions(Model, frozen=True, kw_only=True):
    """What ``cdi generate`` may be told (contract 5.1).

    ``device_ids`` are ids as ``plan.selection`` reads them, or IMEX channels; ``none`` alone makes a spec whose one
    device brings the driver and no GPU. ``disabled_hooks`` may hold ``all``; ``enabled_hooks`` wins over it.
    """

    mode: CdiMode = "auto"
    vendor: str = "nvidia.com"
    class_: str = "gpu"
    names: tuple[NameStrategy, ...] = ("index", "uuid")
    device_ids: tuple[str, ...] = ("all",)
    all_device: bool = True
    features: tuple[str, ...] = ()
    disabled_hooks: tuple[str, ...] = ()
    enabled_hooks: tuple[str, ...] = ()
    compat_root: str = ""

    @property
    def kind(self) -> str:
        """The kind of the spec: ``nvidia.com/gpu``."""
        return f"{self.vendor}/{self.class_}"


def plan_cdi(facts: HostFacts, options: CdiOptions) -> CdiPlan:
    """The spec for this host: devices by name in byte order, and what all of them share.

    Raises RequestError for options that cannot be followed, and HostError where there is nothing to put into a spec.
    """
    _check(options)
    own, common = _MODES[resolve_cdi_mode(facts, options.mode)](facts, options)
    if options.all_device and not {"all", "none"}.intersection(own):
        own["all"] = merge(*own.values())
    off = hooks_off(options.disabled_hooks, options.enabled_hooks)
    gids = NO_GIDS not in options.features
    return CdiPlan(
        kind=options.kind,
        devices=tuple(CdiDevice(name=name, edits=without(own[name], off, gids=gids)) for name in sorted(own)),
        common=without(common, off, gids=gids),
    )


def resolve_cdi_mode(facts: HostFacts, mode: CdiMode) -> CdiMode:
    """What ``auto`` comes to on this host."""
    if mode != "auto":
        return mode
    return "wsl" if facts.platform == "wsl" else "csv" if facts.platform == "tegra" else "nvml"


def _check(options: CdiOptions) -> None:
    check_names("hook", options.disabled_hooks, [*HOOKS, "all"])
    check_names("hook", options.enabled_hooks, HOOKS)
    check_names("feature flag", options.features, FEATURES)
    if problem := kind_problem(options.kind):
        raise RequestError(problem, hint="vendor and class are words such as nvidia.com and gpu", subject=options.kind)
    if not (options.names and options.device_ids):
        raise RequestError("a CDI spec needs at least one device id and one way to name devices")


Made = tuple[dict[str, Injection], Injection]
"""The edits of each device by name, and the common ones."""


def _nvml(facts: HostFacts, options: CdiOptions) -> Made:
    require_driver(facts)
    common = merge(devices.control_nodes(facts, DEFAULT), driver_edits(facts, DEFAULT, options.features))
    if options.device_ids == ("none",):
        return {"none": Injection(env=(NO_DEVICE,))}, common
    own: dict[str, Injection] = {}
    for choice in select(facts, options.device_ids).choices:
        own |= dict.fromkeys(_names(choice, options.names), devices.choice_edits(facts, choice, DEFAULT))
    return own, common


def _names(choice: Choice, strategies: Iterable[NameStrategy]) -> list[str]:
    typed = f"mig{choice.index}" if choice.mig else f"gpu{choice.index}"
    by_strategy = {"index": choice.index, "uuid": choice.uuid, "type-index": typed}
    return [by_strategy[strategy] for strategy in strategies]


def _management(facts: HostFacts, options: CdiOptions) -> Made:
    require_driver(facts)
    found = devices.managed_nodes(facts)
    if not found:
        raise _nothing("device node of the driver", "/dev/nvidia*")
    return {"all": nodes(found)}, driver_edits(facts, DEFAULT, options.features, desktop=False)


def _gated(gate: Gate) -> Callable[[HostFacts, CdiOptions], Made]:
    def make(facts: HostFacts, _: CdiOptions) -> Made:
        edits = devices.gate_edits(facts, gate)
        if not edits.devices:
            raise _nothing(f"device node for {gate}", devices.gated_paths(gate))
        return {"all": edits}, Injection(env=(VOID,))

    return make


def _imex(facts: HostFacts, options: CdiOptions) -> Made:
    found = devices.channels(facts, options.device_ids)
    if not found:
        raise _nothing("IMEX channel", "/dev/nvidia-caps-imex-channels/channel*")
    return {number: nodes([node]) for number, node in found.items()}, Injection(env=(VOID,))


def _wsl(facts: HostFacts, options: CdiOptions) -> Made:
    return {"all": wsl.node(facts)}, wsl.store_edits(facts, DEFAULT, options.features)


def _csv(facts: HostFacts, options: CdiOptions) -> Made:
    common = tegra.file_edits(facts, facts.csv, DEFAULT, options.compat_root)
    if options.device_ids == ("none",):
        return {"none": Injection(env=(NO_DEVICE,))}, common
    own: dict[str, Injection] = {}
    for choice in tegra.choices(facts, options.device_ids, options.features):
        edits = tegra.device_edits(facts, facts.csv, choice, DEFAULT)
        if not edits.devices:
            raise _nothing("device node that the CSV files name", "their lines of type dev")
        named = choice or next((Choice(gpu=gpu) for gpu in facts.gpus), None)
        own |= dict.fromkeys(_names(named, options.names) if named else ["0"], edits)
    return own, common


def _nothing(what: str, looked_for: str) -> HostError:
    return HostError(
        f"this host has no {what}, so there is nothing to put into a CDI spec",
        hint=f"looked for {looked_for}; 'linkspan facts' shows what there is",
        subject=looked_for,
    )


_MODES: dict[CdiMode, Callable[[HostFacts, CdiOptions], Made]] = {
    "nvml": _nvml,
    "management": _management,
    "imex": _imex,
    "wsl": _wsl,
    "csv": _csv,
    **{gate: _gated(gate) for gate in GATES},
}
