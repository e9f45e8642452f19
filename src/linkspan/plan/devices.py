"""Which device nodes go with a GPU, a MIG device, a capability, a gate or an IMEX channel.

A node that what was asked for cannot do without, and that does not exist, is an error that says how to make it
(design 3, rule 2); one that may be missing on a sound host is left out.
"""

from collections.abc import Collection, Iterable, Sequence

from linkspan.errors import DeviceNotFound, HostError, RequestError
from linkspan.facts.model import DeviceNode, Gpu, HostFacts, MigDevice
from linkspan.plan import wording
from linkspan.plan.capabilities import admits
from linkspan.plan.edits import merge, nodes
from linkspan.plan.model import Capability, Gate, Injection, Mount
from linkspan.plan.selection import Choice

CUFILE = "/etc/cufile.json"
UDEV = "/run/udev"
UVM = "/dev/nvidia-uvm"

_CTL = "/dev/nvidiactl"
_CONTROL_NODES = ("/dev/nvidia-modeset", UVM, "/dev/nvidia-uvm-tools", _CTL)
_MAKE_NODE = {_CTL: "nvidia-modprobe -c 255", UVM: "nvidia-modprobe -u -c 0"}
_CHANNELS = "/dev/nvidia-caps-imex-channels/channel"
_MOST_CHANNELS = 1 << 20
"""Minors of a character device have 20 bits (contract 4.3)."""

_GATED: dict[Gate, tuple[str, ...]] = {
    "gds": ("/dev/nvidia-fs*",),
    "mofed": ("/dev/infiniband/uverbs*", "/dev/infiniband/rdma_cm"),
    "gdrcopy": ("/dev/gdrdrv",),
    "nvswitch": ("/dev/nvidia-nvswitch*",),
}
"""The nodes that a gate opens (contract 5.5)."""

_MANAGED = ("/dev/nvidia", "/dev/nvidia-caps/nvidia-cap", _CHANNELS)
_NOT_MANAGED = ("/dev/nvidia-fs", "/dev/nvidia-nvswitch", "/dev/nvidia-nvlink")


def control_nodes(facts: HostFacts, granted: Collection[Capability], needed: Collection[str] = ()) -> Injection:
    """The nodes that are no GPU's own. HostError where nvidiactl, or one in ``needed``, does not exist."""
    wanted = [path for path in _CONTROL_NODES if path == _CTL or admits(path, granted)]
    for path in wanted:
        if (path == _CTL or path in needed) and not facts.device(path):
            raise _no_node(f"the device node {path} does not exist", path, _MAKE_NODE[path])
    return nodes(_existing(facts, wanted))


def choice_edits(facts: HostFacts, choice: Choice, granted: Collection[Capability]) -> Injection:
    """What a chosen device brings: its own nodes, DRM nodes and the links to those.

    A MIG device has the node of its GPU, two that open it, and DRM only where its profile has graphics.
    """
    own = gpu_node(facts, choice.gpu)
    if not choice.mig:
        return merge(own, _drm_edits(facts, choice.gpu, granted))
    opened = merge(own, _mig_nodes(facts, choice.gpu, choice.mig))
    return merge(opened, _drm_edits(facts, choice.gpu, granted)) if choice.mig.graphics else opened


def gpu_node(facts: HostFacts, gpu: Gpu) -> Injection:
    """The GPU's own node; HostError where it does not exist."""
    path = gpu.path or f"/dev/nvidia{gpu.minor}"
    node = facts.device(path)
    if not node:
        cause = f"GPU {gpu.index} has no device node: {path} does not exist"
        raise _no_node(cause, path, f"nvidia-modprobe -c {gpu.minor}")
    return nodes([node])


def _mig_nodes(facts: HostFacts, gpu: Gpu, mig: MigDevice) -> Injection:
    missing = next((path for path in mig.access if not facts.device(path)), "")
    if missing or not mig.access:
        cause = f"{missing} does not exist" if missing else "mig-minors does not list it"
        raise _no_node(f"MIG device {gpu.index}:{mig.index} cannot be opened: {cause}", missing, "nvidia-smi -L")
    return nodes(_existing(facts, mig.access))


def _drm_edits(facts: HostFacts, gpu: Gpu, granted: Collection[Capability]) -> Injection:
    found = _existing(facts, [path for path in gpu.drm if admits(path, granted)])
    names = {node.path.rpartition("/")[2] for node in found}
    links = tuple(link for link in gpu.by_path if link.target.rpartition("/")[2] in names)
    return merge(nodes(found), Injection(links=links))


def mig_wide_edits(facts: HostFacts, gpus: Iterable[Gpu], entry: str) -> Injection:
    """What changing (``config``) or watching (``monitor``) MIG takes: that entry's node, and all of these GPUs'."""
    node = facts.device(_cap_path(facts.caps.get(entry, -1)))
    if not node:
        raise _no_node(f"this host has no device node for MIG's {entry}", "/dev/nvidia-caps", "nvidia-smi -L")
    prefixes = tuple(f"gpu{gpu.minor}/" for gpu in gpus)
    minors = [minor for name, minor in facts.caps.items() if name.startswith(prefixes)]
    return nodes([node, *_existing(facts, map(_cap_path, minors))])


def _cap_path(minor: int) -> str:
    return f"/dev/nvidia-caps/nvidia-cap{minor}"


def gate_edits(facts: HostFacts, gate: Gate) -> Injection:
    """The nodes of GPUDirect Storage, InfiniBand, GDRCopy or NVSwitch, as far as this host has them.

    GPUDirect Storage also needs the udev database and its configuration.
    """
    found = [node for node in facts.devices if any(_matches(node.path, pattern) for pattern in _GATED[gate])]
    if not (found and gate == "gds"):
        return nodes(found)
    folders = [Mount(host_path=item.host_path, container_path=item.path) for item in facts.folders if item.path == UDEV]
    configs = [
        Mount(host_path=item.host_path, container_path=item.container_path)
        for item in facts.configs
        if item.container_path == CUFILE
    ]
    return merge(nodes(found), Injection(mounts=(*folders, *configs)))


def _matches(path: str, pattern: str) -> bool:
    beginning, star, _ = pattern.partition("*")
    return path.startswith(beginning) if star else path == pattern


def gated_paths(gate: Gate) -> str:
    """The nodes that a gate looks for, for people."""
    return wording.listed(_GATED[gate], last="or")


def channels(facts: HostFacts, ids: Iterable[str]) -> dict[str, DeviceNode]:
    """The IMEX channels by number, in the order asked for; ``all`` are those that exist (contract 9.2 #30).

    Raises RequestError for what is no channel's number, DeviceNotFound for a channel that does not exist.
    """
    existing = {node.path.removeprefix(_CHANNELS): node for node in facts.devices if node.path.startswith(_CHANNELS)}
    chosen: dict[str, DeviceNode] = {}
    for asked in ids:
        if asked == "all":
            chosen |= existing
        elif asked != "none":
            number = _channel_number(asked)
            if number not in existing:
                raise _no_channel(number, list(existing))
            chosen[number] = existing[number]
    return chosen


def _channel_number(asked: str) -> str:
    digits = asked.removeprefix("channel")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10 and int(digits) < _MOST_CHANNELS):
        raise RequestError(
            f"{wording.quoted(asked)} is not an IMEX channel",
            hint=f"channels are numbers from 0 to {_MOST_CHANNELS - 1}",
            subject=asked,
        )
    return str(int(digits))


def _no_channel(number: str, existing: Sequence[str]) -> DeviceNotFound:
    there = f"has channels {wording.ids(existing)}" if existing else "has none"
    return DeviceNotFound(
        f"IMEX channel {number} was asked for, but this host {there}",
        hint=f"create it with 'nvidia-modprobe -i {number}:1', or set features.ignore-imex-channel-requests",
        subject=f"{_CHANNELS}{number}",
    )


def managed_nodes(facts: HostFacts) -> list[DeviceNode]:
    """Every node of the driver, for programs that manage it: also MIG's and IMEX's, not those of other drivers."""
    return [
        node
        for node in facts.devices
        if node.type == "c" and node.path.startswith(_MANAGED) and not node.path.startswith(_NOT_MANAGED)
    ]


def _existing(facts: HostFacts, paths: Iterable[str]) -> list[DeviceNode]:
    return [node for path in paths if (node := facts.device(path))]


def _no_node(cause: str, path: str, command: str) -> HostError:
    return HostError(cause, hint=f"create it with '{command}' as root on the host", subject=path)
