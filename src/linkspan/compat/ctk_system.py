"""``nvidia-ctk system``: device nodes of the driver, and the links that name them by number (contract 7.3)."""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from linkspan.compat.commands import Call, Command
from linkspan.compat.goflags import Flag, WrongUsage
from linkspan.errors import HostError
from linkspan.facts import snapshot
from linkspan.facts.model import HostFacts
from linkspan.facts.snapshot import Search
from linkspan.kernel import carry, paths, process
from linkspan.plan.devices import managed_nodes
from linkspan.store import dev_char

_MODULES = ("nvidia", "nvidia-uvm", "nvidia-modeset")
_MODPROBE_S = 60.0
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_CONTROL = (
    ("/dev/nvidiactl", "nvidia", 255),
    ("/dev/nvidia-modeset", "nvidia", 254),
    ("/dev/nvidia-uvm", "nvidia-uvm", 0),
    ("/dev/nvidia-uvm-tools", "nvidia-uvm", 1),
)
"""The nodes that are no GPU's own: path, driver and minor, as the kernel modules number them."""
_IMEX = "/dev/nvidia-caps-imex-channels/"


class Node(NamedTuple):
    """A device node that there is, or that there should be."""

    path: str
    major: int
    minor: int


def _create_nodes(call: Call) -> None:
    values = call.values
    root = os.path.abspath(values.text("root") or "/")
    dev_root = os.path.abspath(values.text("dev-root") or root)
    dry_run = values.switch("dry-run")
    if values.switch("load-kernel-modules"):
        _load_modules(call, root, dry_run=dry_run)
    nodes = list(_control_nodes(_facts(root, dev_root)))
    if values.switch("control-devices"):
        _make(call, dev_root, nodes, dry_run=dry_run)


def _facts(root: str, dev_root: str) -> HostFacts:
    return snapshot.collect(Search(root=root, dev_root=dev_root, nvml=False))


def _load_modules(call: Call, root: str, *, dry_run: bool) -> None:
    """Load the driver's kernel modules by the modprobe of its root. Raises KernelError with the first that fails."""
    before = [] if root == "/" else ["chroot", root]
    for module in _MODULES:
        argv = [*before, "/sbin/modprobe", module]
        if dry_run:
            call.say(f"would run {' '.join(argv)}")
        else:
            process.run(argv, env=_ENVIRONMENT, timeout_s=_MODPROBE_S)


def _control_nodes(facts: HostFacts) -> Iterator[Node]:
    """The control nodes by the numbers that the kernel gave out. HostError where the driver has none."""
    majors = {**facts.majors}
    majors.setdefault("nvidia", majors.get("nvidia-frontend", 0))  # the name that drivers before 550 registered
    if not majors["nvidia"]:
        raise HostError(
            "no NVIDIA devices found: /proc/devices has no entry for nvidia",
            hint="load the kernel modules first, or use --load-kernel-modules",
        )
    yield from (Node(path, majors[name], minor) for path, name, minor in _CONTROL if majors.get(name))


def _make(call: Call, dev_root: str, nodes: Iterable[Node], *, dry_run: bool) -> None:
    """Make the nodes that are not there yet, open for everyone."""
    for node in nodes:
        place = os.path.join(dev_root, node.path.lstrip("/"))
        numbers = f"{node.major}:{node.minor}"
        if os.path.lexists(place):
            if not _is_at(node, place):
                call.say(f"{place} is there and is not the device {numbers}; it is left as it is")
        elif dry_run:
            call.say(f"would create the device node {place} ({numbers})")
        else:
            _make_one(dev_root, node)
            call.say(f"created the device node {place} ({numbers})")


def _is_at(node: Node, place: str) -> bool:
    return os.lstat(place).st_rdev == os.makedev(node.major, node.minor)


def _make_one(dev_root: str, node: Node) -> None:
    root_fd = paths.open_root(dev_root)
    try:
        entry = {"path": node.path, "type": "c", "major": node.major, "minor": node.minor, "fileMode": 0o666}
        carry.make_nodes(root_fd, [entry], None)
    finally:
        os.close(root_fd)


def _create_links(call: Call) -> None:
    values = call.values
    everything, dry_run = values.switch("create-all"), values.switch("dry-run")
    for flag in ("load-kernel-modules", "create-device-nodes"):
        if values.switch(flag) and not everything:
            raise WrongUsage(f"--{flag} needs --create-all", hint="add --create-all")
    root = os.path.abspath(values.text("driver-root"))
    if values.switch("load-kernel-modules"):
        _load_modules(call, root, dry_run=dry_run)
    facts = _facts(root, root)
    if values.switch("create-device-nodes"):
        _make(call, root, _control_nodes(facts), dry_run=dry_run)
    nodes = _all_nodes(facts) if everything else _existing_nodes(facts)
    _link(call, values.text("dev-char-path"), root, nodes, dry_run=dry_run)


def _existing_nodes(facts: HostFacts) -> list[Node]:
    return [Node(node.path, node.major, node.minor) for node in managed_nodes(facts) if not node.path.startswith(_IMEX)]


def _all_nodes(facts: HostFacts) -> list[Node]:
    """The nodes that there will be once everything has been opened: by number, be they there or not."""
    control = list(_control_nodes(facts))
    gpus = [Node(f"/dev/nvidia{gpu.minor}", control[0].major, gpu.minor) for gpu in facts.gpus]
    major = facts.majors.get("nvidia-caps", 0)
    caps = [Node(f"/dev/nvidia-caps/nvidia-cap{minor}", major, minor) for minor in facts.caps.values() if major]
    return [*control, *gpus, *caps]


def _link(call: Call, folder: str, root: str, nodes: Iterable[Node], *, dry_run: bool) -> None:
    for node in nodes:
        name = dev_char.name_of(node.major, node.minor)
        link = os.path.join(folder, name)
        target = os.path.join(root, node.path.lstrip("/"))
        if os.path.lexists(link):
            call.say(f"{link} is there already and is left as it is")
        elif dry_run:
            call.say(f"would create the link {link} to {target}")
        else:
            dev_char.make(folder, name, target)


_LOAD = Flag(("load-kernel-modules",), "load the driver's kernel modules first", "switch")
_DRY_RUN = Flag(("dry-run",), "only say what would be done", "switch", env=("DRY_RUN",))

CREATE_NODES = Command(
    "create-device-nodes",
    "create NVIDIA device nodes",
    (
        Flag(("root", "driver-root"), "the driver root", env=("ROOT", "NVIDIA_DRIVER_ROOT", "DRIVER_ROOT")),
        Flag(("dev-root",), "the root below which /dev is", env=("NVIDIA_DEV_ROOT", "DEV_ROOT")),
        Flag(("control-devices",), "create the nodes that are no GPU's own", "switch"),
        _LOAD,
        _DRY_RUN,
    ),
    _create_nodes,
)
CREATE_LINKS = Command(
    "create-dev-char-symlinks",
    "create symlinks to NVIDIA device nodes in /dev/char",
    (
        Flag(("dev-char-path",), "where the links go", default="/dev/char", env=("DEV_CHAR_PATH",)),
        Flag(("driver-root",), "the root below which /dev is", default="/", env=("NVIDIA_DRIVER_ROOT", "DRIVER_ROOT")),
        Flag(("create-all",), "links for all nodes that there can be", "switch", env=("CREATE_ALL",)),
        _LOAD,
        Flag(("create-device-nodes",), "create the control nodes first", "switch", env=("CREATE_DEVICE_NODES",)),
        _DRY_RUN,
    ),
    _create_links,
)
